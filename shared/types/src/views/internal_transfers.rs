//! Transfers that services ask for: `POST /internal/transfers` and `/internal/transfers/close`.

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::{AccountId, Amount, CustomerId, IdempotencyKey, Text, TransactionId};

/// `POST /internal/transfers`: one transfer, once per key.
///
/// 201 and 202 are as for `POST /transfers`. A 4xx problem is definitive: nothing moved, and under
/// this key nothing will, with one exception: 409 `request_in_progress` says that it is under way.
/// Everything else is unknown: ask again, or close the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InternalTransferRequest {
    /// The key, within those of the calling service.
    #[schema(value_type = String)]
    pub idempotency_key: IdempotencyKey,
    /// The customer whose accounts may be debited; `null` where the bank acts for itself and any
    /// customer's may be. It has to be given, so that nobody acts for the bank by leaving it out.
    #[serde(deserialize_with = "given")]
    #[schema(required = true)]
    pub on_behalf_of: Option<CustomerId>,
    /// Where the money comes from.
    pub source_account_id: AccountId,
    /// Where it goes.
    pub destination_account_id: AccountId,
    /// How much.
    pub amount: Amount,
    /// Shown on the statements.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub description: Option<Text<200>>,
}

/// A field that may be null and may not be left out.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<CustomerId>, D::Error> {
    Option::deserialize(deserializer)
}

/// `POST /internal/transfers/close`: makes sure that nothing is paid under a key, now and later.
///
/// 409 `request_in_progress`: its transfer is under way, ask again. Any other refusal is one of the
/// reversal, which is tried anew when this is sent again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseRequest {
    /// The key, within those of the calling service.
    #[schema(value_type = String)]
    pub idempotency_key: IdempotencyKey,
    /// Shown on the statements where a transfer is reversed.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub description: Option<Text<200>>,
}

/// How a key stands once it is closed. It stays so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CloseOutcome {
    /// Nothing was begun under it, and nothing will be.
    Closed,
    /// Its transfer was begun and aborted.
    Aborted,
    /// Its transfer was committed, and another has taken it back.
    Reversed,
}

/// The reply to `POST /internal/transfers/close`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CloseReply {
    /// How the key stands.
    pub outcome: CloseOutcome,
    /// The transfer that was begun under it.
    pub transaction_id: Option<TransactionId>,
    /// The transfer that has taken it back.
    pub reversal_id: Option<TransactionId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &str = r#"{"idempotency_key": "k", "amount": "1",
        "source_account_id": "660e8400-e29b-41d4-a716-446655440001",
        "destination_account_id": "660e8400-e29b-41d4-a716-446655440002""#;

    #[test]
    fn on_whose_behalf_has_to_be_said() {
        let read = |rest: &str| {
            serde_json::from_str::<InternalTransferRequest>(&format!("{REQUEST}{rest}}}"))
        };
        assert!(read("").is_err());
        assert_eq!(
            read(r#", "on_behalf_of": null"#)
                .map(|it| it.on_behalf_of)
                .ok(),
            Some(None)
        );
    }
}
