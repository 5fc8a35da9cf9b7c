//! Accounts to begin with, for development.

use sqlx::PgPool;
use types::views::Locking;
use types::{Balance, ParticipantId};

use crate::opening::open;
use crate::store::StoreError;
use crate::store::accounts::NewAccount;

/// The last digit of the account, of its customer, and the balance in US dollars. The last is the
/// cash desk's: what is sold there is paid into it.
const ACCOUNTS: [(u8, u8, Option<&str>); 5] = [
    (1, 1, Some("1000.00")),
    (2, 1, Some("500.00")),
    (3, 2, Some("750.00")),
    (4, 3, Some("150.00")),
    (9, 9, None),
];

/// Opens the seed accounts that are not there yet. They are all at the first bank; another one has
/// none.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(pool: &PgPool, own: &ParticipantId) -> Result<(), StoreError> {
    if own.as_str() != "bank-1" {
        return Ok(());
    }
    let wrong = |what: String| StoreError::Damaged(what);
    for (account, customer, balance) in ACCOUNTS {
        let account_id = format!("660e8400-e29b-41d4-a716-44665544000{account}");
        let customer_id = format!("550e8400-e29b-41d4-a716-44665544000{customer}");
        let account = NewAccount {
            account_id: account_id.parse().map_err(|_| wrong(account_id))?,
            customer_id: customer_id.parse().map_err(|_| wrong(customer_id))?,
            currency: "USD".parse().map_err(|_| wrong("USD".to_owned()))?,
            locking: Locking::Escrow,
            overdraft_limit: Balance::ZERO,
        };
        let amount = balance.map(|text| text.parse().map_err(|_| wrong(text.to_owned())));
        let mut transaction = pool.begin().await?;
        open(&mut transaction, own, &account, amount.transpose()?).await?;
        transaction.commit().await?;
    }
    Ok(())
}
