//! `POST /orders/{id}/cancel`: an order that came about is undone by a saga of its own.

use saga::{Direction, OperationId, SagaId};
use service_kit::database::{retry_transient, spawned};
use service_kit::{Problem, failpoints};
use types::views::OrderStep;
use types::{Code, OrderId};

use crate::app::App;
use crate::driving::drive;
use crate::error::Error;
use crate::ordering::state::{Cancelled, Ordered};
use crate::store::cancelling::{self, Standing};

/// What is to be done about a wish to cancel.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// Begin a saga that undoes it.
    Begin,
    /// It is undone already.
    Done,
    /// Not now, or not at all.
    Refused(Code, &'static str),
}

fn verdict(standing: &Standing) -> Verdict {
    let cancellation = standing
        .cancellation
        .as_ref()
        .map(|(_, status)| status.as_str());
    match (standing.saga.as_str(), cancellation) {
        ("COMMITTED", None | Some("COMPENSATED")) => Verdict::Begin,
        ("COMMITTED", Some("COMMITTED")) => Verdict::Done,
        ("COMMITTED", Some(_)) => Verdict::Refused(
            Code::OrderInProgress,
            "Its cancellation is still being carried out.",
        ),
        ("COMPENSATED", _) => Verdict::Refused(
            Code::OrderNotCancellable,
            "The order did not come about; there is nothing to cancel.",
        ),
        _ => Verdict::Refused(
            Code::OrderInProgress,
            "The order is still being carried out.",
        ),
    }
}

/// What came of it.
pub(crate) enum Outcome {
    /// The order is cancelled, or its cancellation runs: read it.
    Asked,
    /// The money cannot go back; the order stays as it is.
    Refused(Code),
}

/// Cancels an order, and waits for the end for a while.
///
/// Durable when it returns: that the cancellation was begun, or how it ended.
pub(crate) async fn cancel(app: &App, order: OrderId) -> Result<Outcome, Problem> {
    let saga_id = SagaId::generate();
    let entered = app.cancellations.enter(saga_id);
    let work = {
        let app = app.clone();
        spawned::<_, Error>(async move { retry_transient(|| begin(&app, order, saga_id)).await })
    };
    let Some((saga, epoch)) = work.await? else {
        return Ok(Outcome::Asked);
    };
    failpoints::hit("after_begin").await?;
    tracing::info!(event = "ORDER_CANCELLATION_BEGUN", order_id = %order, %saga_id);
    let owned = app.cancellations.begun(entered, saga, epoch);
    let driven = drive(&app.cancellations, &app.pool, owned);
    match tokio::time::timeout(app.patience, driven).await {
        Ok(Ok(Some(finished))) if finished.status == saga::Status::Compensated => {
            let reason = finished.reason.as_ref().map(saga::Reason::as_str);
            let code = reason.and_then(|reason| reason.parse().ok());
            Ok(Outcome::Refused(code.unwrap_or(Code::StepFailed)))
        }
        _ => Ok(Outcome::Asked),
    }
}

type Begun = Option<(saga::store::NewSaga, i32)>;

async fn begin(app: &App, order: OrderId, saga_id: SagaId) -> Result<Begun, Error> {
    let mut transaction = app.pool.begin().await?;
    let standing = cancelling::lock(&mut transaction, order).await?;
    let standing = standing.ok_or(Error::NotFound)?;
    match verdict(&standing) {
        Verdict::Begin => {}
        Verdict::Done => return Ok(None),
        Verdict::Refused(code, why) => return Err(Error::Refused(code, why)),
    }
    let corrupt = |error: serde_json::Error| Error::Corrupt(format!("order {order}: {error}"));
    let bought: Ordered = serde_json::from_str(&standing.saga_state).map_err(corrupt)?;
    let paid = SagaId::from_uuid(order.uuid());
    let payment = OperationId::new(paid, OrderStep::Pay.as_str(), Direction::Action);
    let state = Cancelled {
        order_id: order,
        payment: payment.uuid(),
        pieces: bought.pieces,
    };
    let saga = app.cancellations.definition().begin(saga_id, &state);
    let saga = saga.map_err(corrupt)?;
    cancelling::name(&mut transaction, order, saga_id.uuid()).await?;
    let executor = app.cancellations.store().lease().executor();
    let sagas = std::slice::from_ref(&saga);
    let begun = saga_postgres::begin_in(&mut transaction, executor, sagas).await?;
    transaction.commit().await?;
    let epoch = begun.into_iter().next().flatten();
    Ok(epoch.map(|epoch| (saga, epoch)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_order_that_came_about_is_undone_and_only_once() {
        let of = |saga: &str, cancellation: Option<&str>| {
            verdict(&Standing {
                saga: saga.to_owned(),
                saga_state: String::new(),
                cancellation: cancellation.map(|status| (uuid::Uuid::nil(), status.to_owned())),
            })
        };
        let code = |verdict| match verdict {
            Verdict::Refused(code, _) => Some(code),
            Verdict::Begin | Verdict::Done => None,
        };
        assert_eq!(of("COMMITTED", None), Verdict::Begin);
        // One whose money could not go back may be tried again.
        assert_eq!(of("COMMITTED", Some("COMPENSATED")), Verdict::Begin);
        assert_eq!(of("COMMITTED", Some("COMMITTED")), Verdict::Done);
        for cancellation in ["STARTED", "COMPENSATING", "STUCK"] {
            let refused = code(of("COMMITTED", Some(cancellation)));
            assert_eq!(refused, Some(Code::OrderInProgress), "{cancellation}");
        }
        for saga in ["STARTED", "COMPENSATING", "STUCK"] {
            assert_eq!(code(of(saga, None)), Some(Code::OrderInProgress), "{saga}");
        }
        assert_eq!(
            code(of("COMPENSATED", None)),
            Some(Code::OrderNotCancellable)
        );
    }
}
