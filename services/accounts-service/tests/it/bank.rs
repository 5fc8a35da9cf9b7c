//! A running bank with the seed data, and those who call it.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use accounts_service::participant::Participant;
use accounts_service::participant::in_doubt::Inquirer;
use accounts_service::participant::retention::{Cleaner, NotDeleted};
use accounts_service::{AccountsConfig, Built, MIGRATIONS, build, seed};
use chrono::Utc;
use reqwest::Client;
use serde_json::json;
use service_kit::auth::{USER_AUDIENCE, USER_ISSUER, UserClaims};
use service_kit::config::{BankConfig, Loaded};
use service_kit::database::ByKey;
use service_kit::retention::{Deleted, Sweeper};
use service_kit::serve::bind;
use service_kit::testing::{TestDatabase, TestServer};
use service_kit::{client, database};
use sqlx::{AssertSqlSafe, PgPool};
use tokio::net::TcpListener;
use two_phase::BranchState;
use two_phase::message::{Comparison, InquiryAnswer, Outcome, Prepare};
use two_phase::numbers::Lanes;
use types::views::Role;
use types::{CustomerId, DatabaseId, LoginId, ParticipantId, TransactionId};
use uuid::Uuid;

pub use crate::actor::{Actor, send};
use crate::issuers::Issuers;
pub use crate::transfers::{
    ALICE, ALICE_1, ALICE_2, BOB, BOB_1, CAROL_1, account, bank_1, bank_2, figures, no, part,
    transfer, yes,
};

/// One bank.
pub struct Bank {
    pub pool: PgPool,
    pub participant: Participant,
    pub url: String,
    _database: TestDatabase,
    inquirer: Inquirer,
    cleaner: Cleaner,
    issuers: Issuers,
    client: Client,
    _server: TestServer,
}

/// What the tests choose about a bank.
pub struct Setup {
    pub participant: ParticipantId,
    pub peers: String,
    pub bank: BankConfig,
    pub in_doubt_after_ms: u64,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            participant: bank_1(),
            // Its keys are the issuers', and it never answers a question.
            peers: String::new(),
            bank: BankConfig::default(),
            in_doubt_after_ms: 0,
        }
    }
}

pub async fn listener() -> (TcpListener, String) {
    let listener = bind(IpAddr::V4(Ipv4Addr::LOCALHOST), 0)
        .await
        .expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    (listener, url)
}

impl Bank {
    pub async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    pub async fn with(setup: Setup) -> Self {
        let (listener, url) = listener().await;
        Self::on(listener, url, setup).await
    }

    pub async fn on(listener: TcpListener, url: String, setup: Setup) -> Self {
        let database = TestDatabase::create().await;
        let pool = database.pool().await;
        database::migrate(&pool, &MIGRATIONS)
            .await
            .expect("migrations");
        seed::insert(&pool, &setup.participant)
            .await
            .expect("seed data");
        let issuers = Issuers::start(&database).await;
        let issuer_url = issuers.server.url().to_owned();
        let peers = if setup.peers.is_empty() {
            format!("bank-2={issuer_url}")
        } else {
            setup.peers
        };
        let config = AccountsConfig {
            participant_id: setup.participant.clone(),
            customer_url: Some(issuer_url.clone()),
            coordinator_urls: Some(issuer_url),
            peers: peers.parse().expect("peers"),
            in_doubt_after_ms: setup.in_doubt_after_ms,
            planted_bug: std::env::var("ACCOUNTS_PLANTED_BUG").ok(),
            ..AccountsConfig::default()
        };
        let loaded = Loaded {
            bank: setup.bank,
            service: config,
        };
        let Built {
            service,
            inquirer,
            retention,
        } = build(loaded, pool.clone()).await.expect("a service");
        let participant = Participant::new(ByKey::beside(&pool), setup.participant.clone());
        let first = comparison(&setup.participant, &[], &[]);
        let reply = participant.compare(first).await.expect("a comparison");
        assert!(reply.session.is_some(), "two new databases are in step");
        Self {
            participant,
            inquirer,
            cleaner: retention.cleaner,
            url,
            pool,
            _database: database,
            issuers,
            client: client::plain_http_client(Duration::from_secs(30)),
            _server: TestServer::start_on(listener, service),
        }
    }

    /// The loop that asks about branches in doubt; tests take its steps.
    pub const fn inquirer(&self) -> &Inquirer {
        &self.inquirer
    }

    /// Deletes all that is old.
    pub async fn sweep(&mut self) -> Result<Deleted, NotDeleted> {
        let mut all = Deleted::default();
        while let Some(deleted) = self.cleaner.batch().await? {
            all.add(&deleted);
        }
        Ok(all)
    }

    /// From now on the coordinator is not done with these.
    pub fn coordinator_needs(&self, ids: &[TransactionId]) {
        let mut unfinished = self.issuers.unfinished.lock().expect("not poisoned");
        unfinished.extend(ids);
    }

    /// From now on the coordinator says this about a transaction.
    pub fn coordinator_says(&self, id: TransactionId, answer: InquiryAnswer) {
        let mut answers = self.issuers.answers.lock().expect("not poisoned");
        answers.push((id, answer));
    }

    /// From now on no coordinator can be reached.
    pub async fn lose_coordinator(&mut self) {
        self.issuers.server.begin_to_stop();
        let health = format!("{}/health", self.issuers.server.url());
        while self.client.get(&health).send().await.is_ok() {
            tokio::task::yield_now().await;
        }
    }

    pub fn anonymous(&self) -> Actor {
        Actor {
            client: self.client.clone(),
            url: self.url.clone(),
            token: None,
        }
    }

    pub fn user(&self, role: Role, customer: Option<&str>) -> Actor {
        let now = Utc::now().timestamp();
        let claims = UserClaims {
            iss: USER_ISSUER.to_owned(),
            aud: USER_AUDIENCE.to_owned(),
            sub: LoginId::generate(),
            customer_id: customer.map(|id| id.parse::<CustomerId>().expect("a customer id")),
            role,
            iat: now,
            exp: now + 900,
            jti: Uuid::new_v4(),
        };
        let token = self.issuers.users.sign(&claims).expect("a token");
        self.anonymous().with_token(&token)
    }

    pub fn alice(&self) -> Actor {
        self.user(Role::Customer, Some(ALICE))
    }

    pub fn bob(&self) -> Actor {
        self.user(Role::Customer, Some(BOB))
    }

    pub fn teller(&self) -> Actor {
        self.user(Role::Teller, None)
    }

    pub fn admin(&self) -> Actor {
        self.user(Role::Admin, None)
    }

    pub fn coordinator(&self) -> Actor {
        self.coordinator_for(self.participant.name().as_str())
    }

    pub fn coordinator_for(&self, audience: &str) -> Actor {
        let token = self.issuers.coordinator.sign_service_token(audience);
        self.anonymous().with_token(&token.expect("a token"))
    }

    /// Another bank, `bank-2`.
    pub fn peer(&self) -> Actor {
        let token = self.issuers.peer.sign_service_token("bank-1");
        self.anonymous().with_token(&token.expect("a token"))
    }

    /// Runs SQL as the database's owner.
    pub async fn sql(&self, statements: &str) {
        sqlx::raw_sql(AssertSqlSafe(statements.to_owned()))
            .execute(&self.pool)
            .await
            .expect("SQL");
    }

    /// One number.
    pub async fn count(&self, query: &str) -> i64 {
        sqlx::query_scalar(AssertSqlSafe(query.to_owned()))
            .fetch_one(&self.pool)
            .await
            .expect("a count")
    }

    pub async fn state(&self, id: TransactionId) -> Option<BranchState> {
        let states = self.participant.states(vec![id]).await.expect("states");
        states.get(&id).copied()
    }

    /// Balance, pending debits, pending credits and version of an account.
    pub async fn figures(&self, id: &str) -> (String, String, String, i64) {
        let reply = self.teller().get(&format!("/accounts/{id}")).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        (
            reply.text("balance"),
            reply.text("pending_debits"),
            reply.text("pending_credits"),
            reply.body["version"].as_i64().expect("a version"),
        )
    }

    /// Prepares one transfer.
    pub async fn prepare(&self, prepare: &Prepare) -> two_phase::Vote {
        let votes = self.participant.prepare(vec![prepare.clone()]).await;
        votes[0].expect("a vote")
    }

    pub async fn decide(&self, id: TransactionId, outcome: Outcome) -> two_phase::Acknowledgement {
        let answers = self.participant.decide(vec![(id, outcome)]).await;
        answers[0].expect("an answer")
    }

    /// Every invariant holds.
    pub async fn assert_sound(&self) {
        let reply = self.admin().get("/ledger/check").await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        assert_eq!(reply.body["ok"], true, "{:#}", reply.body);
    }

    /// Nothing is held or open.
    pub async fn assert_at_rest(&self) {
        let open = "SELECT count(*) FROM branches WHERE state = 'PREPARED'";
        assert_eq!(self.count(open).await, 0, "open branches");
        let held = "SELECT count(*) FROM accounts WHERE pending_debits <> 0
                    OR pending_credits <> 0 OR reserved_credits <> 0
                    OR transaction_lock IS NOT NULL OR (kind = 'in_transit' AND balance <> 0)";
        assert_eq!(self.count(held).await, 0, "holds");
        let open = "SELECT count(*) FROM saga_parts WHERE state IN ('DEBITED', 'CREDITED')";
        assert_eq!(self.count(open).await, 0, "open sagas");
        self.assert_sound().await;
    }

    /// Opens an account with money in it.
    pub async fn open(&self, customer: &str, balance: &str, locking: &str) -> String {
        let body = json!({"customer_id": customer, "currency": "USD",
            "opening_balance": balance, "locking": locking});
        let reply = self.teller().post("/accounts", &body).await;
        assert_eq!(reply.status, 201, "{}", reply.body);
        reply.text("account_id")
    }
}

/// What the coordinator's database says of itself: its own numbers, and those it has seen.
pub fn comparison(bank: &ParticipantId, own: &[i64], seen: &[i64]) -> Comparison {
    Comparison {
        participant: bank.clone(),
        database_id: DatabaseId::from_uuid(Uuid::from_u128(1)),
        incarnation: "the first".to_owned(),
        own: Lanes::from_row(own),
        seen: Lanes::from_row(seen),
    }
}
