//! Products, orders and the sagas behind them.

use types::views::{
    Order, OrderStatus, Product, RepairedSide, SagaStatus, SagaStepStatus, SagaView,
};

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

pub fn saga_steps(saga: &SagaView) -> Table {
    let mut table = Table::new("No steps.")
        .rigid("Step")
        .rigid("Status")
        .number("Attempts")
        .text("Error");
    for step in &saga.steps {
        let tone = match step.status {
            SagaStepStatus::Done => Tone::Good,
            SagaStepStatus::Failed => Tone::Bad,
            SagaStepStatus::Running
            | SagaStepStatus::Compensating
            | SagaStepStatus::Compensated
            | SagaStepStatus::Skipped => Tone::Warning,
            SagaStepStatus::Pending => Tone::Plain,
        };
        table.row(vec![
            (&step.step).into(),
            Cell::toned(step.status, tone),
            step.attempts.into(),
            step.error.clone().unwrap_or_default().into(),
        ]);
    }
    table
}

pub fn saga_log(saga: &SagaView) -> Table {
    let mut table = Table::new("Nothing happened yet.")
        .rigid("Time (UTC)")
        .number("+ms")
        .rigid("Event")
        .rigid("Step")
        .text("Detail");
    let began = saga.log.first().map(|line| line.at.date_time());
    for line in &saga.log {
        let after = began.map(|began| (line.at.date_time() - began).num_milliseconds());
        let bad = saga.status == SagaStatus::Stuck && line.event == "STUCK";
        let tone = match line.event.as_str() {
            "ACTION_DONE" | "COMMITTED" => Tone::Good,
            "ACTION_FAILED" | "TURNED_BACK" => Tone::Warning,
            _ if bad => Tone::Bad,
            _ => Tone::Plain,
        };
        table.row(vec![
            line.at.date_time().format("%H:%M:%S%.3f").into(),
            after.unwrap_or_default().into(),
            Cell::toned(&line.event, tone),
            line.step.clone().unwrap_or_default().into(),
            line.detail.clone().unwrap_or_default().into(),
        ]);
    }
    table
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
