//! The trials of the engine on the sagas of orders, with their real stores.

use std::sync::Arc;
use std::time::Duration;

use orders_service::ordering::cancellation::cancellation;
use orders_service::ordering::definition::order;
use orders_service::ordering::payments::{Payment, Payments};
use orders_service::ordering::state::{Cancelled, Ordered};
use saga::testing::{Subject, Trials};
use saga::{Definition, Direction, OperationId, Options, SagaId, Status};
use tokio::sync::OnceCell;
use types::views::Quantity;
use types::{AccountId, OrderId, ProductId};
use uuid::Uuid;

use crate::shop::{BAR, COIN, Shop};

fn options() -> Options {
    Options {
        attempt_timeout: Duration::from_millis(250),
        retries: 1,
        compensation_retries: 2,
        ..Options::default()
    }
}

fn pieces() -> Vec<(ProductId, Quantity)> {
    let quantity = |pieces: u32| pieces.try_into().expect("a quantity");
    vec![
        (ProductId::from_uuid(BAR), quantity(2)),
        (ProductId::from_uuid(COIN), quantity(3)),
    ]
}

fn ordered() -> Ordered {
    Ordered {
        order_id: OrderId::from_uuid(Uuid::from_u128(7)),
        customer_id: None,
        account_id: AccountId::from_uuid(Uuid::from_u128(8)),
        sales_account_id: AccountId::from_uuid(Uuid::from_u128(9)),
        total: "265.00".parse().expect("an amount"),
        currency: "USD".parse().expect("a currency"),
        pieces: pieces(),
        failure: None,
        payment: None,
    }
}

async fn is(shop: &Shop, state: &str, items: &str, sold: bool) -> Result<(), String> {
    let found = (
        shop.order(ordered().order_id).await,
        shop.stock(ProductId::from_uuid(BAR)).await,
        shop.stock(ProductId::from_uuid(COIN)).await,
        shop.bank.paid().await,
    );
    let (bars, coins, paid) = if sold {
        ((48, 0, 2), (7, 0, 3), 26_500)
    } else {
        ((50, 0, 0), (10, 0, 0), 0)
    };
    let ((found_state, found_items), ..) = &found;
    let alike = |found: &str, expected: &str| expected.split('|').any(|one| one == found);
    let fits = alike(found_state, state)
        && found_items.iter().all(|item| alike(item, items))
        && (found.1, found.2, found.3) == (bars, coins, paid);
    if fits {
        Ok(())
    } else {
        Err(format!("{found:?}"))
    }
}

/// Opening a shop takes two databases, so the trials share one.
async fn opened(shop: &OnceCell<Shop>) -> Shop {
    let shop = shop.get_or_init(Shop::open).await.anew().await;
    shop.place(&ordered()).await;
    shop
}

struct Orders(OnceCell<Shop>);

impl Subject for Orders {
    type State = Ordered;
    type World = Shop;

    async fn world(&self) -> Shop {
        opened(&self.0).await
    }

    fn definition(&self, shop: &Arc<Shop>) -> Definition<Ordered> {
        order(&shop.desk, options(), options().attempt_timeout).expect("a definition")
    }

    fn state(&self) -> Ordered {
        ordered()
    }

    async fn check(&self, shop: &Shop, _: SagaId, ended: Status) -> Result<(), String> {
        if ended == Status::Committed {
            is(shop, "confirmed", "sold", true).await
        } else {
            is(shop, "placed|cancelled", "none|returned", false).await
        }
    }
}

struct Cancellations(OnceCell<Shop>);

/// The saga of the order that is cancelled.
fn bought() -> SagaId {
    SagaId::from_uuid(Uuid::from_u128(11))
}

impl Subject for Cancellations {
    type State = Cancelled;
    type World = Shop;

    async fn world(&self) -> Shop {
        let shop = opened(&self.0).await;
        let definition = order(&shop.desk, options(), options().attempt_timeout);
        let log = saga::memory::MemoryDatabase::new(Arc::new(saga::clock::RealClock));
        let executor = saga::Executor::new(
            definition.expect("a definition"),
            Arc::new(log.start_process()),
        );
        let begun = executor.begin(&[(bought(), ordered())]).await;
        for owned in begun.expect("a log") {
            let finished = executor.drive(owned.expect("ours")).await;
            assert_eq!(finished.expect("an end").status, Status::Committed);
        }
        shop
    }

    fn definition(&self, shop: &Arc<Shop>) -> Definition<Cancelled> {
        cancellation(&shop.desk, options(), options().attempt_timeout).expect("a definition")
    }

    fn state(&self) -> Cancelled {
        Cancelled {
            order_id: ordered().order_id,
            payment: OperationId::new(bought(), "pay", Direction::Action).uuid(),
            pieces: pieces(),
        }
    }

    async fn check(&self, shop: &Shop, _: SagaId, ended: Status) -> Result<(), String> {
        if ended == Status::Committed {
            is(shop, "cancelled", "returned", false).await
        } else {
            is(shop, "confirmed", "sold", true).await
        }
    }
}

/// Every step fails in turn, answers are lost, everything comes twice and late, processes die before
/// and after every write of the log: afterwards the order, the stock and the money agree.
#[tokio::test]
async fn an_order_with_any_fault_is_all_or_nothing() {
    let report = Trials::new(Orders(OnceCell::new()))
        .in_real_time()
        .random(40)
        .run()
        .await;
    println!("{report}");
    report.assert_clean();
}

#[tokio::test]
async fn a_cancellation_with_any_fault_is_all_or_nothing() {
    let report = Trials::new(Cancellations(OnceCell::new()))
        .in_real_time()
        .random(20)
        .run()
        .await;
    println!("{report}");
    report.assert_clean();
}

/// A payment may be taken back once, and never comes after that.
#[tokio::test]
async fn the_bank_of_these_tests_keeps_its_promises() {
    let shop = Shop::open().await;
    let order = ordered();
    let payment = Payment {
        operation: Uuid::from_u128(1),
        on_behalf_of: None,
        source: order.account_id,
        destination: order.sales_account_id,
        amount: order.total,
    };
    drop(shop.bank.undo(payment.operation).await);
    drop(shop.bank.pay(payment).await);
    assert_eq!(shop.bank.paid().await, 0);
}
