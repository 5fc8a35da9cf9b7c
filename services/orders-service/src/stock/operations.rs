//! Pieces that are taken for an order, given back, sold, and taken back: each once under the id of
//! its operation, whatever comes twice or late.
//!
//! The race it survives: the request to take pieces times out, the one that gives them back
//! overtakes it, and then it arrives. What becomes of a message is decided by [`saga::barrier`]
//! from the document as it was read; the change is made only if the operations it rests on still
//! stand as they were read, and only while there are enough pieces, in one atomic update.

use documents::{Document, Filter, Update, field};
use saga::barrier::{CLOSED, OnAction, OnCompensation, Recorded, on_action, on_compensation};
use saga::{Answer, Reason};
use serde_json::{Value, json};
use types::views::{Quantity, StockState};
use types::{Code, OrderId, ProductId};
use uuid::Uuid;

use super::document::Operation;
use super::{STOCK, Stock, StockDocument};

/// There are fewer pieces than are asked for.
const OUT_OF_STOCK: Reason = Reason::fixed(Code::OutOfStock.as_str());
/// The document contradicts the order's saga: for an operator, or for read-repair.
const NOT_AS_EXPECTED: Reason = Reason::fixed("stock_not_as_expected");
/// Others change the document faster than we can.
const CONTENDED: Reason = Reason::fixed("stock_contended");

/// How often a document is read again when it changed between the look and the change.
const ATTEMPTS: usize = 20;

/// What is moved: pieces of one product for one order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lot {
    pub(crate) product: ProductId,
    pub(crate) order: OrderId,
    pub(crate) quantity: Quantity,
}

/// A request under the id of its operation.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Asked {
    /// An action.
    Action(Uuid),
    /// A compensation, and what it undoes.
    Compensation(Uuid, Uuid),
}

/// Where pieces go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Move {
    /// From what can be ordered to an order.
    Reserve,
    /// Back from an order that did not come about.
    GiveBack,
    /// To the customer.
    Sell,
    /// Back to the order: it is not confirmed after all.
    Unsell,
    /// Back from the customer.
    TakeBack,
}

impl Move {
    /// From which field to which, and the state of the order's pieces afterwards.
    const fn fields(self) -> (&'static str, &'static str, StockState) {
        match self {
            Self::Reserve => ("available", "reserved", StockState::Reserved),
            Self::GiveBack => ("reserved", "available", StockState::Returned),
            Self::Sell => ("reserved", "sold", StockState::Sold),
            Self::Unsell => ("sold", "reserved", StockState::Reserved),
            Self::TakeBack => ("sold", "available", StockState::Returned),
        }
    }

    /// When it can be made. What was sold to an order that is forgotten can still be taken back.
    fn guard(self, lot: &Lot, is_forgotten: bool) -> Filter {
        let order = lot.order.to_string();
        let state = field(&format!("orders.{order}.state"));
        let is = |expected: StockState| state.clone().equals(expected.as_str());
        let forgotten_until = field("forgotten_until");
        match self {
            Self::Reserve => field("available")
                .at_least(pieces(lot))
                .and(forgotten_until.less_than(order)),
            Self::GiveBack | Self::Sell => is(StockState::Reserved),
            Self::TakeBack if is_forgotten => field("forgotten")
                .at_least(pieces(lot))
                .and(forgotten_until.at_least(order))
                .and(state.exists(false)),
            Self::Unsell | Self::TakeBack => is(StockState::Sold),
        }
    }

    fn apply(self, update: Update, lot: &Lot, is_forgotten: bool) -> Update {
        let (from, to, state) = self.fields();
        let entry = json!({"quantity": lot.quantity, "state": state});
        let update = update
            .increment(from, -pieces(lot))
            .increment(to, pieces(lot))
            .set(&format!("orders.{}", lot.order), entry);
        if is_forgotten && self == Self::TakeBack {
            update.increment("forgotten", -pieces(lot))
        } else {
            update
        }
    }
}

fn pieces(lot: &Lot) -> i64 {
    i64::from(lot.quantity.get())
}

fn path(operation: Uuid) -> String {
    format!("operations.{operation}")
}

fn record(update: Update, operation: Uuid, lot: &Lot, recorded: Recorded) -> Update {
    let entry = Operation {
        order: lot.order,
        recorded,
    };
    let value = serde_json::to_value(entry).unwrap_or(Value::Null);
    update.set(&path(operation), value)
}

/// One change, made only where the filter still matches.
#[derive(Debug, PartialEq)]
struct Change {
    only_if: Filter,
    update: Update,
    answer: Answer<()>,
}

/// What is to be done with a document as it was read: nothing but an answer, or a change.
fn decide(document: &Document, lot: &Lot, way: Move, asked: Asked) -> Result<Change, Answer<()>> {
    let read: StockDocument = document
        .read()
        .map_err(|error| Answer::Unknown(Reason::new(error.to_string())))?;
    let recorded = |operation: &Uuid| {
        let found = read.operations.get(operation);
        found.map(|operation| &operation.recorded)
    };
    let absent = |operation: Uuid| field(&path(operation)).exists(false);
    let is_forgotten = read.has_forgotten(lot.order);
    let guard = way.guard(lot, is_forgotten);
    let moved = || way.apply(Update::new(), lot, is_forgotten);
    let fits = guard.matches(&document.body);
    match asked {
        Asked::Action(operation) => match on_action(recorded(&operation)) {
            OnAction::Answer(answer) => Err(answer),
            OnAction::Perform if fits => Ok(Change {
                only_if: absent(operation).and(guard),
                update: record(moved(), operation, lot, Recorded::Done),
                answer: Answer::Done,
            }),
            // It comes long after its order has ended, and what was recorded of it is forgotten.
            OnAction::Perform if way == Move::Reserve && is_forgotten => {
                Err(Answer::Refused(CLOSED))
            }
            // Only pieces that are not there are a reason for good.
            OnAction::Perform if way == Move::Reserve => Ok(Change {
                only_if: absent(operation).and(field("available").less_than(pieces(lot))),
                update: record(
                    Update::new(),
                    operation,
                    lot,
                    Recorded::Refused {
                        reason: OUT_OF_STOCK,
                    },
                ),
                answer: Answer::Refused(OUT_OF_STOCK),
            }),
            OnAction::Perform => Err(Answer::NotNow(NOT_AS_EXPECTED)),
        },
        Asked::Compensation(operation, undoes) => {
            let done = |update: Update| record(update, operation, lot, Recorded::Done);
            let first = absent(operation);
            let change = |only_if: Filter, update: Update| Change {
                only_if,
                update: done(update),
                answer: Answer::Done,
            };
            match on_compensation(recorded(&operation), recorded(&undoes)) {
                OnCompensation::Repeated => Err(Answer::Done),
                OnCompensation::Undo if fits => Ok(change(first.and(guard), moved())),
                OnCompensation::Undo => Err(Answer::NotNow(NOT_AS_EXPECTED)),
                OnCompensation::Record => Ok(change(first, Update::new())),
                OnCompensation::CloseAndRecord => Ok(change(
                    first.and(absent(undoes)),
                    record(Update::new(), undoes, lot, Recorded::Closed),
                )),
            }
        }
    }
}

impl Stock {
    /// Moves pieces once. Durable when it answers: that they are moved, or that they never will be
    /// under this operation.
    pub(crate) async fn perform(&self, lot: &Lot, way: Move, asked: Asked) -> Answer<()> {
        match self.try_to(lot, way, asked).await {
            Ok(answer) => answer,
            Err(error) => Answer::Unknown(Reason::new(error.to_string())),
        }
    }

    async fn try_to(
        &self,
        lot: &Lot,
        way: Move,
        asked: Asked,
    ) -> Result<Answer<()>, documents::Error> {
        let id = lot.product.to_string();
        for _ in 0..ATTEMPTS {
            let Some(document) = self.0.get(STOCK, &id).await? else {
                // A late message has to find what was recorded, so there has to be a place for it.
                self.open(lot.product, 0).await?;
                continue;
            };
            let change = match decide(&document, lot, way, asked) {
                Ok(change) => change,
                Err(answer) => return Ok(answer),
            };
            let Change {
                only_if,
                update,
                answer,
            } = change;
            if self
                .0
                .update(STOCK, &id, &only_if, &update)
                .await?
                .is_some()
            {
                return Ok(answer);
            }
        }
        Ok(Answer::NotNow(CONTENDED))
    }
}

#[cfg(test)]
#[path = "operations_tests.rs"]
mod tests;
