//! customer-service and the coordinator, as far as a bank sees them.

use std::str::FromStr;
use std::sync::{Arc, Mutex};

use axum::Json;
use service_kit::auth::{Signer, TABLES_SQL, USER_ISSUER, Verifier};
use service_kit::config::BankConfig;
use service_kit::serve::Service;
use service_kit::testing::{TestDatabase, TestServer};
use sqlx::AssertSqlSafe;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use two_phase::message::{InquiryAnswer, InquiryItem, InquiryList, InquiryReply};
use two_phase::retention::Unfinished;
use types::TransactionId;
use utoipa_axum::router::OpenApiRouter;

/// What the coordinator says about transactions; the last word counts.
pub type Answers = Arc<Mutex<Vec<(TransactionId, InquiryAnswer)>>>;

/// What the coordinator is not done with.
pub type Kept = Arc<Mutex<Vec<TransactionId>>>;

/// customer-service and the coordinator in one: their keys, and what a coordinator answers.
pub struct Issuers {
    pub users: Signer,
    pub coordinator: Signer,
    pub peer: Signer,
    pub server: TestServer,
    /// What the coordinator says about a transaction; shared with its route.
    pub answers: Answers,
    /// What the coordinator is not done with; shared with its route.
    pub unfinished: Kept,
}

impl Issuers {
    pub async fn start(database: &TestDatabase) -> Self {
        let options = PgConnectOptions::from_str(database.url().reveal()).expect("a URL");
        let pool = PgPoolOptions::new()
            .max_connections(2)
            .connect_with(options.options([("search_path", "issuers")]))
            .await
            .expect("the database");
        let tables = format!("CREATE SCHEMA issuers; {TABLES_SQL}");
        sqlx::raw_sql(AssertSqlSafe(tables))
            .execute(&pool)
            .await
            .expect("tables");
        let signer = async |name| Signer::new(pool.clone(), name).await.expect("keys");
        let coordinator = signer("transactions-service").await;
        let answers = Answers::default();
        let known = Arc::clone(&answers);
        let inquiries = axum::routing::post(async move |Json(asked): Json<InquiryList>| {
            let known = known.lock().expect("not poisoned");
            let items = asked.items.into_iter().map(|transaction_id| {
                let found = known.iter().rev().find(|(id, _)| *id == transaction_id);
                InquiryItem {
                    transaction_id,
                    answer: found.map_or(InquiryAnswer::Unknown, |(_, answer)| *answer),
                }
            });
            Json(InquiryReply {
                items: items.collect(),
                numbers: None,
            })
        });
        let unfinished = Kept::default();
        let kept = Arc::clone(&unfinished);
        let asked_for = axum::routing::post(async move |Json(asked): Json<InquiryList>| {
            let kept = kept.lock().expect("not poisoned");
            let items = asked.items.into_iter().filter(|id| kept.contains(id));
            Json(Unfinished {
                items: items.collect(),
                numbers: None,
            })
        });
        let service = Service {
            name: "transactions-service".to_owned(),
            version: "0",
            bank: BankConfig::default(),
            router: OpenApiRouter::new()
                .route("/internal/inquiries", inquiries)
                .route("/internal/unfinished", asked_for),
            pool: pool.clone(),
            signer: coordinator.clone(),
            verifier: Verifier::new(pool.clone(), vec![], vec![])
                .await
                .expect("a verifier"),
            dependencies: vec![],
        };
        Self {
            users: signer(USER_ISSUER).await,
            peer: signer("bank-2").await,
            coordinator,
            server: TestServer::start(service).await,
            answers,
            unfinished,
        }
    }
}
