//! An order as a saga: it works, it is refused and undone, its process dies and another one goes
//! on; then every fault there is.
//!
//! `cargo run -p saga --features testing --example order`

mod shop;

use std::sync::Arc;

use saga::clock::RealClock;
use saga::memory::MemoryDatabase;
use saga::testing::Trials;
use saga::{Executor, SagaId};
use shop::{Order, Orders, Shop, order};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let shop = Arc::new(Shop::new());
    let database = MemoryDatabase::new(Arc::new(RealClock));
    let executor = Executor::new(order(&shop)?, Arc::new(database.start_process()));

    for (what, pieces, price) in [
        ("3 of 10 pieces for 30 of 100:", 3, 30),
        ("3 more for 300, which the bank refuses:", 3, 300),
    ] {
        println!("{what}");
        let id = SagaId::generate();
        for owned in executor.begin(&[(id, Order { pieces, price })]).await? {
            let finished = executor.drive(owned.ok_or("begun elsewhere")?).await?;
            println!("  {:?}, because of {:?}", finished.status, finished.reason);
        }
        show(&database, id);
    }

    println!("2 more for 20, and the process dies when the saga has begun:");
    let id = SagaId::generate();
    let store = Arc::new(database.start_process());
    let dying = Executor::new(order(&shop)?, Arc::clone(&store));
    drop(
        dying
            .begin(&[(
                id,
                Order {
                    pieces: 2,
                    price: 20,
                },
            )])
            .await?,
    );
    store.end_lease();
    for owned in executor.take_over(10).await? {
        println!("  taken over, {:?}", executor.drive(owned).await?.status);
    }
    show(&database, id);

    println!(
        "stock {}, {:?}\n",
        shop.stock.world().await,
        shop.bank.world().await
    );

    let report = Trials::new(Orders).run().await;
    print!("{report}");
    report.assert_clean();
    Ok(())
}

fn show(database: &MemoryDatabase, id: SagaId) {
    for entry in database.log(id) {
        println!("    {:>2} {:?}", entry.sequence, entry.event);
    }
}
