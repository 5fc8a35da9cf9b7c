//! The table `demo_accounts`: balances that nothing protects.

use rust_decimal::Decimal;
use sqlx::PgConnection;
use types::{AccountId, Balance};

use super::{StoreError, rows};

/// Makes a sandbox account.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(
    connection: &mut PgConnection,
    id: AccountId,
    balance: Balance,
) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO demo_accounts (account_id, balance) VALUES ($1, $2)",
        id.uuid(),
        balance.decimal(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What is written there.
///
/// # Errors
/// [`StoreError`].
pub async fn read(connection: &mut PgConnection, id: AccountId) -> Result<Balance, StoreError> {
    let balance: Decimal = sqlx::query_scalar!(
        "SELECT balance FROM demo_accounts WHERE account_id = $1",
        id.uuid()
    )
    .fetch_one(connection)
    .await?;
    rows::balance(balance)
}

/// Writes a balance over whatever is there.
///
/// # Errors
/// [`StoreError`].
pub async fn write(
    connection: &mut PgConnection,
    id: AccountId,
    balance: Balance,
) -> Result<(), StoreError> {
    sqlx::query!(
        "UPDATE demo_accounts SET balance = $2 WHERE account_id = $1",
        id.uuid(),
        balance.decimal(),
    )
    .execute(connection)
    .await?;
    Ok(())
}
