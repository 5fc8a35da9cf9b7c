//! The cash desk.

use std::fmt;
use std::num::NonZeroI32;

use client::ListQuery;
use types::views::{ChangeStock, ItemRequest, Order, OrderStatus, PlaceOrder, Product, Quantity};

use super::Desk;
use super::prompt::{self, Step};
use crate::cli::commands::{insist, own_key};
use crate::cli::render;
use crate::cli::table::{Record, Tone};

/// A product as one line of 77 columns.
struct Ware(Product);

impl fmt::Display for Ware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Product {
            name,
            price,
            currency,
            available,
            ..
        } = &self.0;
        let name: String = name.as_str().chars().take(36).collect();
        write!(f, "{name:<36} {price:>12} {currency} {available:>6} left")
    }
}

struct Line(Order);

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&render::order_line(&self.0))
    }
}

const PAGE: ListQuery = ListQuery {
    limit: Some(200),
    cursor: None,
};

impl Desk {
    pub(super) async fn products(&mut self) -> Result<(), Step> {
        let page = self.context.bank.orders().products(&PAGE).await?;
        self.context.out.sheet(render::products(&page.items))?;
        self.context.out.line("")?;
        Ok(())
    }

    pub(super) async fn buy(&mut self) -> Result<(), Step> {
        let product = self.pick_product("What?").await?;
        let quantity: Quantity = prompt::text("How many?", "a whole number", pieces)?;
        let account = self.pick_account("Paid from which account?").await?;
        let summary = Record::new()
            .field("Product", &product.name)
            .field("Pieces", quantity)
            .field(
                "Price each",
                format!("{} {}", product.price, product.currency),
            )
            .field("Paid from", account.account_id)
            .field("Available there", account.available_balance);
        self.context.out.line("")?;
        self.context.out.sheet(summary)?;
        prompt::confirm("Buy it?")?;
        let wanted = PlaceOrder {
            account_id: account.account_id,
            items: vec![ItemRequest {
                product_id: product.product_id,
                quantity,
            }],
            customer_id: self
                .context
                .customer()
                .is_none()
                .then_some(account.customer_id)
                .flatten(),
            coordination: None,
            failure: None,
        };
        let key = own_key();
        let desk = self.context.bank.orders();
        let sent = insist(&key, || desk.place(&wanted, Some(&key))).await?;
        let (words, tone) = match sent.body.status {
            OrderStatus::Committed => ("Bought.", Tone::Good),
            _ => ("It is still being carried out.", Tone::Warning),
        };
        let out = &self.context.out;
        out.line(&out.painted(words, tone))?;
        out.sheet(render::order(&sent.body))?;
        out.line("")?;
        Ok(())
    }

    pub(super) async fn orders(&mut self) -> Result<(), Step> {
        let order = self.pick_order("Which order?", None).await?;
        let desk = self.context.bank.orders();
        let (order, saga) = (
            desk.show(order.order_id).await?,
            desk.saga(order.order_id).await?,
        );
        let out = &self.context.out;
        out.sheet(render::order(&order))?;
        out.line("")?;
        out.sheet(render::saga(&saga))?;
        out.line("")?;
        Ok(())
    }

    pub(super) async fn cancel_order(&mut self) -> Result<(), Step> {
        let order = self
            .pick_order("Which order?", Some(OrderStatus::Committed))
            .await?;
        prompt::confirm("Undo it? The money goes back.")?;
        let sent = self.context.bank.orders().cancel(order.order_id).await?;
        self.context.out.sheet(render::order(&sent.body))?;
        self.context.out.line("")?;
        Ok(())
    }

    pub(super) async fn change_stock(&mut self) -> Result<(), Step> {
        let product = self.pick_product("Of what?").await?;
        let delta: NonZeroI32 = prompt::text(
            "How many come, or with a minus go?",
            "a whole number",
            prompt::parsed,
        )?;
        let change = ChangeStock { delta };
        let desk = self.context.bank.orders();
        let product = desk.change_stock(product.product_id, &change).await?;
        self.context
            .out
            .sheet(render::products(std::slice::from_ref(&product)))?;
        self.context.out.line("")?;
        Ok(())
    }

    async fn pick_product(&mut self, question: &str) -> Result<Product, Step> {
        let page = self.context.bank.orders().products(&PAGE).await?;
        if page.items.is_empty() {
            self.context.out.line("Nothing is sold.\n")?;
            return Err(Step::Back);
        }
        let wares = page.items.into_iter().map(Ware).collect();
        prompt::choose(question, wares).map(|ware| ware.0)
    }

    async fn pick_order(
        &mut self,
        question: &str,
        status: Option<OrderStatus>,
    ) -> Result<Order, Step> {
        let page = self.context.bank.orders().list(status, &PAGE).await?;
        if page.items.is_empty() {
            self.context.out.line("There are no orders.\n")?;
            return Err(Step::Back);
        }
        let lines = page.items.into_iter().map(Line).collect();
        prompt::choose(question, lines).map(|line| line.0)
    }
}

fn pieces(typed: &str) -> Result<Quantity, String> {
    let pieces: u32 = prompt::parsed(typed)?;
    pieces
        .try_into()
        .map_err(|error: types::views::QuantityError| error.to_string())
}
