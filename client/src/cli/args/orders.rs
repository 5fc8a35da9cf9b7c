//! `banking-cli orders ...`

use std::num::NonZeroI32;
use std::str::FromStr;

use clap::{Args, Subcommand, ValueEnum};
use serde::de::DeserializeOwned;
use types::views::{Failure, FailureKind, FailureWhen, ItemRequest, OrderStatus, OrderStep};
use types::{AccountId, CustomerId, IdempotencyKey, OrderId, ProductId};

/// What is done at the cash desk.
#[derive(Debug, Subcommand)]
pub enum OrdersCommand {
    /// What the cash desk sells, and how much of it there is
    Products,
    /// Buy something
    #[command(after_help = "\
With an idempotency key the same command can be repeated after any mishap: it
is bought once.

Examples:
  banking-cli orders place -a ACCOUNT --item PRODUCT
  banking-cli orders place -a ACCOUNT --item PRODUCT=2 --item OTHER=1
  banking-cli orders place -a ACCOUNT --item PRODUCT --failure pay:after:error")]
    Place(PlaceArguments),
    /// Orders, newest first
    List {
        /// Only with this status
        #[arg(long, value_enum)]
        status: Option<OrderStatusChoice>,
        /// At most this many
        #[arg(short, long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
        limit: u32,
    },
    /// One order, and its saga step by step
    Show {
        /// The order
        order: OrderId,
    },
    /// Undo an order: the money goes back, the pieces can be ordered again
    Cancel {
        /// The order
        order: OrderId,
    },
    /// Pieces come or go (tellers and admins)
    #[command(after_help = "\
Example:
  banking-cli orders stock PRODUCT --delta 20")]
    Stock {
        /// The product
        product: ProductId,
        /// How many come, or with a minus go
        #[arg(long, allow_hyphen_values = true)]
        delta: NonZeroI32,
    },
}

/// What is bought, and who pays.
#[derive(Debug, Args)]
pub struct PlaceArguments {
    /// Account that pays
    #[arg(short, long)]
    pub account: AccountId,
    /// A product, and how many pieces of it
    #[arg(short, long = "item", value_name = "PRODUCT[=PIECES]", required = true, value_parser = item)]
    pub items: Vec<ItemRequest>,
    /// Whose order it is (tellers and admins)
    #[arg(short, long)]
    pub customer: Option<CustomerId>,
    /// A failure to see, in development: STEP:WHEN:KIND
    #[arg(long, value_name = "STEP:WHEN:KIND", value_parser = failure)]
    pub failure: Option<Failure>,
    /// Name of this order, to repeat it safely
    #[arg(long, value_name = "KEY")]
    pub idempotency_key: Option<IdempotencyKey>,
}

/// How an order stands, as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OrderStatusChoice {
    Started,
    Compensating,
    Stuck,
    Committed,
    Compensated,
    Cancelled,
}

impl From<OrderStatusChoice> for OrderStatus {
    fn from(choice: OrderStatusChoice) -> Self {
        match choice {
            OrderStatusChoice::Started => Self::Started,
            OrderStatusChoice::Compensating => Self::Compensating,
            OrderStatusChoice::Stuck => Self::Stuck,
            OrderStatusChoice::Committed => Self::Committed,
            OrderStatusChoice::Compensated => Self::Compensated,
            OrderStatusChoice::Cancelled => Self::Cancelled,
        }
    }
}

fn item(text: &str) -> Result<ItemRequest, String> {
    let (product, pieces) = text.split_once('=').unwrap_or((text, "1"));
    let pieces: u32 = pieces
        .parse()
        .map_err(|_| "pieces are a whole number".to_owned())?;
    Ok(ItemRequest {
        product_id: ProductId::from_str(product).map_err(|error| error.to_string())?,
        quantity: pieces
            .try_into()
            .map_err(|error: types::views::QuantityError| error.to_string())?,
    })
}

fn failure(text: &str) -> Result<Failure, String> {
    let expected = "expected STEP:WHEN:KIND, where STEP is create_order, reserve_stock, pay or \
                    confirm, WHEN before, during or after, and KIND error, timeout or crash";
    let mut parts = text.split(':');
    let mut next = || parts.next().unwrap_or_default().to_owned();
    let (step, when, kind) = (next(), next(), next());
    let read = || {
        Some(Failure {
            step: named::<OrderStep>(step)?,
            when: named::<FailureWhen>(when)?,
            kind: named::<FailureKind>(kind)?,
        })
    };
    match (read(), parts.next()) {
        (Some(failure), None) => Ok(failure),
        _ => Err(expected.to_owned()),
    }
}

/// A value by the name it has in requests.
fn named<T: DeserializeOwned>(name: String) -> Option<T> {
    serde_json::from_value(name.into()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COIN: &str = "770e8400-e29b-41d4-a716-446655440005";

    #[test]
    fn an_item_is_one_piece_unless_more_are_said() {
        let pieces = |text: &str| item(text).map(|item| item.quantity.get());
        assert_eq!(pieces(COIN), Ok(1));
        assert_eq!(pieces(&format!("{COIN}=3")), Ok(3));
        for bad in ["", "x", &format!("{COIN}=0"), &format!("{COIN}=-1")] {
            assert!(item(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_failure_has_three_parts() {
        assert!(failure("pay:after:error").is_ok());
        for bad in ["pay", "pay:after", "pay:after:error:x", "bake:after:error"] {
            assert!(failure(bad).is_err(), "{bad}");
        }
    }
}
