//! The vocabulary of the bank: ids, money, statuses, error codes and the views that cross HTTP.
//!
//! Nothing here performs I/O. Every type that can be wrong is checked when it is made, so code
//! that holds one never has to check again.

mod code;
mod currency;
mod decimal_text;
mod ids;
mod money;
mod text;
mod time;
pub mod views;

pub use code::{Code, CodeError, Retry};
pub use currency::{Currency, CurrencyError};
pub use decimal_text::DecimalText;
pub use ids::{
    AccountId, CustomerId, DatabaseId, EntryId, IdError, LegId, LoginId, OperationId, OrderId,
    ParticipantError, ParticipantId, ProductId, ReconciliationId, ResolutionId, SagaId, SessionId,
    TransactionId,
};
pub use money::{Amount, Balance, Change, MoneyError};
pub use text::{IdempotencyKey, Text, TextError};
pub use time::Timestamp;
