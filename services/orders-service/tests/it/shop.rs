//! A cash desk with its real stores, and a bank in memory that keeps its promises.

use std::sync::Arc;

use documents::{Documents, Settings};
use orders_service::ordering::desk::Desk;
use orders_service::ordering::payments::{Payment, Payments};
use orders_service::ordering::state::Ordered;
use orders_service::{MIGRATIONS, seed};
use saga::barrier::Request;
use saga::memory::MemoryPerformer;
use saga::{Answer, OperationId, Reason};
use service_kit::database;
use service_kit::testing::TestDatabase;
use sqlx::PgPool;
use types::{Amount, OrderId, ProductId, TransactionId};
use uuid::{Uuid, uuid};

/// Ten pieces at 25.00.
pub const COIN: Uuid = uuid!("770e8400-e29b-41d4-a716-446655440005");
/// Fifty pieces at 95.00.
pub const BAR: Uuid = uuid!("770e8400-e29b-41d4-a716-446655440002");

/// A bank whose keys can be closed, as transactions-service is one.
#[derive(Clone)]
pub struct MemoryBank(Arc<MemoryPerformer<Till>>);

/// What was paid, in hundredths, and whether anything ever was.
#[derive(Debug, Clone, Copy, Default)]
pub struct Till {
    paid: i64,
    was_paid: bool,
}

impl MemoryBank {
    fn new() -> Self {
        Self(Arc::new(MemoryPerformer::new(Till::default())))
    }

    /// What was paid and not taken back, in hundredths.
    pub async fn paid(&self) -> i64 {
        self.0.world().await.paid
    }
}

/// Whole hundredths.
pub fn cents(amount: Amount) -> i64 {
    let text = amount.to_string().replace('.', "");
    text.parse().expect("two places")
}

impl Payments for MemoryBank {
    async fn pay(&self, payment: Payment) -> Answer<TransactionId> {
        let request = Request::Action(OperationId::from_uuid(payment.operation));
        let book = |till: &mut Till| {
            till.paid += cents(payment.amount);
            till.was_paid = true;
            Answer::Done
        };
        match self.0.perform::<()>(request, book).await {
            Answer::Done => Answer::DoneWith(TransactionId::from_uuid(payment.operation)),
            Answer::Refused(reason) => Answer::Refused(reason),
            other => panic!("{other:?}"),
        }
    }

    async fn undo(&self, operation: Uuid) -> Answer<()> {
        let request = Request::Compensation {
            operation: OperationId::from_uuid(Uuid::new_v5(&operation, b"undo")),
            undoes: OperationId::from_uuid(operation),
        };
        // All payments here are of one order.
        let take_back = |till: &mut Till| {
            till.paid = 0;
            Answer::Done
        };
        self.0.perform(request, take_back).await
    }

    async fn refund(&self, operation: Uuid) -> Answer<()> {
        if !self.0.world().await.was_paid {
            return Answer::Refused(Reason::fixed("never_paid"));
        }
        self.undo(operation).await
    }
}

/// Stores of their own, and one order that was placed.
pub struct Shop {
    pub pool: PgPool,
    pub documents: Documents,
    pub bank: MemoryBank,
    pub desk: Desk<MemoryBank>,
    /// Kept as long as somebody uses them.
    databases: Arc<[TestDatabase; 2]>,
}

impl Shop {
    pub async fn open() -> Self {
        let databases = [TestDatabase::create().await, TestDatabase::create().await];
        let pool = databases[0].pool().await;
        database::migrate(&pool, &MIGRATIONS)
            .await
            .expect("a schema");
        let settings = Settings::postgres(databases[1].url().reveal()).connections(4);
        let documents = Documents::connect(&settings).await.expect("documents");
        seed::insert(&pool, &documents).await.expect("products");
        let bank = MemoryBank::new();
        Self {
            desk: Desk::new(pool.clone(), documents.clone(), bank.clone()),
            pool,
            documents,
            bank,
            databases: Arc::new(databases),
        }
    }

    /// The same stores with nothing in them but what the cash desk sells, and another bank.
    pub async fn anew(&self) -> Self {
        self.tidy_up().await;
        let bank = MemoryBank::new();
        Self {
            desk: Desk::new(self.pool.clone(), self.documents.clone(), bank.clone()),
            pool: self.pool.clone(),
            documents: self.documents.clone(),
            bank,
            databases: Arc::clone(&self.databases),
        }
    }

    /// Writes the rows that placing an order writes, unless they are there.
    pub async fn place(&self, order: &Ordered) {
        sqlx::query(
            "INSERT INTO orders (order_id, placed_by, account_id, currency, total)
             VALUES ($1, $1, $2, 'USD', $3) ON CONFLICT DO NOTHING",
        )
        .bind(order.order_id.uuid())
        .bind(order.account_id.uuid())
        .bind(order.total.decimal())
        .execute(&self.pool)
        .await
        .expect("an order");
        for (position, (product, quantity)) in (1_i16..).zip(&order.pieces) {
            sqlx::query(
                "INSERT INTO order_items (order_id, position, product_id, name, price, quantity)
                 VALUES ($1, $2, $3, 'x', 1, $4) ON CONFLICT DO NOTHING",
            )
            .bind(order.order_id.uuid())
            .bind(position)
            .bind(product.uuid())
            .bind(i32::try_from(quantity.get()).expect("a quantity"))
            .execute(&self.pool)
            .await
            .expect("an item");
        }
    }

    async fn tidy_up(&self) {
        sqlx::query("TRUNCATE orders, order_items, order_operations, injected_failures CASCADE")
            .execute(&self.pool)
            .await
            .expect("empty tables");
        for product in [COIN, BAR] {
            let id = product.to_string();
            let everything = documents::Filter::everything();
            let deleted = self.documents.delete("stock", &id, &everything).await;
            deleted.expect("a document");
        }
        let seeded = seed::insert(&self.pool, &self.documents).await;
        seeded.expect("products");
    }

    /// The state of the order and of each item.
    pub async fn order(&self, id: OrderId) -> (String, Vec<String>) {
        let state = sqlx::query_scalar("SELECT state FROM orders WHERE order_id = $1");
        let state: String = state
            .bind(id.uuid())
            .fetch_one(&self.pool)
            .await
            .expect("an order");
        let stock = sqlx::query_scalar(
            "SELECT stock FROM order_items WHERE order_id = $1 ORDER BY position",
        );
        let stock = stock.bind(id.uuid()).fetch_all(&self.pool).await;
        (state, stock.expect("items"))
    }

    /// Available, reserved and sold.
    pub async fn stock(&self, product: ProductId) -> (i64, i64, i64) {
        let found = self.documents.get("stock", &product.to_string()).await;
        let body = found.expect("the store answers").expect("a document").body;
        let read = |name: &str| body[name].as_i64().expect("a number");
        (read("available"), read("reserved"), read("sold"))
    }
}
