//! What the steps ask of the bank.

use std::future::Future;

use saga::Answer;
use types::{AccountId, Amount, CustomerId, TransactionId};
use uuid::Uuid;

/// A transfer that is to happen once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payment {
    /// The operation it happens under: its idempotency key.
    pub operation: Uuid,
    /// Whose account may be debited; `None`: anybody's.
    pub on_behalf_of: Option<CustomerId>,
    /// From where.
    pub source: AccountId,
    /// To where.
    pub destination: AccountId,
    /// How much.
    pub amount: Amount,
}

/// Whoever takes payments.
pub trait Payments: Clone + Send + Sync + 'static {
    /// Pays once under the payment's operation.
    fn pay(&self, payment: Payment) -> impl Future<Output = Answer<TransactionId>> + Send;

    /// Sees to it that nothing is paid under this operation, now and later: one that has not come
    /// is closed, one that is under way is waited for ([`Answer::NotNow`]), one that happened is
    /// reversed, once.
    fn undo(&self, operation: Uuid) -> impl Future<Output = Answer<()>> + Send;

    /// Takes back what was paid under this operation, once; refused where nothing was.
    fn refund(&self, operation: Uuid) -> impl Future<Output = Answer<()>> + Send;
}
