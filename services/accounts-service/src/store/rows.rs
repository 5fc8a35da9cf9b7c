//! From columns to types that cannot be wrong.

use std::fmt::Display;
use std::str::FromStr;

use rust_decimal::Decimal;
use types::Balance;
use types::views::{AccountStatus, EntryKind, Locking};

use super::StoreError;
use crate::account::AccountKind;

/// Says which column of which row is damaged.
pub(super) fn damaged(what: &str, error: impl Display) -> StoreError {
    StoreError::Damaged(format!("{what}: {error}"))
}

/// A balance, or a sum of changes.
pub(super) fn balance(value: Decimal) -> Result<Balance, StoreError> {
    Balance::try_from(value).map_err(|error| damaged("money", error))
}

/// Anything that is kept as text.
pub(super) fn text<T: FromStr>(text: &str) -> Result<T, StoreError>
where
    T::Err: Display,
{
    text.parse().map_err(|error| damaged(text, error))
}

/// A transfer index, or another small count.
pub(super) fn index(value: i32) -> Result<u16, StoreError> {
    u16::try_from(value).map_err(|error| damaged("transfer index", error))
}

pub(super) fn kind(text: &str) -> Result<AccountKind, StoreError> {
    let kinds = [
        AccountKind::Customer,
        AccountKind::Vault,
        AccountKind::Clearing,
        AccountKind::InTransit,
    ];
    kinds
        .into_iter()
        .find(|kind| kind.as_str() == text)
        .ok_or_else(|| damaged("account kind", text))
}

pub(super) fn status(text: &str) -> Result<AccountStatus, StoreError> {
    match text {
        "active" => Ok(AccountStatus::Active),
        "frozen" => Ok(AccountStatus::Frozen),
        "closed" => Ok(AccountStatus::Closed),
        other => Err(damaged("account status", other)),
    }
}

pub(super) fn locking(text: &str) -> Result<Locking, StoreError> {
    match text {
        "escrow" => Ok(Locking::Escrow),
        "exclusive" => Ok(Locking::Exclusive),
        other => Err(damaged("locking", other)),
    }
}

pub(super) fn entry_kind(text: &str) -> Result<EntryKind, StoreError> {
    let kinds = [
        EntryKind::Opening,
        EntryKind::Deposit,
        EntryKind::Withdrawal,
        EntryKind::Transfer,
        EntryKind::Clearing,
        EntryKind::Transit,
        EntryKind::Refund,
    ];
    kinds
        .into_iter()
        .find(|kind| kind.to_string() == text)
        .ok_or_else(|| damaged("entry kind", text))
}
