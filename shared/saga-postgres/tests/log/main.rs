//! The log against a real PostgreSQL.

mod engine;
mod leases;
mod reading;
mod writes;

use std::time::Duration;

use saga::machine::{Event, Shape, Snapshot};
use saga::store::{Entry, LogWrite, NewSaga, Record};
use saga::{Reason, SagaId};
use saga_postgres::{Lease, PgSagaLog, TABLES};
use service_kit::testing::TestDatabase;
use sqlx::PgPool;

const LEASE: Duration = Duration::from_secs(600);
const KIND: &str = "transfer";
const SHAPE: Shape = Shape {
    steps: 2,
    pivot: None,
    pivot_can_be_undone: false,
};

/// A database with the tables.
struct Bench {
    pool: PgPool,
    _database: TestDatabase,
}

impl Bench {
    async fn new() -> Self {
        let database = TestDatabase::create().await;
        let pool = database.pool().await;
        sqlx::raw_sql(TABLES).execute(&pool).await.expect("tables");
        Self {
            pool,
            _database: database,
        }
    }

    async fn process(&self, name: &str) -> PgSagaLog {
        let lease = Lease::register(self.pool.clone(), name, LEASE).await;
        PgSagaLog::new(lease.expect("registered"))
    }

    async fn run(&self, statement: &'static str) {
        sqlx::raw_sql(statement)
            .execute(&self.pool)
            .await
            .expect(statement);
    }

    async fn count(&self, query: &'static str) -> i64 {
        let counted = sqlx::query_scalar(query).fetch_one(&self.pool).await;
        counted.expect(query)
    }
}

fn new_saga(saga_id: SagaId) -> NewSaga {
    let begun = saga::decide::begin(SHAPE).expect("a saga with steps");
    NewSaga {
        saga_id,
        kind: KIND,
        record: Record {
            snapshot: begun.snapshot,
            sequence: 1,
            state: r#"{"amount":"1.00"}"#.to_owned(),
        },
        entries: vec![Entry {
            sequence: 1,
            event: begun.events[0].clone(),
        }],
    }
}

/// The first step is done, the second is asked for.
fn first_done(saga_id: SagaId, epoch: i32) -> LogWrite {
    write(
        saga_id,
        epoch,
        &new_saga(saga_id).record.snapshot,
        vec![
            Event::ActionDone { step: 0 },
            Event::ActionStarted { step: 1 },
        ],
    )
}

/// It got stuck while it went back.
fn got_stuck(saga_id: SagaId, epoch: i32) -> LogWrite {
    let reason = Reason::fixed("no_answer");
    let events = vec![
        Event::TurnedBack {
            reason: reason.clone(),
        },
        Event::CompensationStarted { step: 0 },
        Event::Stuck { step: 0, reason },
    ];
    write(saga_id, epoch, &new_saga(saga_id).record.snapshot, events)
}

fn write(saga_id: SagaId, epoch: i32, before: &Snapshot, events: Vec<Event>) -> LogWrite {
    let snapshot = before.apply_all(SHAPE, &events).expect("legal events");
    LogWrite {
        saga_id,
        epoch,
        after: 1,
        snapshot,
        state: None,
        attempts: 1,
        entries: (2..)
            .zip(events)
            .map(|(sequence, event)| Entry { sequence, event })
            .collect(),
    }
}
