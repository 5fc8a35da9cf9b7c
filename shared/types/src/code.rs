//! The stable codes of everything the bank can refuse or fail at.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a client may do with a request that was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    /// Send it again under the same idempotency key.
    SameKey,
    /// It failed for good under this key; the same wish needs a new one.
    NewKey,
    /// It cannot succeed as it is.
    Never,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:tt, $status:literal, $title:literal;)+) => {
        /// A stable, machine-readable reason. Clients branch on these; the words beside them may change.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        pub enum Code {
            $($(#[$doc])* #[serde(rename = $text)] $name,)+
        }

        impl Code {
            /// Every code there is.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The code as clients see it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// The HTTP status it is answered with, unless a route says otherwise.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)+ }
            }

            /// A short sentence for people, the same for every occurrence.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }
        }
    };
}

codes! {
    /// The available balance is smaller than the amount.
    InsufficientFunds = "insufficient_funds", 422, "Insufficient funds";
    /// No such account, or not one the caller may know of. 404 for a debited account.
    AccountNotFound = "account_not_found", 422, "Account not found";
    /// The account is frozen.
    AccountFrozen = "account_frozen", 422, "Account frozen";
    /// The account is closed.
    AccountClosed = "account_closed", 422, "Account closed";
    /// The accounts are kept in different currencies.
    CurrencyMismatch = "currency_mismatch", 422, "Currency mismatch";
    /// The credit would bring the account to 10^15 or more.
    BalanceLimit = "balance_limit", 422, "Balance limit reached";
    /// There are fewer pieces of a product than were ordered.
    OutOfStock = "out_of_stock", 422, "Out of stock";
    /// A product does not exist.
    ProductNotFound = "product_not_found", 422, "Product not found";
    /// A step of an order failed because the request asked for that failure.
    InjectedFailure = "injected_failure", 422, "Injected failure";
    /// A step of an order was not answered in time; what had happened of it is undone.
    StepFailed = "step_failed", 422, "Step failed";
    /// The order, or its cancellation, is still being carried out.
    OrderInProgress = "order_in_progress", 409, "Order in progress";
    /// The order did not come about, so there is nothing to cancel.
    OrderNotCancellable = "order_not_cancellable", 409, "Order not cancellable";
    /// Another transfer holds the account's exclusive lock.
    AccountLocked = "account_locked", 409, "Account locked";
    /// A bank that holds one of the accounts could not be reached.
    ParticipantUnavailable = "participant_unavailable", 503, "Bank unavailable";
    /// The coordinator was interrupted and recovery aborted the transfer.
    AbortedByRecovery = "aborted_by_recovery", 503, "Aborted by recovery";
    /// Something about one bank's data contradicts the transfer; an operator has been told.
    Hazard = "hazard", 500, "Inconsistent data";
    /// Source and destination are the same account.
    SameAccount = "same_account", 422, "Same account on both sides";
    /// An account stands twice in one transfer.
    DuplicateAccount = "duplicate_account", 422, "Account named twice";
    /// The legs do not sum to zero, or there are fewer than two.
    UnbalancedLegs = "unbalanced_legs", 422, "Legs do not balance";
    /// Not an amount: zero, negative, too large or more than four places.
    InvalidAmount = "invalid_amount", 422, "Invalid amount";
    /// Another transfer of the same linked batch was refused.
    LinkedRefused = "linked_refused", 422, "Another transfer of the batch was refused";
    /// The protocol asked for is not offered.
    ProtocolUnavailable = "protocol_unavailable", 422, "Protocol not available";
    /// Nobody knows yet whether it happened: ask again with the same key.
    OutcomeUnknown = "outcome_unknown", 503, "Outcome unknown";
    /// Too much is waiting; nothing was begun.
    Overloaded = "overloaded", 503, "Overloaded";
    /// The key was used for a different request.
    IdempotencyKeyReused = "idempotency_key_reused", 422, "Idempotency key reused";
    /// The request with this key is still running.
    RequestInProgress = "request_in_progress", 409, "Request in progress";
    /// It was closed before anything was begun under it: nothing is, now or later.
    OperationClosed = "operation_closed", 409, "Operation closed";
    /// The idempotency key is not 1 to 200 visible ASCII characters.
    InvalidIdempotencyKey = "invalid_idempotency_key", 400, "Invalid idempotency key";
    /// No valid token.
    Unauthenticated = "unauthenticated", 401, "Not logged in";
    /// Wrong user name or password.
    InvalidCredentials = "invalid_credentials", 401, "Wrong user name or password";
    /// No key to check tokens with.
    KeysUnavailable = "keys_unavailable", 503, "Token keys unavailable";
    /// The caller may not do this.
    Forbidden = "forbidden", 403, "Forbidden";
    /// No such thing, or not one the caller may know of.
    NotFound = "not_found", 404, "Not found";
    /// The route exists, but not with this method.
    MethodNotAllowed = "method_not_allowed", 405, "Method not allowed";
    /// The request did not arrive in time.
    RequestTimeout = "request_timeout", 408, "Request timed out";
    /// The state of the thing does not allow it.
    Conflict = "conflict", 409, "Conflict";
    /// Somebody else has this user name.
    UsernameTaken = "username_taken", 409, "User name taken";
    /// The account still has money or holds.
    AccountNotEmpty = "account_not_empty", 409, "Account not empty";
    /// The limit cannot be set: what is held would no longer be covered.
    LimitTooLow = "limit_too_low", 409, "Limit too low";
    /// The evidence changed since the resolution was proposed.
    EvidenceChanged = "evidence_changed", 409, "Evidence changed";
    /// The thing changed since it was read (`If-Match`).
    PreconditionFailed = "precondition_failed", 412, "Changed meanwhile";
    /// The body is larger than allowed.
    PayloadTooLarge = "payload_too_large", 413, "Body too large";
    /// The body is not sent as `application/json`.
    UnsupportedMediaType = "unsupported_media_type", 415, "Not JSON";
    /// The body is not JSON.
    MalformedJson = "malformed_json", 400, "Malformed JSON";
    /// The body is JSON, but not what the route expects.
    InvalidBody = "invalid_body", 422, "Invalid body";
    /// An id is not a hyphenated, non-nil UUID.
    InvalidId = "invalid_id", 400, "Invalid identifier";
    /// A query parameter makes no sense.
    InvalidParameter = "invalid_parameter", 422, "Invalid parameter";
    /// A request header makes no sense.
    InvalidHeader = "invalid_header", 400, "Invalid header";
    /// The caller sent too many requests.
    RateLimited = "rate_limited", 429, "Too many requests";
    /// A message of the protocol contradicts the state it met.
    ProtocolViolation = "protocol_violation", 409, "Protocol violation";
    /// The two databases have not been compared since one of them was started; nothing was done.
    ComparisonNeeded = "comparison_needed", 409, "Comparison needed";
    /// A bank's database or the coordinator's has lost its last commits; operators have been told.
    NotInStep = "not_in_step", 503, "Databases not in step";
    /// The message names another participant than the one it reached.
    WrongParticipant = "wrong_participant", 421, "Wrong participant";
    /// Something the service needs is missing.
    Unavailable = "unavailable", 503, "Temporarily unavailable";
    /// A fault of ours.
    InternalError = "internal_error", 500, "Internal error";
}

impl Code {
    /// What a client may do about a transfer that was refused for this reason.
    #[must_use]
    pub const fn retry(self) -> Retry {
        match self {
            Self::AccountLocked
            | Self::ParticipantUnavailable
            | Self::AbortedByRecovery
            | Self::InsufficientFunds
            | Self::AccountFrozen
            | Self::BalanceLimit
            | Self::OutOfStock
            | Self::InjectedFailure
            | Self::StepFailed
            | Self::LinkedRefused
            | Self::IdempotencyKeyReused
            | Self::Hazard => Retry::NewKey,
            Self::OutcomeUnknown
            | Self::NotInStep
            | Self::Overloaded
            | Self::OrderInProgress
            | Self::RequestInProgress
            | Self::KeysUnavailable
            | Self::RateLimited
            | Self::RequestTimeout
            | Self::Unavailable
            | Self::InternalError => Retry::SameKey,
            _ => Retry::Never,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown code")]
pub struct CodeError;

impl FromStr for Code {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        Self::ALL
            .iter()
            .copied()
            .find(|code| code.as_str() == text)
            .ok_or(CodeError)
    }
}

#[cfg(test)]
mod tests {
    use utoipa::PartialSchema;

    use super::*;

    #[test]
    fn the_documents_list_the_codes_as_they_are_sent() {
        let schema = serde_json::to_value(Code::schema()).expect("JSON");
        let sent = serde_json::to_value(Code::ALL).expect("JSON");
        assert_eq!(schema["enum"], sent);
    }
}
