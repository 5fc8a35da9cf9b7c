//! The textbook race, on purpose: each withdrawal reads the balance, thinks, and writes what it read
//! less its amount. On a sandbox table that no constraint protects; never on the ledger.

use std::sync::Arc;

use futures_util::future::try_join_all;
use serde::Serialize;
use service_kit::database::spawned;
use sqlx::PgPool;
use tokio::sync::Barrier;
use types::{AccountId, Balance};
use utoipa::ToSchema;

use crate::store::{StoreError, sandbox};

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct UnsafeRun {
    /// The sandbox account of this run.
    pub account_id: AccountId,
    /// What it had.
    pub opening_balance: Balance,
    /// What each withdrawal did.
    pub withdrawals: Vec<UnsafeWithdrawal>,
    /// What is written on the account now.
    pub final_balance: Balance,
    /// What would be right after the withdrawals that paid out.
    pub expected_balance: Balance,
    /// The two differ.
    pub money_lost: bool,
}

/// One of the withdrawals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct UnsafeWithdrawal {
    /// What was asked for.
    pub amount: Balance,
    /// The balance it read.
    pub read_balance: Balance,
    /// The balance it wrote; `null` when it refused.
    pub wrote_balance: Option<Balance>,
    /// It paid out.
    pub succeeded: bool,
}

/// Opens a sandbox account and withdraws from it `attempts` times at once.
///
/// "Thinking" is waiting until everybody has read, so the race shows every time instead of rarely.
///
/// # Errors
/// [`StoreError`].
pub async fn run(
    pool: &PgPool,
    opening_balance: Balance,
    amount: Balance,
    attempts: usize,
) -> Result<UnsafeRun, StoreError> {
    let account_id = AccountId::generate();
    let opening = pool.clone();
    spawned(async move {
        let mut connection = opening.acquire().await?;
        sandbox::insert(&mut connection, account_id, opening_balance).await
    })
    .await?;
    let everybody_has_read = Arc::new(Barrier::new(attempts));
    let withdrawals = (0..attempts).map(|_| {
        let (pool, thought) = (pool.clone(), Arc::clone(&everybody_has_read));
        spawned(async move { withdraw(&pool, account_id, amount, &thought).await })
    });
    let withdrawals = try_join_all(withdrawals).await?;
    let closing = pool.clone();
    let final_balance = spawned(async move {
        let mut connection = closing.acquire().await?;
        sandbox::read(&mut connection, account_id).await
    })
    .await?;
    let paid = withdrawals.iter().filter(|w| w.succeeded);
    let expected_balance = paid
        .map(|withdrawal| withdrawal.amount)
        .try_fold(opening_balance, Balance::minus)
        .ok_or_else(|| StoreError::Damaged("the sandbox overflowed".to_owned()))?;
    Ok(UnsafeRun {
        account_id,
        opening_balance,
        withdrawals,
        final_balance,
        expected_balance,
        money_lost: final_balance != expected_balance,
    })
}

async fn withdraw(
    pool: &PgPool,
    account_id: AccountId,
    amount: Balance,
    thought: &Barrier,
) -> Result<UnsafeWithdrawal, StoreError> {
    // The connection is given back before waiting, so that no more of them than there are can be
    // waited for. A failed read waits too, or the others would wait for it for ever.
    let read = async {
        let mut connection = pool.acquire().await?;
        sandbox::read(&mut connection, account_id).await
    }
    .await;
    thought.wait().await;
    let read_balance = read?;
    let rest = read_balance.minus(amount);
    let wrote_balance = rest.filter(|rest| !rest.is_negative());
    if let Some(rest) = wrote_balance {
        let mut connection = pool.acquire().await?;
        sandbox::write(&mut connection, account_id, rest).await?;
    }
    Ok(UnsafeWithdrawal {
        amount,
        read_balance,
        succeeded: wrote_balance.is_some(),
        wrote_balance,
    })
}
