//! Identifiers. Each is a type of its own, so an account can never stand where a customer is meant.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// The text is not an identifier: only the hyphenated form of a UUID that is not nil is one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid identifier: expected a hyphenated, non-nil UUID")]
pub struct IdError;

/// Reads the one spelling of a UUID the API accepts.
///
/// Braced, URN and unhyphenated spellings are refused so that one id has one text.
fn parse(text: &str) -> Result<Uuid, IdError> {
    if text.len() != 36 {
        return Err(IdError);
    }
    match Uuid::try_parse(text) {
        Ok(id) if !id.is_nil() => Ok(id),
        _ => Err(IdError),
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, utoipa::ToSchema)]
        #[schema(value_type = String, format = Uuid)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID that was read from a trusted place, such as our own database.
            #[must_use]
            pub const fn from_uuid(id: Uuid) -> Self {
                Self(id)
            }

            /// The UUID itself.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }

            /// A new id. UUIDv7 (RFC 9562): later ids sort after earlier ones.
            #[must_use]
            #[allow(clippy::new_without_default)]
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                parse(text).map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Uuid {
                id.0
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.0.serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
                parse(&text).map(Self).map_err(serde::de::Error::custom)
            }
        }
    };
}

id!(
    /// A customer of the bank.
    CustomerId
);
id!(
    /// An account at one of the banks.
    AccountId
);
id!(
    /// A global transaction: what a client asked for and what commits or aborts as a whole.
    TransactionId
);
id!(
    /// One leg of a transaction at one account; what an exclusive lock names.
    LegId
);
id!(
    /// One line of a statement.
    EntryId
);
id!(
    /// One login of a person.
    LoginId
);
id!(
    /// Something the cash desk sells.
    ProductId
);
id!(
    /// An order at the cash desk. Its saga has the same id.
    OrderId
);
id!(
    /// One operator's proposal to force the outcome of a branch.
    ResolutionId
);
id!(
    /// One operator's proposal to accept that a database has lost its last commits.
    ReconciliationId
);
id!(
    /// One step of one saga, forward or back. Whoever performs it does so once under its id.
    OperationId
);
id!(
    /// One run of a saga. A transfer's has the transfer's id.
    SagaId
);
id!(
    /// A coordinator's database, for as long as it is not made anew.
    DatabaseId
);
id!(
    /// What a coordinator's database and a participant's agreed upon when they were last compared.
    SessionId
);

/// Fixed namespace of the ids that are derived from others.
const DERIVED: Uuid = Uuid::from_u128(0x6f1c_5b0e_7a63_5d0b_9a34_2f7d_3c1e_8b52);

impl LegId {
    /// The leg of `transaction` at `account`, the same on every call.
    ///
    /// Derived from both because one transaction may lock two accounts of one database and the
    /// lock column is unique.
    #[must_use]
    pub fn derive(transaction: TransactionId, account: AccountId) -> Self {
        let mut name = [0_u8; 32];
        name[..16].copy_from_slice(transaction.0.as_bytes());
        name[16..].copy_from_slice(account.0.as_bytes());
        Self(Uuid::new_v5(&DERIVED, &name))
    }
}

impl EntryId {
    /// The entry that made `account` reach `version`; entries have no other identity.
    #[must_use]
    pub fn derive(account: AccountId, version: i64) -> Self {
        let mut name = [0_u8; 24];
        name[..16].copy_from_slice(account.0.as_bytes());
        name[16..].copy_from_slice(&version.to_be_bytes());
        Self(Uuid::new_v5(&DERIVED, &name))
    }
}

impl AccountId {
    /// A system account of a bank, named by what it is for (`vault:USD`, `clearing:bank-2:USD`).
    #[must_use]
    pub fn system(participant: &ParticipantId, purpose: &str) -> Self {
        Self(Uuid::new_v5(
            &DERIVED,
            format!("{participant}/{purpose}").as_bytes(),
        ))
    }
}

/// The name is not one a participant may have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a participant's name is 1 to 40 characters of a-z, 0-9 and '-'")]
pub struct ParticipantError;

/// One bank: an accounts-service and its database. Ordered by name; that order is the global one.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, example = "bank-1")]
pub struct ParticipantId(String);

impl ParticipantId {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ParticipantId {
    type Error = ParticipantError;

    fn try_from(name: String) -> Result<Self, ParticipantError> {
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > 40 || !name.chars().all(legal) {
            return Err(ParticipantError);
        }
        Ok(Self(name))
    }
}

impl FromStr for ParticipantId {
    type Err = ParticipantError;

    fn from_str(name: &str) -> Result<Self, ParticipantError> {
        Self::try_from(name.to_owned())
    }
}

impl From<ParticipantId> for String {
    fn from(id: ParticipantId) -> String {
        id.0
    }
}

impl fmt::Display for ParticipantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_hyphenated_spelling_of_a_uuid_is_an_id() {
        for bad in [
            "",
            "00000000-0000-0000-0000-000000000000",
            "{660e8400-e29b-41d4-a716-446655440001}",
            "660e8400e29b41d4a716446655440001",
            "urn:uuid:660e8400-e29b-41d4-a716-446655440001",
            "660e8400-e29b-41d4-a716-44665544000g",
        ] {
            assert_eq!(AccountId::from_str(bad), Err(IdError), "{bad}");
        }
        assert!(AccountId::from_str("660e8400-e29b-41d4-a716-446655440001").is_ok());
    }

    #[test]
    fn a_leg_id_tells_two_accounts_of_one_transaction_apart() {
        let transaction = TransactionId::generate();
        let (one, two) = (AccountId::generate(), AccountId::generate());
        assert_eq!(
            LegId::derive(transaction, one),
            LegId::derive(transaction, one)
        );
        assert_ne!(
            LegId::derive(transaction, one),
            LegId::derive(transaction, two)
        );
    }

    #[test]
    fn a_participant_has_a_plain_name() {
        assert!(ParticipantId::from_str("bank-1").is_ok());
        for bad in ["", "Bank", "bank_1", "bank 1"] {
            assert!(ParticipantId::from_str(bad).is_err(), "{bad}");
        }
    }
}
