//! Reading for people: who may see what.

use service_kit::auth::User;
use service_kit::database::spawned;
use service_kit::{Problem, Result};
use sqlx::PgPool;
use types::views::Account;
use types::{AccountId, Code};

use crate::store::accounts;

/// There is no such account, or not for this caller: the two look alike.
#[must_use]
pub fn not_found(id: AccountId) -> Problem {
    Problem::new(Code::AccountNotFound)
        .status(404)
        .detail(format!("There is no account {id}."))
}

/// Reads an account for somebody who may see it. To everybody else it does not exist.
///
/// # Errors
/// 404 `account_not_found`.
pub async fn visible(pool: &PgPool, user: &User, id: AccountId) -> Result<Account> {
    let pool = pool.clone();
    let found = spawned(async move {
        let mut connection = pool.acquire().await?;
        accounts::find(&mut connection, id).await
    });
    let account = found.await?.ok_or_else(|| not_found(id))?;
    let may_see = match account.customer_id {
        Some(owner) => user.may_see(owner),
        None => user.is_staff(),
    };
    if may_see {
        Ok(account)
    } else {
        Err(not_found(id))
    }
}
