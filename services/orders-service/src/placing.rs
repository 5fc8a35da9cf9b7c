//! `POST /orders`: one order, once per key.

use saga::{SagaId, Status};
use service_kit::Problem;
use service_kit::database::{retry_transient, spawned};
use service_kit::failpoints;
use types::views::{Order, OrderStatus, PlaceOrder};
use types::{Code, LoginId, OrderId};

use crate::app::App;
use crate::draft::{Orderer, check, draft, fingerprint};
use crate::driving::drive;
use crate::error::Error;
use crate::ordering::state::Ordered;
use crate::store::keys::{self, Keyed, Reply};
use crate::store::placed::{self, Item};
use crate::store::{products, reading};

/// What the client is told.
pub(crate) enum Placed {
    /// How it ended, now or under an earlier request with this key.
    Ended(Reply, bool),
    /// It is still being carried out.
    Runs(Box<Order>),
}

/// Carries out one order, or repeats what was answered under its key.
///
/// Durable when it returns: what the answer says.
pub(crate) async fn place(
    app: &App,
    login: LoginId,
    orderer: Orderer,
    key: types::IdempotencyKey,
    request: PlaceOrder,
) -> Result<Placed, Problem> {
    let request = check(request, orderer, app.is_development).map_err(refused)?;
    let keyed = Keyed {
        scope: login,
        key,
        fingerprint: fingerprint(&request),
    };
    // The key may know what the catalogue cannot tell any more.
    if let Some(known) = keys::find(&app.pool, &keyed).await? {
        return replay(app, &keyed, known).await;
    }
    let ids: Vec<_> = request.items.iter().map(|item| item.product_id).collect();
    let listed = products::find(&app.pool, &ids).await?;
    let order_id = OrderId::generate();
    let (ordered, items) = draft(order_id, &request, &listed, &app.sales).map_err(refused)?;
    if !carry_out(app, &keyed, ordered, items).await? {
        let known = keys::find(&app.pool, &keyed).await?;
        let known = known.ok_or_else(|| Problem::internal("a key that was taken is gone"))?;
        return replay(app, &keyed, known).await;
    }
    let order = read(app, order_id).await?;
    match reply(&order) {
        None => Ok(Placed::Runs(Box::new(order))),
        Some(reply) => Ok(Placed::Ended(
            keys::keep(&app.pool, &keyed, reply).await?,
            false,
        )),
    }
}

fn refused((code, detail): (Code, &'static str)) -> Problem {
    Problem::new(code).detail(detail)
}

/// Begins the order and waits for its end for a while. `false`: the key is taken, nothing is begun.
async fn carry_out(
    app: &App,
    keyed: &Keyed,
    ordered: Ordered,
    items: Vec<Item>,
) -> Result<bool, Problem> {
    failpoints::hit("before_begin").await?;
    let saga_id = SagaId::from_uuid(ordered.order_id.uuid());
    // Before it is in the log: recovery would take it for one that has lost its driver.
    let entered = app.orders.enter(saga_id);
    let saga = app.orders.definition().begin(saga_id, &ordered);
    let saga = saga.map_err(Problem::internal)?;
    let begun = {
        let (app, keyed, saga, ordered) =
            (app.clone(), keyed.clone(), saga.clone(), ordered.clone());
        spawned::<_, Error>(async move {
            retry_transient(|| async {
                let mut transaction = app.pool.begin().await?;
                if !keys::take(&mut transaction, &keyed, ordered.order_id).await? {
                    return Ok(None);
                }
                placed::insert(&mut transaction, &ordered, keyed.scope, &items).await?;
                let executor = app.orders.store().lease().executor();
                let sagas = std::slice::from_ref(&saga);
                let begun = saga_postgres::begin_in(&mut transaction, executor, sagas).await?;
                transaction.commit().await?;
                Ok(begun.into_iter().next().flatten())
            })
            .await
        })
    };
    let Some(epoch) = begun.await? else {
        return Ok(false);
    };
    tracing::info!(event = "ORDER_PLACED", order_id = %ordered.order_id, total = %ordered.total);
    let owned = app.orders.begun(entered, saga, epoch);
    let driven = drive(&app.orders, &app.pool, owned);
    // Whoever waits for too long is told that it runs; the task goes on.
    if let Ok(Ok(Some(finished))) = tokio::time::timeout(app.patience, driven).await {
        debug_assert!(finished.status.is_final() || finished.status == Status::Stuck);
    }
    failpoints::hit("before_client_reply").await?;
    Ok(true)
}

/// What was answered under this key, or will be.
async fn replay(app: &App, keyed: &Keyed, known: keys::Known) -> Result<Placed, Problem> {
    if known.fingerprint != keyed.fingerprint {
        return Err(Problem::new(Code::IdempotencyKeyReused)
            .detail("The key was used for a different request."));
    }
    if let Some(reply) = known.reply {
        return Ok(Placed::Ended(reply, true));
    }
    let order = read(app, known.order_id).await?;
    match reply(&order) {
        Some(reply) => Ok(Placed::Ended(
            keys::keep(&app.pool, keyed, reply).await?,
            true,
        )),
        None => Err(Problem::new(Code::RequestInProgress)
            .detail("The order is still being carried out.")
            .extension("order_id", order.order_id.to_string().into())
            .retry_after(1)),
    }
}

async fn read(app: &App, order: OrderId) -> Result<Order, Problem> {
    let filter = reading::Filter {
        order: Some(order),
        ..reading::Filter::default()
    };
    let found = reading::find(&app.pool, filter, 1).await?.pop();
    let found = found.ok_or_else(|| Problem::internal("an order that was begun is gone"))?;
    Ok(found.order)
}

/// The answer to an order that has ended; `None` while it is under way.
fn reply(order: &Order) -> Option<Reply> {
    match order.status {
        OrderStatus::Committed | OrderStatus::Cancelled => Some(Reply {
            status: 201,
            body: serde_json::to_string(order).ok()?,
        }),
        OrderStatus::Compensated => {
            let problem = failed(order);
            Some(Reply {
                status: problem.http_status(),
                body: problem.document(),
            })
        }
        OrderStatus::Started | OrderStatus::Compensating | OrderStatus::Stuck => None,
    }
}

/// The refusal of an order that was undone.
fn failed(order: &Order) -> Problem {
    let reason = order.reason.as_deref().unwrap_or_default();
    let code: Code = reason.parse().unwrap_or(Code::StepFailed);
    Problem::new(code)
        .status(422)
        .detail("The order did not come about; nothing of it is left.")
        .extension("order_id", order.order_id.to_string().into())
        .extension(
            "retry",
            serde_json::to_value(code.retry()).unwrap_or_default(),
        )
}
