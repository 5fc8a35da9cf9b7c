//! The disk under a database is full.

use std::collections::BTreeMap;

use sqlx::PgPool;
use tests::{ACCOUNTS, Failpoint, Server, SmallDisk, TRANSACTIONS, TestBank, eventually};

use crate::seed::{ALICE, BOB, CAROL};

/// Room for a server with one database, and little more.
const MEGABYTES: u32 = 200;

struct Starved {
    bank: TestBank,
    server: Server,
    url: String,
    disk: SmallDisk,
}

impl Starved {
    /// A bank in which one service's PostgreSQL lies on a small disk; `None` without root.
    async fn start(variable: &str) -> Option<Self> {
        let disk = SmallDisk::mount(MEGABYTES)?;
        let server = Server::start(&disk.folder().join("data"), BTreeMap::new()).await;
        let url = server.database("starved").await;
        let bank = TestBank::start_with(|options| options.setting(variable, &url)).await;
        let url = server.superuser_url("starved");
        Some(Self {
            bank,
            server,
            url,
            disk,
        })
    }

    /// Fills the disk and uses up what the server has set aside, until it can write no more.
    async fn fill(&self) {
        self.disk.fill();
        eventually("the log is full", || async {
            let pool = PgPool::connect_lazy(&self.url).ok()?;
            let megabyte = "SELECT pg_logical_emit_message(false, 'full', repeat('x', 1000000))";
            let written = sqlx::query(megabyte).execute(&pool).await;
            pool.close().await;
            written.is_err().then_some(())
        })
        .await;
    }

    /// Gives the space back, and starts the server if it has given up.
    async fn free(&self) {
        self.disk.free();
        if self.server.has_ended() {
            self.server.restart().await;
        }
        eventually("the server writes again", || async {
            let pool = PgPool::connect_lazy(&self.url).ok()?;
            let written = sqlx::query("CREATE TABLE IF NOT EXISTS room ()")
                .execute(&pool)
                .await;
            pool.close().await;
            if self.server.has_ended() {
                self.server.restart().await;
            }
            written.ok()
        })
        .await;
    }
}

#[tokio::test]
async fn case_25_a_full_disk_loses_no_promise_and_makes_none() {
    let Some(starved) = Starved::start("ACCOUNTS_DATABASE_URL").await else {
        return;
    };
    let bank = &starved.bank;
    let (alice, bob) = (bank.alice().await, bank.actor("bob-customer").await);
    // From here on the coordinator knows where the accounts are.
    for (person, source) in [(&alice, ALICE), (&bob, BOB)] {
        let first = person.transfer(source, CAROL, "1", "first").await.unwrap();
        assert_eq!(first.body["status"], "committed", "{}", first.body);
    }
    bank.settles().await;
    // One promise is given before.
    bank.arm(TRANSACTIONS, "before_decide", Failpoint::Pause)
        .await;
    let sent = tokio::spawn({
        let alice = alice.clone();
        async move { alice.transfer(ALICE, BOB, "100", "promised").await }
    });
    bank.waits_at(TRANSACTIONS, "before_decide").await;
    let (id, _) = bank.newest_transaction().await.unwrap();
    let promised = bank.branch(ACCOUNTS, &id).await;
    assert_eq!(promised.as_deref(), Some("PREPARED"));
    starved.fill().await;
    bank.disarm(TRANSACTIONS, "before_decide").await;
    let late = sent.await.unwrap().unwrap();
    let decided = late.status == 202 && late.body["settled"] == false;
    // Filling a disk takes longer than a client is kept waiting, sometimes.
    assert!(decided || late.code() == "outcome_unknown", "{}", late.body);
    // And none afterwards.
    let refused = bob.transfer(BOB, CAROL, "5", "full").await.unwrap();
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (503, "participant_unavailable"),
        "{}",
        refused.body
    );
    starved.free().await;
    bank.settles().await;
    let branch = bank.branch(ACCOUNTS, &id).await;
    assert_eq!(branch.as_deref(), Some("COMMITTED"), "no YES is lost");
    let again = bob.transfer(BOB, CAROL, "5", "full").await.unwrap();
    assert_eq!(again.body["transaction_status"], "aborted");
    let teller = bank.teller().await;
    assert_eq!(teller.balance(ALICE).await, "899.00");
    assert_eq!(teller.balance(BOB).await, "849.00");
    starved.bank.stop().await;
}

#[tokio::test]
async fn case_112_with_a_full_disk_no_decision_is_announced_that_is_not_durable() {
    let Some(starved) = Starved::start("TRANSACTIONS_DATABASE_URL").await else {
        return;
    };
    let bank = &starved.bank;
    let alice = bank.alice().await;
    bank.arm(TRANSACTIONS, "before_decide", Failpoint::Pause)
        .await;
    let sent = tokio::spawn({
        let alice = alice.clone();
        async move { alice.transfer(ALICE, BOB, "100", "undecided").await }
    });
    bank.waits_at(TRANSACTIONS, "before_decide").await;
    let (id, _) = bank.newest_transaction().await.unwrap();
    starved.fill().await;
    bank.disarm(TRANSACTIONS, "before_decide").await;
    let unknown = sent.await.unwrap().unwrap();
    assert_eq!(
        (unknown.status.as_u16(), unknown.code()),
        (503, "outcome_unknown"),
        "{}",
        unknown.body
    );
    let branch = bank.branch(ACCOUNTS, &id).await;
    assert_eq!(
        branch.as_deref(),
        Some("PREPARED"),
        "nobody was told anything"
    );
    // Nothing new begins either.
    let other = alice.transfer(ALICE, BOB, "1", "not-begun").await.unwrap();
    assert_eq!(other.status.as_u16(), 503, "{}", other.body);
    assert_ne!(other.body["status"], "committed");
    starved.free().await;
    bank.settles().await;
    let again = alice
        .transfer(ALICE, BOB, "100", "undecided")
        .await
        .unwrap();
    assert_eq!(again.code(), "aborted_by_recovery");
    let branch = bank.branch(ACCOUNTS, &id).await;
    assert_eq!(branch.as_deref(), Some("ABORTED"));
    starved.bank.stop().await;
}
