//! Opening an account: its first money comes out of the vault as an entry like any other.

use sqlx::PgConnection;
use types::views::EntryKind;
use types::{Amount, Balance, ParticipantId, TransactionId};

use crate::account::SystemAccount;
use crate::ledger::{Book, CannotFinish, Posting};
use crate::store::accounts::{self, NewAccount};
use crate::store::{StoreError, entries};

/// Opens an account in the caller's database transaction. Tells whether it was new; one that is
/// there already stays as it is.
///
/// # Errors
/// [`StoreError`].
pub async fn open(
    connection: &mut PgConnection,
    own: &ParticipantId,
    account: &NewAccount,
    opening_balance: Option<Amount>,
) -> Result<bool, StoreError> {
    if !accounts::insert(connection, account).await? {
        return Ok(false);
    }
    let Some(amount) = opening_balance else {
        return Ok(true);
    };
    let vault = SystemAccount::vault(own, account.currency);
    let (id, vault_id) = (account.account_id, vault.account_id);
    accounts::open_system_accounts(connection, [vault]).await?;
    let mut book = Book::new(accounts::lock(connection, [id, vault_id]).await?);
    let transaction_id = TransactionId::generate();
    let posting = |account_id, change: types::Change| Posting {
        transaction_id,
        account_id,
        transfer_index: 0,
        kind: EntryKind::Opening,
        change: Balance::from(change),
        description: None,
    };
    book.post_all(&[
        posting(id, amount.credit()),
        posting(vault_id, amount.debit()),
    ])?;
    let (changed, lines) = book.close();
    entries::append(connection, &lines).await?;
    accounts::update(connection, &changed).await?;
    Ok(true)
}

impl From<CannotFinish> for StoreError {
    fn from(error: CannotFinish) -> Self {
        Self::Damaged(error.to_string())
    }
}
