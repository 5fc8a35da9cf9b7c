//! Opening an account: its first money comes out of the vault as an entry like any other.

use service_kit::database::{retry_transient, spawned};
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, PgPool};
use types::views::EntryKind;
use types::{Amount, Balance, IdempotencyKey, LoginId, ParticipantId, TransactionId};

use crate::account::SystemAccount;
use crate::idempotent::Answered;
use crate::ledger::{Book, CannotFinish, Posting};
use crate::store::accounts::{self, NewAccount};
use crate::store::requests::{self, Begun, Reply, Request};
use crate::store::{StoreError, written};

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
    let transaction_id = TransactionId::generate();
    open_as(connection, own, account, opening_balance, transaction_id).await
}

async fn open_as(
    connection: &mut PgConnection,
    own: &ParticipantId,
    account: &NewAccount,
    opening_balance: Option<Amount>,
    transaction_id: TransactionId,
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
    let posting = |account_id, change: types::Change| Posting {
        transaction_id,
        account_id,
        transfer_index: 0,
        kind: EntryKind::Opening,
        change: Balance::from(change),
        description: None,
        step: None,
    };
    book.post_all(&[
        posting(id, amount.credit()),
        posting(vault_id, amount.debit()),
    ])?;
    let (changed, lines) = book.close();
    written::write(connection, &changed, &lines, &[]).await?;
    Ok(true)
}

/// Opens an account once, however often it is asked for under its key. The answer is the account.
///
/// # Errors
/// [`StoreError`]. Whether anything happened is unknown then; the same request under the same key
/// tells.
pub async fn open_once(
    pool: &PgPool,
    own: &ParticipantId,
    scope: LoginId,
    key: IdempotencyKey,
    account: NewAccount,
    opening_balance: Option<Amount>,
) -> Result<Answered, StoreError> {
    let (pool, own) = (pool.clone(), own.clone());
    let asked = format!(
        "open\n{}\n{}\n{}\n{}\n{opening_balance:?}",
        account.customer_id, account.currency, account.locking, account.overdraft_limit
    );
    let request = Request {
        scope,
        key,
        fingerprint: Sha256::digest(asked).into(),
        transaction_id: TransactionId::generate(),
    };
    spawned(async move {
        retry_transient(|| attempt(&pool, &own, &request, &account, opening_balance)).await
    })
    .await
}

async fn attempt(
    pool: &PgPool,
    own: &ParticipantId,
    request: &Request,
    account: &NewAccount,
    opening_balance: Option<Amount>,
) -> Result<Answered, StoreError> {
    let mut transaction = pool.begin().await?;
    match requests::begin(&mut transaction, request).await? {
        Begun::New => {}
        Begun::Before(reply) => return Ok(Answered::Before(reply)),
        Begun::KeyReused => return Ok(Answered::KeyReused),
    }
    let id = request.transaction_id;
    open_as(&mut transaction, own, account, opening_balance, id).await?;
    let opened = accounts::find(&mut transaction, account.account_id).await?;
    let reply = Reply {
        status: 201,
        body: serde_json::to_string(&opened)
            .map_err(|error| StoreError::Damaged(error.to_string()))?,
    };
    requests::finish(&mut transaction, request, &reply).await?;
    transaction.commit().await?;
    tracing::info!(event = "ACCOUNT_OPENED", account_id = %account.account_id);
    Ok(Answered::Now(reply))
}

impl From<CannotFinish> for StoreError {
    fn from(error: CannotFinish) -> Self {
        Self::Damaged(error.to_string())
    }
}
