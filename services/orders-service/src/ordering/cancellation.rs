//! The steps of a cancellation: an order that came about is undone.
//!
//! | step | does |
//! |---|---|
//! | `refund` | reverses the payment; refused where the money cannot go back |
//! | `return_stock` | the pieces can be ordered again, the order is cancelled |
//!
//! `refund` is the pivot: whoever has the money back does not keep the goods. Where nobody knows what
//! became of it, it is asked for until somebody does. A bank that surely does not take it back, such
//! as one whose sales account has nothing left, is asked a few times; then the order stays as it is.

use std::time::Duration;

use saga::{Answer, Call, Definition, DefinitionError, Options, Step};
use types::views::StockState;

use super::desk::{Desk, Pieces, RowChange};
use super::payments::Payments;
use super::state::{Cancelled, lots};
use crate::stock::operations::{Asked, Move};

/// The kind of a cancellation's saga.
pub const CANCELLATION: &str = "cancel_order";

/// The saga of a cancellation over this desk.
///
/// # Errors
/// None: two steps with different names.
pub fn cancellation<P: Payments>(
    desk: &Desk<P>,
    options: Options,
    payment_timeout: Duration,
) -> Result<Definition<Cancelled>, DefinitionError> {
    let payments = desk.payments.clone();
    let refund = Step::new("refund", move |call: Call<Cancelled>| {
        let payments = payments.clone();
        async move { payments.refund(call.state.payment).await.carry() }
    })
    // Asked for only when every attempt was answered with "not now": none is under way.
    .compensate(|_| async { Answer::Done })
    .attempt_timeout(payment_timeout)
    .pivot();
    let desk = desk.clone();
    let return_stock = Step::new("return_stock", move |call: Call<Cancelled>| {
        let desk = desk.clone();
        async move { put_back(&desk, call).await.carry() }
    });
    Definition::new(CANCELLATION, options, [refund, return_stock])
}

async fn put_back<P>(desk: &Desk<P>, call: Call<Cancelled>) -> Answer<()> {
    let order = call.state.order_id;
    let lots = lots(order, &call.state.pieces);
    let asked = Asked::Action(call.operation_id.uuid());
    match desk.move_pieces(lots, Move::TakeBack, asked, None).await {
        Pieces::Moved => {
            let cancelled = RowChange {
                from: &["confirmed"],
                to: "cancelled",
                stock: Some(StockState::Returned),
            };
            desk.change_rows(&call, order, cancelled, None, None).await
        }
        Pieces::Stopped(answer, _) => answer,
    }
}
