//! The cash desk.

use client::ListQuery;
use serde::Serialize;
use types::OrderId;
use types::views::{ChangeStock, Order, OrderStatus, PlaceOrder, SagaView};

use super::{Listed, insist, own_key};
use crate::cli::args::{OrdersCommand, PlaceArguments};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::output::Sheet;
use crate::cli::render;

/// The largest page the service gives.
const PAGE: u32 = 200;

/// An order and how it came about.
#[derive(Debug, Serialize)]
struct Told {
    #[serde(flatten)]
    order: Order,
    saga: SagaView,
}

pub async fn execute(context: &Context, command: OrdersCommand) -> Result<(), Failure> {
    context.require_login()?;
    let desk = context.bank.orders();
    match command {
        OrdersCommand::Products => {
            let query = ListQuery {
                limit: Some(PAGE),
                cursor: None,
            };
            let page = desk.products(&query).await?;
            let table = render::products(&page.items);
            context.out.show(&page, table)
        }
        OrdersCommand::Place(arguments) => place(context, arguments).await,
        OrdersCommand::List { status, limit } => {
            let query = ListQuery {
                limit: Some(limit),
                cursor: None,
            };
            let page = desk.list(status.map(Into::into), &query).await?;
            let listed = Listed {
                items: page.items,
                next_cursor: page.next_cursor,
            };
            context.out.show(&listed, render::orders(&listed.items))?;
            if listed.next_cursor.is_some() {
                context.out.note("There are more: --limit.");
            }
            Ok(())
        }
        OrdersCommand::Show { order } => show(context, order).await,
        OrdersCommand::Cancel { order } => {
            let sent = desk.cancel(order).await?;
            context.out.show(&sent.body, render::order(&sent.body))?;
            if sent.body.status != OrderStatus::Cancelled {
                context
                    .out
                    .note("It is being undone; that finishes by itself.");
            }
            Ok(())
        }
        OrdersCommand::Stock { product, delta } => {
            let product = desk.change_stock(product, &ChangeStock { delta }).await?;
            let table = render::products(std::slice::from_ref(&product));
            context.out.show(&product, table)
        }
    }
}

async fn place(context: &Context, arguments: PlaceArguments) -> Result<(), Failure> {
    let key = arguments.idempotency_key.unwrap_or_else(own_key);
    let order = PlaceOrder {
        account_id: arguments.account,
        items: arguments.items,
        customer_id: arguments.customer,
        coordination: None,
        failure: arguments.failure,
    };
    let desk = context.bank.orders();
    let sent = insist(&key, || desk.place(&order, Some(&key))).await?;
    context.out.show(&sent.body, render::order(&sent.body))?;
    if sent.replayed {
        context
            .out
            .note("This key was used before: the earlier result is shown.");
    } else if sent.status == 202 {
        context.out.note(&format!(
            "It is still being carried out; see how it ends with:\n  banking-cli orders show {}",
            sent.body.order_id
        ));
    }
    Ok(())
}

async fn show(context: &Context, id: OrderId) -> Result<(), Failure> {
    let desk = context.bank.orders();
    let told = Told {
        order: desk.show(id).await?,
        saga: desk.saga(id).await?,
    };
    let sheet = Sheet::All(vec![
        render::order(&told.order).into(),
        render::saga(&told.saga),
    ]);
    context.out.show(&told, sheet)
}
