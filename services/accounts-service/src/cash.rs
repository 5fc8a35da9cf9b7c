//! Cash over the counter: deposits and withdrawals, against the vault.

use service_kit::Problem;
use service_kit::database::{retry_transient, spawned};
use service_kit::failpoints;
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use types::views::{CashReceipt, EntryKind, Status};
use types::{
    AccountId, Amount, Balance, Change, Code, IdempotencyKey, LoginId, ParticipantId, TransactionId,
};

use crate::account::{AccountKind, AccountState, SystemAccount};
use crate::idempotent::Answered;
use crate::ledger::{Book, Posting};
use crate::participant::vote::{is_closed_or_frozen, is_locked};
use crate::store::requests::{self, Begun, Reply, Request};
use crate::store::{StoreError, accounts, entries, written};

/// Which way the cash goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Paid in.
    Deposit,
    /// Paid out.
    Withdrawal,
}

/// Cash that is to be paid in or out.
#[derive(Debug, Clone)]
pub struct Movement {
    /// On which account.
    pub account_id: AccountId,
    /// Which way.
    pub direction: Direction,
    /// How much.
    pub amount: Amount,
    /// Shown on the statement.
    pub description: Option<String>,
}

impl Movement {
    /// SHA-256 of what is asked for: the same for two spellings of one amount.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        let asked = format!(
            "{:?}\n{}\n{}\n{:?}",
            self.direction, self.account_id, self.amount, self.description
        );
        Sha256::digest(asked).into()
    }

    const fn kind(&self) -> EntryKind {
        match self.direction {
            Direction::Deposit => EntryKind::Deposit,
            Direction::Withdrawal => EntryKind::Withdrawal,
        }
    }

    /// The change at the account, and the counter-change at the vault.
    fn changes(&self) -> (Change, Change) {
        match self.direction {
            Direction::Deposit => (self.amount.credit(), self.amount.debit()),
            Direction::Withdrawal => (self.amount.debit(), self.amount.credit()),
        }
    }

    /// Why the account cannot take it, if so. The order is that of votes.
    #[must_use]
    pub fn refusal(&self, account: &AccountState) -> Option<Code> {
        let amount = Balance::from(self.amount);
        if let Some(reason) = is_closed_or_frozen(account) {
            return Some(reason);
        }
        if is_locked(account) {
            return Some(Code::AccountLocked);
        }
        match self.direction {
            // Held money is not there to be paid out.
            Direction::Withdrawal => (!account.covers(amount)).then_some(Code::InsufficientFunds),
            Direction::Deposit => (!account.has_room_for(amount)).then_some(Code::BalanceLimit),
        }
    }
}

/// Carries out a movement once, however often it is sent under its key.
///
/// # Errors
/// [`StoreError`]. Whether anything happened is unknown then; the same request under the same key
/// tells.
pub async fn carry_out(
    pool: &PgPool,
    own: &ParticipantId,
    scope: LoginId,
    key: IdempotencyKey,
    movement: Movement,
) -> Result<Answered, StoreError> {
    let (pool, own) = (pool.clone(), own.clone());
    let request = Request {
        scope,
        key,
        fingerprint: movement.fingerprint(),
        transaction_id: TransactionId::generate(),
    };
    spawned(async move { retry_transient(|| once(&pool, &own, &request, &movement)).await }).await
}

async fn once(
    pool: &PgPool,
    own: &ParticipantId,
    request: &Request,
    movement: &Movement,
) -> Result<Answered, StoreError> {
    let mut transaction = pool.begin().await?;
    match requests::begin(&mut transaction, request).await? {
        Begun::New => {}
        Begun::Before(reply) => return Ok(Answered::Before(reply)),
        Begun::KeyReused => return Ok(Answered::KeyReused),
    }
    let id = movement.account_id;
    // The currency never changes, so it may be read before the row is locked.
    let Some(found) = accounts::find(&mut transaction, id).await? else {
        return Ok(Answered::NotFound);
    };
    let vault = SystemAccount::vault(own, found.currency);
    let vault_id = vault.account_id;
    accounts::open_system_accounts(&mut transaction, [vault]).await?;
    let locked = accounts::lock(&mut transaction, [id, vault_id]).await?;
    let account = match locked.get(&id) {
        Some(account) if account.kind == AccountKind::Customer => account,
        _ => return Ok(Answered::NotFound),
    };

    let transaction_id = request.transaction_id;
    let reply = match movement.refusal(account) {
        Some(reason) => {
            let problem = Problem::new(reason).transaction(transaction_id, Status::Aborted);
            Reply {
                status: problem.http_status(),
                body: problem.document(),
            }
        }
        None => {
            let (change, counter_change) = movement.changes();
            let posting = |account_id, change: Change, description| Posting {
                transaction_id,
                account_id,
                transfer_index: 0,
                kind: movement.kind(),
                change: change.into(),
                description,
                step: None,
            };
            let version = account.version + 1;
            let mut book = Book::new(locked);
            book.post_all(&[
                posting(id, change, movement.description.as_deref()),
                posting(vault_id, counter_change, None),
            ])?;
            let (changed, lines) = book.close();
            written::write(&mut transaction, &changed, &lines, &[]).await?;
            let entry = entries::page(&mut transaction, id, version + 1, 1)
                .await?
                .pop();
            let receipt = CashReceipt {
                transaction_id,
                status: Status::Committed,
                entry: entry
                    .ok_or_else(|| StoreError::Damaged("the entry is missing".to_owned()))?,
            };
            Reply {
                status: 201,
                body: serde_json::to_string(&receipt)
                    .map_err(|error| StoreError::Damaged(error.to_string()))?,
            }
        }
    };
    requests::finish(&mut transaction, request, &reply).await?;
    failpoints::hit("before_apply_commit").await?;
    transaction.commit().await?;
    failpoints::hit("after_apply").await?;
    tracing::info!(
        event = "CASH_MOVED",
        %transaction_id,
        account_id = %id,
        direction = ?movement.direction,
        status = reply.status,
    );
    Ok(Answered::Now(reply))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::samples::{account, money};
    use types::LegId;
    use types::views::{AccountStatus, Locking};

    fn movement(direction: Direction, amount: &str) -> Movement {
        Movement {
            account_id: AccountId::generate(),
            direction,
            amount: amount.parse().expect("an amount"),
            description: None,
        }
    }

    #[test]
    fn cash_is_refused_for_the_reasons_a_transfer_is() {
        use Direction::{Deposit, Withdrawal};
        let mut held = account(1, "150");
        held.pending_debits = money("100");
        let mut frozen = account(1, "150");
        frozen.status = AccountStatus::Frozen;
        let mut closed = account(1, "0");
        closed.status = AccountStatus::Closed;
        let mut locked = account(1, "150");
        locked.locking = Locking::Exclusive;
        locked.transaction_lock = Some(LegId::generate());
        for (state, direction, amount, refusal) in [
            (account(1, "150"), Withdrawal, "150", None),
            (
                account(1, "150"),
                Withdrawal,
                "150.0001",
                Some(Code::InsufficientFunds),
            ),
            (held.clone(), Withdrawal, "50", None),
            (held, Withdrawal, "50.0001", Some(Code::InsufficientFunds)),
            (frozen, Deposit, "1", Some(Code::AccountFrozen)),
            (closed, Deposit, "1", Some(Code::AccountClosed)),
            (locked, Deposit, "1", Some(Code::AccountLocked)),
            (
                account(1, "1"),
                Deposit,
                "999999999999999",
                Some(Code::BalanceLimit),
            ),
        ] {
            assert_eq!(movement(direction, amount).refusal(&state), refusal);
        }
    }

    #[test]
    fn two_spellings_of_one_request_are_the_same_request() {
        let one = movement(Direction::Deposit, "5");
        let mut other = movement(Direction::Deposit, "5.00");
        other.account_id = one.account_id;
        assert_eq!(one.fingerprint(), other.fingerprint());
        other.direction = Direction::Withdrawal;
        assert_ne!(one.fingerprint(), other.fingerprint());
    }
}
