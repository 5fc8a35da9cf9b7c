//! Payments through transactions-service.

use saga::{Answer, Reason};
use service_kit::client::{CallError, ServiceClient};
use types::views::{CloseOutcome, CloseReply, CloseRequest, InternalTransferRequest, TransferView};
use types::{Code, IdempotencyKey, TransactionId};
use uuid::Uuid;

use crate::ordering::payments::{Payment, Payments};

/// Nobody reads our operation ids but the coordinator, so one of them is always a key.
const NO_KEY: Reason = Reason::fixed("operation_is_no_key");
/// An order was confirmed, and its payment is gone.
const NEVER_PAID: Reason = Reason::fixed("never_paid");

/// The coordinators, any of which can take a payment. Cheap to clone.
#[derive(Clone)]
pub struct Coordinators(std::sync::Arc<[ServiceClient]>);

impl Coordinators {
    pub(crate) fn new(clients: impl IntoIterator<Item = ServiceClient>) -> Self {
        Self(clients.into_iter().collect())
    }

    /// Asks one coordinator after the other until one says something.
    async fn ask<B, T>(&self, path: &str, body: &B) -> Result<T, CallError>
    where
        B: serde::Serialize + Sync,
        T: serde::de::DeserializeOwned,
    {
        let mut last = CallError::Unknown("there is no coordinator".to_owned());
        for client in self.0.iter() {
            match client.post(path, body).await {
                Err(unknown @ CallError::Unknown(_)) => last = unknown,
                said => return said,
            }
        }
        Err(last)
    }
}

fn key(operation: Uuid) -> Option<IdempotencyKey> {
    operation.to_string().parse().ok()
}

/// What a call that gave nothing says of its effect.
fn answer_of<S>(error: CallError) -> Answer<S> {
    match error {
        // Under way, or we are not believed for the moment: nothing is settled.
        CallError::Refused {
            code: Code::RequestInProgress,
            ..
        } => Answer::Unknown(Reason::fixed(Code::RequestInProgress.as_str())),
        CallError::Refused {
            status: 401 | 403,
            code,
            ..
        } => Answer::NotNow(Reason::fixed(code.as_str())),
        CallError::Refused { code, .. } => Answer::Refused(Reason::fixed(code.as_str())),
        CallError::Unknown(why) => {
            tracing::warn!(event = "PAYMENT_UNKNOWN", error = %why);
            Answer::Unknown(Reason::fixed(Code::OutcomeUnknown.as_str()))
        }
    }
}

impl Payments for Coordinators {
    async fn pay(&self, payment: Payment) -> Answer<TransactionId> {
        let Some(idempotency_key) = key(payment.operation) else {
            return Answer::NotNow(NO_KEY);
        };
        let request = InternalTransferRequest {
            idempotency_key,
            on_behalf_of: payment.on_behalf_of,
            source_account_id: payment.source,
            destination_account_id: payment.destination,
            amount: payment.amount,
            description: "Cash desk".parse().ok(),
        };
        match self
            .ask::<_, TransferView>("/internal/transfers", &request)
            .await
        {
            Ok(transfer) => Answer::DoneWith(transfer.transaction_id),
            Err(error) => answer_of(error),
        }
    }

    async fn undo(&self, operation: Uuid) -> Answer<()> {
        match self.close(operation).await {
            Ok(_) => Answer::Done,
            Err(answer) => answer,
        }
    }

    async fn refund(&self, operation: Uuid) -> Answer<()> {
        match self.close(operation).await {
            Ok(CloseOutcome::Reversed) => Answer::Done,
            Ok(CloseOutcome::Closed | CloseOutcome::Aborted) => Answer::Refused(NEVER_PAID),
            Err(answer) => answer,
        }
    }
}

impl Coordinators {
    async fn close(&self, operation: Uuid) -> Result<CloseOutcome, Answer<()>> {
        let idempotency_key = key(operation).ok_or(Answer::NotNow(NO_KEY))?;
        let request = CloseRequest {
            idempotency_key,
            description: "Refund of the cash desk".parse().ok(),
        };
        let closed = self.ask::<_, CloseReply>("/internal/transfers/close", &request);
        match closed.await {
            Ok(reply) => Ok(reply.outcome),
            // A reversal that was refused is tried anew when it is asked for again.
            Err(error) => Err(match answer_of(error) {
                Answer::Refused(reason) => Answer::NotNow(reason),
                answer => answer,
            }),
        }
    }
}
