//! The cash desk: what the steps do to the order's rows and to the documents of its pieces.
//!
//! A step that concerns both changes the documents first, each with a barrier of its own, then the
//! rows in one database transaction with theirs. Whatever is in between when it breaks off, the
//! same step asked for again goes on from there.

use saga::barrier::{Passed, Request, pass};
use saga::{Answer, Call, Reason};
use sqlx::{PgConnection, PgPool};
use types::views::{FailureWhen, StockState};
use types::{OrderId, TransactionId};

use super::failures::Points;
use crate::stock::Stock;
use crate::stock::operations::{Asked, Lot, Move};
use crate::store::operations::Barrier;
use crate::store::orders;

/// An order that is not in the state that its saga says.
const NOT_AS_EXPECTED: Reason = Reason::fixed("order_not_as_expected");

/// The two stores of the cash desk, and whoever takes its payments. Cheap to clone.
#[derive(Clone)]
pub struct Desk<P> {
    pub(super) pool: PgPool,
    pub(super) stock: Stock,
    pub(super) payments: P,
}

/// What becomes of an order's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RowChange {
    /// The states it may have before.
    pub(super) from: &'static [&'static str],
    /// The state it has then.
    pub(super) to: &'static str,
    /// Where its pieces are then; `None`: where they were.
    pub(super) stock: Option<StockState>,
}

/// One pass over all pieces of an order.
pub(super) enum Pieces {
    /// Each is where it is to be.
    Moved,
    /// One is not, and this is why; whether an earlier one is.
    Stopped(Answer<()>, bool),
}

impl<P> Desk<P> {
    /// A desk over an order database, documents, and a bank.
    #[must_use]
    pub fn new(pool: PgPool, documents: ::documents::Documents, payments: P) -> Self {
        Self {
            pool,
            stock: Stock::new(documents),
            payments,
        }
    }

    /// Moves the pieces of every product, in order, each once. Durable when it returns: those that
    /// were moved.
    pub(super) async fn move_pieces(
        &self,
        lots: Vec<Lot>,
        way: Move,
        asked: Asked,
        points: Option<&Points>,
    ) -> Pieces {
        let mut moved = false;
        for lot in lots {
            match self.stock.perform(&lot, way, asked).await {
                Answer::Done | Answer::DoneWith(()) => moved = true,
                stopped => return Pieces::Stopped(stopped, moved),
            }
            // Half-way: the first product is moved, the next and the rows are not.
            if let Some(points) = points
                && let Some(answer) = points.at(FailureWhen::During).await
            {
                return Pieces::Stopped(answer, true);
            }
        }
        Pieces::Moved
    }

    /// Changes the order's rows once. Durable when it answers `Done`.
    pub(super) async fn change_rows<S>(
        &self,
        call: &Call<S>,
        order: OrderId,
        change: RowChange,
        payment: Option<TransactionId>,
        half_way: Option<&Points>,
    ) -> Answer<()> {
        let attempt = async {
            let mut transaction = self.pool.begin().await?;
            let passed = apply(&mut transaction, call.into(), order, change, payment).await?;
            if let Some(points) = half_way
                && let Some(answer) = points.at(FailureWhen::During).await
            {
                return Ok::<_, sqlx::Error>(answer);
            }
            if passed.commit {
                transaction.commit().await?;
            }
            Ok(passed.answer)
        };
        match attempt.await {
            Ok(answer) => answer,
            Err(error) => Answer::Unknown(Reason::new(error.to_string())),
        }
    }
}

/// Passes the barrier and, where it lets the change through, makes it, all in the caller's database
/// transaction.
async fn apply(
    connection: &mut PgConnection,
    request: Request,
    order: OrderId,
    change: RowChange,
    payment: Option<TransactionId>,
) -> Result<Passed, sqlx::Error> {
    // The order's row before the barrier's, always: two that meet wait for each other in one order.
    let state = orders::lock(connection, order).await?;
    let fits = state.is_some_and(|state| change.from.contains(&state.as_str()));
    let mut is_due = false;
    let passed = pass(&mut Barrier(connection), request, || {
        is_due = fits;
        std::future::ready(if fits {
            Answer::Done
        } else {
            Answer::NotNow(NOT_AS_EXPECTED)
        })
    })
    .await?;
    if is_due {
        orders::change(connection, order, change.to, change.stock, payment).await?;
    }
    Ok(passed)
}
