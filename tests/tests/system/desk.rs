//! A bank, and somebody who may ask it for transfers as orders-service does.

use reqwest::Method;
use serde_json::{Value, json};
use service_kit::auth::{Signer, TABLES_SQL, Verifier};
use service_kit::config::BankConfig;
use service_kit::serve::Service;
use service_kit::testing::{TestDatabase, TestServer};
use tests::{Answer, TRANSACTIONS, TestBank, answer, eventually};
use utoipa_axum::router::OpenApiRouter;

use crate::seed::{ALICE, BOB};

/// The customer Alice.
pub(crate) const ALICES: &str = "550e8400-e29b-41d4-a716-446655440001";

pub(crate) struct Desk {
    pub(crate) bank: TestBank,
    pub(crate) signer: Signer,
    keys: TestServer,
    _database: TestDatabase,
}

impl Desk {
    /// The keys of an orders-service are published, and a bank is started that believes them.
    pub(crate) async fn open(
        start: impl AsyncFnOnce(&dyn Fn(stack::Options) -> stack::Options) -> TestBank,
    ) -> Self {
        let database = TestDatabase::create().await;
        let pool = database.pool().await;
        sqlx::raw_sql(TABLES_SQL)
            .execute(&pool)
            .await
            .expect("tables");
        let signer = Signer::new(pool.clone(), "orders-service")
            .await
            .expect("keys");
        let keys = TestServer::start(Service {
            name: "orders-service".to_owned(),
            version: "0",
            bank: BankConfig::default(),
            router: OpenApiRouter::new(),
            pool: pool.clone(),
            signer: signer.clone(),
            verifier: Verifier::new(pool, vec![], vec![])
                .await
                .expect("a verifier"),
            dependencies: vec![],
        })
        .await;
        let url = keys.url().to_owned();
        let bank = start(&|options| options.setting("TRANSACTIONS_ORDERS_URL", &url)).await;
        Self {
            bank,
            signer,
            keys,
            _database: database,
        }
    }

    /// One bank, one coordinator.
    pub(crate) async fn start() -> Self {
        Self::open(async |with| TestBank::start_with(with).await).await
    }

    /// Sends anything to a coordinator, with a token of orders-service.
    pub(crate) fn post(
        &self,
        coordinator: &str,
        path: &str,
        body: Value,
    ) -> impl Future<Output = Answer> + Send + 'static {
        let token = self
            .signer
            .sign_service_token(TRANSACTIONS)
            .expect("a token");
        let url = format!("{}{path}", self.bank.url(coordinator));
        let desk = self.bank.anonymous().with_token(&token);
        async move {
            answer(desk.request(Method::POST, &url).json(&body))
                .await
                .expect("an answer")
        }
    }

    /// Alice pays Bob under a key.
    pub(crate) fn pay(
        &self,
        coordinator: &str,
        key: &str,
        amount: &str,
    ) -> impl Future<Output = Answer> + Send + 'static {
        let body = json!({"idempotency_key": key, "on_behalf_of": ALICES,
            "source_account_id": ALICE, "destination_account_id": BOB, "amount": amount});
        self.post(coordinator, "/internal/transfers", body)
    }

    /// Makes sure that nothing is paid under a key.
    pub(crate) fn close(
        &self,
        coordinator: &str,
        key: &str,
    ) -> impl Future<Output = Answer> + Send + 'static {
        let body = json!({"idempotency_key": key, "description": "refund"});
        self.post(coordinator, "/internal/transfers/close", body)
    }

    /// The same, until it is done.
    pub(crate) async fn closed(&self, coordinator: &str, key: &str) -> Value {
        eventually(&format!("{key} is closed"), || async {
            let answer = self.close(coordinator, key).await;
            match answer.status.as_u16() {
                409 => assert_eq!(answer.code(), "request_in_progress"),
                503 => {}
                _ => return Some(answer.expect(200)),
            }
            None
        })
        .await
    }

    /// How many transactions there are.
    pub(crate) async fn transactions(&self) -> i64 {
        let pool = self.bank.database(TRANSACTIONS).await;
        let counted = sqlx::query_scalar("SELECT count(*) FROM transactions");
        counted.fetch_one(&pool).await.expect("a count")
    }

    /// Everything settles, and Alice and Bob have what they should.
    pub(crate) async fn balances_are(&self, alice: &str, bob: &str) {
        self.bank.settles().await;
        let teller = self.bank.teller().await;
        let balances = (teller.balance(ALICE).await, teller.balance(BOB).await);
        assert_eq!(balances, (alice.to_owned(), bob.to_owned()));
    }

    pub(crate) async fn shut(self) {
        self.bank.stop().await;
        self.keys.stop().await;
    }
}
