//! Products, orders and the sagas behind them.

use types::views::{Order, OrderStatus, Product, RepairedSide};

use super::{moment, stacked};
use crate::cli::table::{Cell, Record, Table, Tone};

pub fn products(products: &[Product]) -> Table {
    let mut table = Table::new("Nothing is sold.")
        .rigid("Product")
        .text("Name")
        .number("Price")
        .number("Available")
        .number("Reserved");
    for product in products {
        table.row(vec![
            product.product_id.into(),
            (&product.name).into(),
            format!("{} {}", product.price, product.currency).into(),
            product.available.into(),
            product.reserved.into(),
        ]);
    }
    table
}

pub fn orders(orders: &[Order]) -> Table {
    let mut table = Table::new("No orders.")
        .rigid("Placed")
        .rigid("Order")
        .number("Total")
        .rigid("Status")
        .text("Reason");
    for order in orders {
        table.row(vec![
            stacked(order.created_at).into(),
            order.order_id.into(),
            format!("{} {}", order.total, order.currency).into(),
            status(order.status),
            order.reason.clone().unwrap_or_default().into(),
        ]);
    }
    table
}

pub fn order(order: &Order) -> Record {
    let mut record = Record::new()
        .field("Order", order.order_id)
        .field("Status", status(order.status))
        .maybe("Reason", order.reason.as_ref())
        .field("Total", format!("{} {}", order.total, order.currency))
        .field("Paid from", order.account_id)
        .maybe("Payment", order.payment_transaction_id)
        .maybe("Customer", order.customer_id)
        .field("Placed", moment(order.created_at))
        .field("Last change", moment(order.updated_at));
    for item in &order.items {
        let line = format!(
            "{} x {} at {} ({})",
            item.quantity,
            item.name,
            item.price,
            item.stock.as_str()
        );
        record = record.field("Item", line);
    }
    for repair in &order.repairs {
        let side = match repair.side {
            RepairedSide::Order => "order",
            RepairedSide::Stock => "stock",
        };
        let line = format!("{side}: {} was {}", repair.corrected, repair.found);
        record = record.field("Mended", line);
    }
    record
}

fn status(status: OrderStatus) -> Cell {
    let tone = match status {
        OrderStatus::Committed => Tone::Good,
        OrderStatus::Compensated | OrderStatus::Cancelled => Tone::Plain,
        OrderStatus::Started | OrderStatus::Compensating => Tone::Warning,
        OrderStatus::Stuck => Tone::Bad,
    };
    Cell::toned(status, tone)
}

/// An order in few words.
pub fn order_line(order: &Order) -> String {
    let Order {
        order_id,
        total,
        currency,
        status,
        ..
    } = order;
    format!("{order_id} {total:>12} {currency} {status}")
}
