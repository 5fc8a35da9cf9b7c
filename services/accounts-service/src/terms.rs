//! Freezing, closing and limits: what may be changed about an account, and when.

use axum::http::HeaderMap;
use service_kit::database::{Transient, retry_transient, spawned};
use service_kit::{Problem, Result};
use sqlx::PgPool;
use types::views::{Account, AccountStatus};
use types::{AccountId, Balance, Code};

use crate::account::{AccountKind, AccountState};
use crate::etag;
use crate::reading::not_found;
use crate::store::{StoreError, accounts};

/// What is to be changed; what is `None` stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NewTerms {
    /// Freeze, unfreeze or close.
    pub status: Option<AccountStatus>,
    /// How far below zero it may go.
    pub overdraft_limit: Option<Balance>,
}

impl NewTerms {
    /// The account with these terms.
    ///
    /// # Errors
    /// `conflict` for a closed account, which stays as it is; `account_not_empty` when it is to be
    /// closed and has money or holds; `limit_too_low` when what is booked and held would no longer
    /// be covered.
    pub fn apply_to(self, account: &AccountState) -> std::result::Result<AccountState, Code> {
        let mut changed = account.clone();
        changed.status = self.status.unwrap_or(account.status);
        changed.overdraft_limit = self.overdraft_limit.unwrap_or(account.overdraft_limit);
        if account.status == AccountStatus::Closed && changed != *account {
            return Err(Code::Conflict);
        }
        if !changed.covers(Balance::ZERO) {
            return Err(Code::LimitTooLow);
        }
        if changed.status == AccountStatus::Closed && !account.is_empty() {
            return Err(Code::AccountNotEmpty);
        }
        Ok(changed)
    }
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
enum Unchanged {
    #[error("refused")]
    Refused(Problem),
    #[error("{0}")]
    Store(#[from] StoreError),
}

impl Transient for Unchanged {
    fn is_transient(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_transient())
    }
}

impl From<sqlx::Error> for Unchanged {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<service_kit::database::JoinFailed> for Unchanged {
    fn from(error: service_kit::database::JoinFailed) -> Self {
        Self::Store(error.into())
    }
}

impl From<Problem> for Unchanged {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

/// Changes the terms of an account under its row lock, on the condition that `headers` may carry
/// in `If-Match`. Durable when it returns.
///
/// # Errors
/// 404 for what is no customer's account, 412, and the refusals of [`NewTerms::apply_to`] as 409.
pub async fn change(
    pool: &PgPool,
    id: AccountId,
    terms: NewTerms,
    headers: HeaderMap,
) -> Result<Account> {
    let pool = pool.clone();
    let changed = spawned(async move {
        retry_transient(|| async { once(&pool, id, terms, &headers).await }).await
    });
    changed.await.map_err(|error| match error {
        Unchanged::Refused(problem) => problem,
        Unchanged::Store(error) => error.into(),
    })
}

async fn once(
    pool: &PgPool,
    id: AccountId,
    terms: NewTerms,
    headers: &HeaderMap,
) -> std::result::Result<Account, Unchanged> {
    let mut transaction = pool.begin().await?;
    let mut locked = accounts::lock(&mut transaction, [id]).await?;
    let account = locked
        .remove(&id)
        .filter(|account| account.kind == AccountKind::Customer)
        .ok_or_else(|| not_found(id))?;
    let shown = accounts::find(&mut transaction, id).await?;
    etag::check(headers, &shown.ok_or_else(|| not_found(id))?)?;
    let changed = terms.apply_to(&account).map_err(Problem::from)?;
    // A linked batch may name the account and hold nothing on it: its net is zero.
    if changed.status == AccountStatus::Closed
        && account.status != AccountStatus::Closed
        && accounts::takes_part_in_something_open(&mut transaction, id).await?
    {
        return Err(Problem::from(Code::AccountNotEmpty).into());
    }
    if changed != account {
        accounts::set_terms(&mut transaction, &changed).await?;
    }
    let shown = accounts::find(&mut transaction, id).await?;
    transaction.commit().await?;
    tracing::info!(
        event = "ACCOUNT_CHANGED",
        account_id = %id,
        status = %changed.status,
        overdraft_limit = %changed.overdraft_limit,
    );
    Ok(shown.ok_or_else(|| not_found(id))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::samples::{account, money};

    #[test]
    fn case_98_what_is_booked_and_held_must_stay_covered() {
        let mut held = account(1, "50");
        held.pending_debits = money("100");
        held.overdraft_limit = money("50");
        let limit = |text| NewTerms {
            overdraft_limit: Some(money(text)),
            ..NewTerms::default()
        };
        let status = |status| NewTerms {
            status: Some(status),
            ..NewTerms::default()
        };
        let mut announced = account(1, "0");
        announced.pending_credits = money("1");
        let mut closed = account(1, "0");
        closed.status = AccountStatus::Closed;
        for (state, terms, refusal) in [
            (&held, limit("50"), None),
            (&held, limit("49.9999"), Some(Code::LimitTooLow)),
            (&held, status(AccountStatus::Frozen), None),
            (
                &held,
                status(AccountStatus::Closed),
                Some(Code::AccountNotEmpty),
            ),
            (
                &announced,
                status(AccountStatus::Closed),
                Some(Code::AccountNotEmpty),
            ),
            (
                &account(1, "1"),
                status(AccountStatus::Closed),
                Some(Code::AccountNotEmpty),
            ),
            (&account(1, "0"), status(AccountStatus::Closed), None),
            (&closed, status(AccountStatus::Active), Some(Code::Conflict)),
            (&closed, status(AccountStatus::Closed), None),
            (&closed, limit("5"), Some(Code::Conflict)),
        ] {
            assert_eq!(terms.apply_to(state).err(), refusal, "{state:?} {terms:?}");
        }
    }
}
