//! A shop: orders, stock and money, each at a performer of its own with its own barrier.

use std::collections::BTreeMap;
use std::sync::Arc;

use saga::memory::MemoryPerformer;
use saga::testing::Subject;
use saga::{Answer, Call, Definition, DefinitionError, Options, Reason, SagaId, Status, Step};
use serde::{Deserialize, Serialize};

/// What an order carries from step to step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub pieces: u32,
    pub price: i64,
}

/// Money at the bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Money {
    pub customer: i64,
    pub shop: i64,
}

/// Three stores that share no transaction.
#[derive(Debug)]
pub struct Shop {
    pub orders: MemoryPerformer<BTreeMap<SagaId, &'static str>>,
    pub stock: MemoryPerformer<u32>,
    pub bank: MemoryPerformer<Money>,
}

impl Shop {
    pub fn new() -> Self {
        Self {
            orders: MemoryPerformer::new(BTreeMap::new()),
            stock: MemoryPerformer::new(10),
            bank: MemoryPerformer::new(Money {
                customer: 100,
                shop: 0,
            }),
        }
    }
}

const SOLD_OUT: Reason = Reason::fixed("sold_out");
const INSUFFICIENT_FUNDS: Reason = Reason::fixed("insufficient_funds");

fn create(shop: &Arc<Shop>) -> Step<Order> {
    let (create, cancel) = (Arc::clone(shop), Arc::clone(shop));
    let set = |shop: Arc<Shop>, call: Call<Order>, status| async move {
        let id = call.saga_id;
        let write = |orders: &mut BTreeMap<_, _>| {
            orders.insert(id, status);
            Answer::Done
        };
        shop.orders.perform(&call, write).await
    };
    Step::new("create", move |call| set(Arc::clone(&create), call, "open"))
        .compensate(move |call| set(Arc::clone(&cancel), call, "cancelled"))
}

fn reserve(shop: &Arc<Shop>) -> Step<Order> {
    let (take, give_back) = (Arc::clone(shop), Arc::clone(shop));
    Step::new("reserve", move |call: Call<Order>| {
        let shop = Arc::clone(&take);
        async move {
            let reserve = |stock: &mut u32| match stock.checked_sub(call.state.pieces) {
                None => Answer::Refused(SOLD_OUT),
                Some(left) => {
                    *stock = left;
                    Answer::Done
                }
            };
            shop.stock.perform(&call, reserve).await
        }
    })
    .compensate(move |call: Call<Order>| {
        let shop = Arc::clone(&give_back);
        async move {
            let put_back = |stock: &mut u32| {
                *stock += call.state.pieces;
                Answer::Done
            };
            shop.stock.perform(&call, put_back).await
        }
    })
}

fn pay(shop: &Arc<Shop>) -> Step<Order> {
    let (pay, refund) = (Arc::clone(shop), Arc::clone(shop));
    let transfer = |shop: Arc<Shop>, call: Call<Order>, amount| async move {
        let book = |money: &mut Money| {
            if money.customer < amount {
                return Answer::Refused(INSUFFICIENT_FUNDS);
            }
            money.customer -= amount;
            money.shop += amount;
            Answer::Done
        };
        shop.bank.perform(&call, book).await
    };
    Step::new("pay", move |call: Call<Order>| {
        let price = call.state.price;
        transfer(Arc::clone(&pay), call, price)
    })
    .compensate(move |call: Call<Order>| {
        let price = call.state.price;
        transfer(Arc::clone(&refund), call, -price)
    })
    .pivot()
}

fn confirm(shop: &Arc<Shop>) -> Step<Order> {
    let shop = Arc::clone(shop);
    Step::new("confirm", move |call: Call<Order>| {
        let shop = Arc::clone(&shop);
        async move {
            let confirm = |orders: &mut BTreeMap<_, _>| {
                orders.insert(call.saga_id, "confirmed");
                Answer::Done
            };
            shop.orders.perform(&call, confirm).await
        }
    })
}

/// The whole saga.
pub fn order(shop: &Arc<Shop>) -> Result<Definition<Order>, DefinitionError> {
    let steps = [create(shop), reserve(shop), pay(shop), confirm(shop)];
    Definition::new("order", Options::default(), steps)
}

/// The saga under test.
pub struct Orders;

impl Subject for Orders {
    type State = Order;
    type World = Shop;

    async fn world(&self) -> Shop {
        Shop::new()
    }

    fn definition(&self, shop: &Arc<Shop>) -> Definition<Order> {
        order(shop).expect("four steps of different names")
    }

    fn state(&self) -> Order {
        Order {
            pieces: 3,
            price: 30,
        }
    }

    async fn check(&self, shop: &Shop, saga: SagaId, ended: Status) -> Result<(), String> {
        let status = shop.orders.world().await.get(&saga).copied();
        let found = (status, shop.stock.world().await, shop.bank.world().await);
        let fits = match ended {
            Status::Committed => {
                found
                    == (
                        Some("confirmed"),
                        7,
                        Money {
                            customer: 70,
                            shop: 30,
                        },
                    )
            }
            _ => {
                matches!(found.0, None | Some("cancelled"))
                    && (found.1, &found.2)
                        == (
                            10,
                            &Money {
                                customer: 100,
                                shop: 0,
                            },
                        )
            }
        };
        if fits {
            Ok(())
        } else {
            Err(format!("{found:?}"))
        }
    }
}
