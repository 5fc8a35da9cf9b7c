//! A service's PostgreSQL dies, stops, or refuses, and the service lives.

use std::collections::BTreeMap;

use tempfile::TempDir;
use tests::{ACCOUNTS, Failpoint, Server, TRANSACTIONS, TestBank, eventually};
use tokio::task::JoinHandle;

use crate::seed::{ALICE, BOB};

type Sent = JoinHandle<Result<tests::Answer, tests::NoAnswer>>;

/// A bank in which one service has a PostgreSQL of its own.
struct Apart {
    bank: TestBank,
    server: Server,
    _folder: TempDir,
}

impl Apart {
    async fn start(variable: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(folder.path(), BTreeMap::new()).await;
        let url = server.database("apart").await;
        let bank = TestBank::start_with(|options| options.setting(variable, url)).await;
        let apart = Self {
            bank,
            server,
            _folder: folder,
        };
        // From here on the coordinator knows where the accounts are.
        let first = apart.send("first").await.await.unwrap().unwrap();
        assert_eq!(first.body["status"], "committed", "{}", first.body);
        apart.bank.settles().await;
        apart
    }

    async fn send(&self, key: &str) -> Sent {
        let alice = self.bank.alice().await;
        let key = key.to_owned();
        tokio::spawn(async move { alice.transfer(ALICE, BOB, "10", &key).await })
    }

    /// Sends a transfer that stops at a point; gives back its id once it waits there.
    async fn stopped_at(&self, service: &str, point: &str, key: &str) -> Sent {
        self.bank.arm(service, point, Failpoint::Pause).await;
        let sent = self.send(key).await;
        self.bank.waits_at(service, point).await;
        sent
    }

    /// Whether the transfer of this key was committed, when everything is settled; and it was
    /// booked exactly then, and once.
    async fn committed(&self, key: &str) -> bool {
        self.bank.settles().await;
        let again = self.send(key).await.await.unwrap().unwrap();
        let id = again.transaction_id().to_owned();
        let committed = again.body["status"] == "committed";
        assert!(
            committed || again.body["transaction_status"] == "aborted",
            "{key}: {}",
            again.body
        );
        let pool = self.bank.database(ACCOUNTS).await;
        let entries: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM ledger_entries WHERE transaction_id = $1::uuid",
        )
        .bind(&id)
        .fetch_one(&pool)
        .await
        .unwrap();
        assert_eq!(entries, if committed { 2 } else { 0 }, "{key}");
        committed
    }

    async fn end(self) {
        self.bank.stop().await;
    }
}

#[tokio::test]
async fn case_14_the_coordinators_database_dies_at_each_point_and_the_outcome_is_the_same() {
    let apart = Apart::start("TRANSACTIONS_DATABASE_URL").await;
    let bank = &apart.bank;
    for (point, branch, commits) in [
        ("after_begin", None, false),
        ("before_decide", Some("PREPARED"), false),
        ("after_decide", Some("PREPARED"), true),
    ] {
        let sent = apart.stopped_at(TRANSACTIONS, point, point).await;
        let (id, status) = bank.newest_transaction().await.unwrap();
        assert_eq!(status, if commits { "committed" } else { "pending" });
        assert_eq!(
            bank.branch(ACCOUNTS, &id).await.as_deref(),
            branch,
            "{point}"
        );
        apart.server.kill().await;
        bank.disarm(TRANSACTIONS, point).await;
        let answer = sent.await.unwrap().unwrap();
        let announced = answer.body["status"] == "committed";
        assert!(!announced || commits, "{point}: {}", answer.body);
        apart.server.restart().await;
        assert_eq!(apart.committed(point).await, commits, "{point}");
    }
    apart.end().await;
}

#[tokio::test]
async fn case_24_a_banks_database_dies_at_each_point_and_the_outcome_is_the_same() {
    let apart = Apart::start("ACCOUNTS_DATABASE_URL").await;
    let bank = &apart.bank;
    for (point, decided) in [
        ("before_prepare_commit", false),
        ("after_prepare_commit", false),
        ("before_vote_reply", false),
        ("before_apply_commit", true),
        ("after_apply", true),
        ("before_ack", true),
    ] {
        let sent = apart.stopped_at(ACCOUNTS, point, point).await;
        let (_, status) = bank.newest_transaction().await.unwrap();
        assert_eq!(
            status,
            if decided { "committed" } else { "pending" },
            "{point}"
        );
        apart.server.kill().await;
        bank.disarm(ACCOUNTS, point).await;
        apart.server.restart().await;
        let answer = sent.await.unwrap().unwrap();
        let committed = apart.committed(point).await;
        assert!(committed || !decided, "{point}: a decision was forgotten");
        assert!(
            committed || answer.body["status"] != "committed",
            "{point}: {}",
            answer.body
        );
    }
    apart.end().await;
}

#[tokio::test]
async fn case_24_promises_survive_the_death_of_a_banks_database() {
    let apart = Apart::start("ACCOUNTS_DATABASE_URL").await;
    let (bank, teller) = (&apart.bank, apart.bank.teller().await);
    for (point, key) in [("after_decide", "commit"), ("before_decide", "abort")] {
        let sent = apart.stopped_at(TRANSACTIONS, point, key).await;
        let (id, _) = bank.newest_transaction().await.unwrap();
        if key == "abort" {
            bank.kill(TRANSACTIONS).await;
        }
        apart.server.kill().await;
        apart.server.restart().await;
        let branch = eventually("the branch can be read", || async {
            let pool = bank.database(ACCOUNTS).await;
            sqlx::query_scalar::<_, String>(
                "SELECT state::text FROM branches WHERE transaction_id = $1::uuid",
            )
            .bind(&id)
            .fetch_one(&pool)
            .await
            .ok()
        })
        .await;
        if key == "abort" {
            assert_eq!(branch, "PREPARED");
            // The bank may still hold connections that are dead.
            let path = format!("/accounts/{ALICE}");
            let held = eventually("the bank reads", || async {
                let answer = teller.get_accounts(&path).await;
                (answer.status != 503).then(|| answer.expect(200))
            })
            .await;
            assert_eq!(held["pending_debits"], "10.00");
            bank.restart(TRANSACTIONS).await;
            assert!(sent.await.unwrap().is_err());
        } else {
            // It may have asked, and have been told, meanwhile.
            assert!(branch == "PREPARED" || branch == "COMMITTED", "{branch}");
            bank.disarm(TRANSACTIONS, point).await;
            assert_eq!(sent.await.unwrap().unwrap().body["status"], "committed");
        }
        assert_eq!(apart.committed(key).await, key == "commit");
    }
    apart.end().await;
}

#[tokio::test]
async fn case_111_a_database_that_is_stopped_and_not_dead_is_given_up_in_time() {
    let apart = Apart::start("ACCOUNTS_DATABASE_URL").await;
    apart.server.freeze(true);
    let refused = apart.send("frozen").await.await.unwrap().unwrap();
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (503, "participant_unavailable")
    );
    apart.server.freeze(false);
    assert!(!apart.committed("frozen").await);
    apart.end().await;

    let apart = Apart::start("TRANSACTIONS_DATABASE_URL").await;
    let sent = apart
        .stopped_at(TRANSACTIONS, "before_decide", "late")
        .await;
    let (id, _) = apart.bank.newest_transaction().await.unwrap();
    apart.server.freeze(true);
    apart.bank.disarm(TRANSACTIONS, "before_decide").await;
    let unknown = sent.await.unwrap().unwrap();
    assert_eq!(
        (unknown.status.as_u16(), unknown.code()),
        (503, "outcome_unknown")
    );
    let branch = apart.bank.branch(ACCOUNTS, &id).await;
    assert_eq!(
        branch.as_deref(),
        Some("PREPARED"),
        "nobody was told anything"
    );
    apart.server.freeze(false);
    apart.committed("late").await;
    apart.end().await;
}
