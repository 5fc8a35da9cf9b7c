//! What must be true, whatever happened (docs/faults.md).

use serde_json::Value;
use sqlx::PgPool;

use crate::bank::{ACCOUNTS, TRANSACTIONS, TestBank};
use crate::eventually;

impl TestBank {
    fn bank_names(&self) -> Vec<String> {
        let mut names = self.bank.names();
        names.retain(|name| name.starts_with(ACCOUNTS));
        names
    }

    /// I10: waits until nothing is pending and nothing is held, then checks everything else.
    ///
    /// # Panics
    /// When an invariant does not hold.
    pub async fn settles(&self) {
        let transactions = self.database(TRANSACTIONS).await;
        eventually("every transaction is done", || {
            let pool = transactions.clone();
            async move { (open_transactions(&pool).await? == 0).then_some(()) }
        })
        .await;
        for bank in self.bank_names() {
            let pool = self.database(&bank).await;
            eventually("no branch is prepared and nothing is held", || {
                let pool = pool.clone();
                async move { (held(&pool).await? == 0).then_some(()) }
            })
            .await;
        }
        self.invariants_hold().await;
    }

    /// I1 to I7 at every bank by its own check, I5 across the databases, and clearing.
    ///
    /// # Panics
    /// When one does not hold.
    pub async fn invariants_hold(&self) {
        for bank in self.bank_names() {
            let admin = self.admin().await.at(Some(&self.url(&bank)), None);
            // A bank whose database was away may still hold connections to it that are dead.
            let check: Value = eventually("the bank checks its ledger", || async {
                let answer = admin.get_accounts("/ledger/check").await;
                (answer.status != 503).then(|| answer.expect(200))
            })
            .await;
            assert_eq!(check["ok"], true, "{bank}: {check}");
            self.branches_agree_with_decisions(&bank).await;
        }
        self.every_commit_is_carried_out().await;
        self.clearing_nets_to_zero().await;
    }

    /// I5: a COMMITTED branch belongs to a committed transaction, an ABORTED one to none; so do the
    /// parts of sagas, RELEASED and UNDONE.
    async fn branches_agree_with_decisions(&self, bank: &str) {
        let branches: Vec<(uuid::Uuid, String)> = sqlx::query_as(
            "SELECT transaction_id, state FROM branches
             UNION ALL SELECT transaction_id, state FROM saga_parts",
        )
        .fetch_all(&self.database(bank).await)
        .await
        .expect("branches");
        let ids: Vec<uuid::Uuid> = branches.iter().map(|(id, _)| *id).collect();
        let decided: std::collections::HashMap<uuid::Uuid, String> = sqlx::query_as(
            "SELECT transaction_id, status::text FROM transactions WHERE transaction_id = ANY($1)",
        )
        .bind(&ids)
        .fetch_all(&self.database(TRANSACTIONS).await)
        .await
        .expect("transactions")
        .into_iter()
        .collect();
        for (id, state) in branches {
            let status = decided.get(&id).map(String::as_str);
            let agree = match state.as_str() {
                "COMMITTED" | "RELEASED" => status == Some("committed"),
                "ABORTED" | "REFUSED" | "UNDONE" => status != Some("committed"),
                _ => true,
            };
            assert!(
                agree,
                "{bank}: branch {id} is {state}, its transaction {status:?}"
            );
        }
    }

    /// I5, the other way round: a transaction that is committed and settled has its branch at every
    /// participant. A branch that is missing is money that was promised and never moved.
    async fn every_commit_is_carried_out(&self) {
        let committed: Vec<(uuid::Uuid, Vec<String>)> = sqlx::query_as(
            "SELECT transaction_id, participants FROM transactions
             WHERE status::text = 'committed' AND phase IN ('done', 'hazard')",
        )
        .fetch_all(&self.database(TRANSACTIONS).await)
        .await
        .expect("transactions");
        for bank in self.bank_names() {
            let pool = self.database(&bank).await;
            let participant: String = sqlx::query_scalar("SELECT participant_id FROM participant")
                .fetch_one(&pool)
                .await
                .expect("who it is");
            // What a bank has deleted for its age it does not have.
            let deleted: uuid::Uuid = sqlx::query_scalar("SELECT deleted_through FROM retention")
                .fetch_one(&pool)
                .await
                .expect("up to where");
            let carried_out: std::collections::HashSet<uuid::Uuid> = sqlx::query_scalar(
                "SELECT transaction_id FROM branches WHERE state = 'COMMITTED'
                 UNION ALL SELECT transaction_id FROM saga_parts WHERE state = 'RELEASED'",
            )
            .fetch_all(&pool)
            .await
            .expect("branches")
            .into_iter()
            .collect();
            for (id, participants) in &committed {
                let takes_part = participants.contains(&participant) && *id > deleted;
                assert!(
                    !takes_part || carried_out.contains(id),
                    "{id} is committed and {participant} has not carried it out"
                );
            }
        }
    }

    /// When everything is settled the banks owe each other what they are owed.
    async fn clearing_nets_to_zero(&self) {
        let mut total = rust_decimal::Decimal::ZERO;
        for bank in self.bank_names() {
            let sum: rust_decimal::Decimal = sqlx::query_scalar(
                "SELECT COALESCE(sum(balance), 0) FROM accounts WHERE kind = 'clearing'",
            )
            .fetch_one(&self.database(&bank).await)
            .await
            .expect("clearing accounts");
            total += sum;
        }
        assert!(total.is_zero(), "clearing does not net to zero: {total}");
    }

    /// What all customers of all banks have together.
    ///
    /// # Panics
    /// When a database does not answer.
    pub async fn total(&self) -> rust_decimal::Decimal {
        let mut total = rust_decimal::Decimal::ZERO;
        for bank in self.bank_names() {
            let sum: rust_decimal::Decimal = sqlx::query_scalar(
                "SELECT COALESCE(sum(balance), 0) FROM accounts WHERE kind = 'customer'",
            )
            .fetch_one(&self.database(&bank).await)
            .await
            .expect("accounts");
            total += sum;
        }
        total
    }

    /// The state of one branch, read from the bank's database.
    ///
    /// # Panics
    /// When the database does not answer.
    pub async fn branch(&self, bank: &str, transaction: &str) -> Option<String> {
        sqlx::query_scalar("SELECT state::text FROM branches WHERE transaction_id = $1::uuid")
            .bind(transaction)
            .fetch_optional(&self.database(bank).await)
            .await
            .expect("branches")
    }

    /// How many transactions are not settled, read from the database.
    ///
    /// # Panics
    /// When the database does not answer.
    pub async fn open_transactions(&self) -> i64 {
        let pool = self.database(TRANSACTIONS).await;
        open_transactions(&pool).await.expect("transactions")
    }

    /// The newest transaction that was begun: its id and status, read from the database.
    ///
    /// # Panics
    /// When the database does not answer.
    pub async fn newest_transaction(&self) -> Option<(String, String)> {
        sqlx::query_as(
            "SELECT transaction_id::text, status::text FROM transactions
             ORDER BY transaction_id DESC LIMIT 1",
        )
        .fetch_optional(&self.database(TRANSACTIONS).await)
        .await
        .expect("transactions")
    }
}

pub(crate) async fn open_transactions(pool: &PgPool) -> Option<i64> {
    sqlx::query_scalar(
        "SELECT count(*) FROM transactions WHERE settled_at IS NULL AND phase <> 'hazard'",
    )
    .fetch_one(pool)
    .await
    .ok()
}

pub(crate) async fn held(pool: &PgPool) -> Option<i64> {
    sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM branches WHERE state::text = 'PREPARED')
              + (SELECT count(*) FROM saga_parts WHERE state IN ('DEBITED', 'CREDITED'))
              + (SELECT count(*) FROM accounts
                 WHERE pending_debits <> 0 OR pending_credits <> 0 OR reserved_credits <> 0
                    OR transaction_lock IS NOT NULL)",
    )
    .fetch_one(pool)
    .await
    .ok()
}
