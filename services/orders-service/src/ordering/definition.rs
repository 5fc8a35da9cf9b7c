//! The steps of an order.
//!
//! | step | does | undone by |
//! |---|---|---|
//! | `create_order` | opens the order | cancelling it |
//! | `reserve_stock` | takes the pieces, product by product | giving them back |
//! | `pay` | a transfer to the sales account | closing the payment: it never happens, or is reversed |
//! | `confirm` | the pieces are sold, the order is confirmed | what was sold is reserved again |
//!
//! `confirm` is the pivot. It is the first step that the customer can see as done and the last that
//! is not needed to undo anything; so a payment whose outcome nobody knows is not asked for until
//! the bank is back, but closed and given up, and the customer may try again. Behind the pivot there
//! is nothing, so an order is never stuck with the money taken and the goods in doubt; until it is
//! known whether it was confirmed, it is asked for again.

use std::time::Duration;

use saga::{Answer, Call, Definition, DefinitionError, Options, Step};
use types::views::{FailureWhen, OrderStep, StockState};

use super::desk::{Desk, Pieces, RowChange};
use super::failures::{INJECTED, Points};
use super::payments::{Payment, Payments};
use super::state::{Ordered, lots};
use crate::stock::operations::{Asked, Lot, Move};

/// The kind of an order's saga.
pub const ORDER: &str = "order";

impl Ordered {
    fn lots(&self) -> Vec<Lot> {
        lots(self.order_id, &self.pieces)
    }
}

/// The saga of an order over this desk.
///
/// # Errors
/// None: four steps with different names.
pub fn order<P: Payments>(
    desk: &Desk<P>,
    options: Options,
    payment_timeout: Duration,
) -> Result<Definition<Ordered>, DefinitionError> {
    let steps = [
        step(desk, OrderStep::CreateOrder, create).compensate(with(desk, cancel)),
        step(desk, OrderStep::ReserveStock, reserve).compensate(with(desk, give_back)),
        step(desk, OrderStep::Pay, pay)
            .compensate(with(desk, refund))
            .attempt_timeout(payment_timeout)
            // It takes long, and is closed rather than insisted on.
            .retries(1),
        step(desk, OrderStep::Confirm, confirm)
            .compensate(with(desk, reopen))
            .pivot(),
    ];
    Definition::new(ORDER, options, steps)
}

type Answering = std::pin::Pin<Box<dyn Future<Output = Answer<Ordered>> + Send>>;

/// A compensation: the desk and what is to be undone.
fn with<P, F, Fut>(
    desk: &Desk<P>,
    effect: F,
) -> impl Fn(Call<Ordered>) -> Answering + Send + Sync + 'static
where
    P: Payments,
    F: Fn(Desk<P>, Call<Ordered>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Answer<()>> + Send + 'static,
{
    let desk = desk.clone();
    move |call| {
        let answering = effect(desk.clone(), call);
        Box::pin(async { answering.await.carry() })
    }
}

/// An action, with the points at which it may be made to fail.
fn step<P, F, Fut>(desk: &Desk<P>, step: OrderStep, effect: F) -> Step<Ordered>
where
    P: Payments,
    F: Fn(Desk<P>, Call<Ordered>, Points) -> Fut + Copy + Send + Sync + 'static,
    Fut: Future<Output = Answer<Ordered>> + Send + 'static,
{
    let desk = desk.clone();
    Step::new(step.as_str(), move |call: Call<Ordered>| {
        let desk = desk.clone();
        async move {
            let order = &call.state;
            let points = Points::of(
                &desk.pool,
                order.order_id,
                order.failure,
                step,
                call.attempt,
            );
            if let Some(answer) = points.at(FailureWhen::Before).await {
                return answer;
            }
            let answer = effect(desk, call, points.clone()).await;
            if matches!(answer, Answer::Done | Answer::DoneWith(_))
                && let Some(answer) = points.at(FailureWhen::After).await
            {
                return answer;
            }
            answer
        }
    })
}

const OPENED: RowChange = RowChange {
    from: &["placed"],
    to: "open",
    stock: None,
};

async fn create<P>(desk: Desk<P>, call: Call<Ordered>, points: Points) -> Answer<Ordered> {
    let order = call.state.order_id;
    let opened = desk.change_rows(&call, order, OPENED, None, Some(&points));
    opened.await.carry()
}

async fn cancel<P>(desk: Desk<P>, call: Call<Ordered>) -> Answer<()> {
    let cancelled = RowChange {
        from: &["open"],
        to: "cancelled",
        stock: None,
    };
    let order = call.state.order_id;
    desk.change_rows(&call, order, cancelled, None, None).await
}

const fn rows(stock: StockState) -> RowChange {
    RowChange {
        from: &["open"],
        to: "open",
        stock: Some(stock),
    }
}

async fn reserve<P>(desk: Desk<P>, call: Call<Ordered>, points: Points) -> Answer<Ordered> {
    let order = &call.state;
    let asked = Asked::Action(call.operation_id.uuid());
    match desk
        .move_pieces(order.lots(), Move::Reserve, asked, Some(&points))
        .await
    {
        Pieces::Moved => {
            let reserved = rows(StockState::Reserved);
            let changed = desk.change_rows(&call, order.order_id, reserved, None, None);
            changed.await.carry()
        }
        // Earlier products are taken: the step itself has to be undone.
        Pieces::Stopped(Answer::Refused(reason), true) => Answer::RefusedInPart(reason),
        Pieces::Stopped(Answer::NotNow(reason), true) => Answer::Unknown(reason),
        Pieces::Stopped(answer, _) => answer.carry(),
    }
}

async fn give_back<P>(desk: Desk<P>, call: Call<Ordered>) -> Answer<()> {
    let order = &call.state;
    let undoes = call.undoes.unwrap_or(call.operation_id);
    let asked = Asked::Compensation(call.operation_id.uuid(), undoes.uuid());
    match desk
        .move_pieces(order.lots(), Move::GiveBack, asked, None)
        .await
    {
        Pieces::Moved => {
            let returned = rows(StockState::Returned);
            desk.change_rows(&call, order.order_id, returned, None, None)
                .await
        }
        Pieces::Stopped(answer, _) => answer,
    }
}

async fn pay<P: Payments>(desk: Desk<P>, call: Call<Ordered>, points: Points) -> Answer<Ordered> {
    let order = &call.state;
    let payment = Payment {
        operation: call.operation_id.uuid(),
        on_behalf_of: order.customer_id,
        source: order.account_id,
        destination: order.sales_account_id,
        amount: order.total,
    };
    let payments = desk.payments.clone();
    let answer = if points.fails(FailureWhen::During) {
        // Sent, and nobody waits for what comes of it.
        let sent = service_kit::context::spawn(async move { payments.pay(payment).await });
        match points.at(FailureWhen::During).await {
            Some(answer) => answer,
            None => match sent.await {
                Ok(answer) => answer,
                Err(_) => Answer::Unknown(INJECTED),
            },
        }
    } else {
        payments.pay(payment).await
    };
    match answer {
        Answer::DoneWith(transaction) => Answer::DoneWith(Ordered {
            payment: Some(transaction),
            ..Ordered::clone(order)
        }),
        Answer::Done => Answer::Done,
        Answer::Refused(reason) => Answer::Refused(reason),
        Answer::RefusedInPart(reason) => Answer::RefusedInPart(reason),
        Answer::NotNow(reason) => Answer::NotNow(reason),
        Answer::Unknown(reason) => Answer::Unknown(reason),
    }
}

async fn refund<P: Payments>(desk: Desk<P>, call: Call<Ordered>) -> Answer<()> {
    let payment = call.undoes.unwrap_or(call.operation_id);
    desk.payments.undo(payment.uuid()).await
}

async fn confirm<P>(desk: Desk<P>, call: Call<Ordered>, points: Points) -> Answer<Ordered> {
    let order = &call.state;
    let asked = Asked::Action(call.operation_id.uuid());
    match desk
        .move_pieces(order.lots(), Move::Sell, asked, Some(&points))
        .await
    {
        Pieces::Moved => {
            let confirmed = RowChange {
                from: &["open"],
                to: "confirmed",
                stock: Some(StockState::Sold),
            };
            let changed = desk.change_rows(&call, order.order_id, confirmed, order.payment, None);
            unknown(changed.await)
        }
        Pieces::Stopped(answer, true) => unknown(answer),
        Pieces::Stopped(answer, false) => answer.carry(),
    }
}

async fn reopen<P>(desk: Desk<P>, call: Call<Ordered>) -> Answer<()> {
    let order = &call.state;
    let undoes = call.undoes.unwrap_or(call.operation_id);
    let asked = Asked::Compensation(call.operation_id.uuid(), undoes.uuid());
    match desk
        .move_pieces(order.lots(), Move::Unsell, asked, None)
        .await
    {
        Pieces::Moved => {
            let reopened = RowChange {
                from: &["confirmed"],
                to: "open",
                stock: Some(StockState::Reserved),
            };
            desk.change_rows(&call, order.order_id, reopened, None, None)
                .await
        }
        Pieces::Stopped(answer, _) => answer,
    }
}

/// Part of the step has happened: only `Done` says that all of it has, and nothing says that none
/// of it ever will.
fn unknown(answer: Answer<()>) -> Answer<Ordered> {
    match answer {
        Answer::Done | Answer::DoneWith(()) => Answer::Done,
        Answer::Refused(reason)
        | Answer::RefusedInPart(reason)
        | Answer::NotNow(reason)
        | Answer::Unknown(reason) => Answer::Unknown(reason),
    }
}
