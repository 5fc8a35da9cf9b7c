//! Every failure of an order: each step, before, during and after its effect, as an error, a silence
//! and a crash; and what is left of it.

use std::path::Path;
use std::time::Duration;

use client::{Error, ListQuery};
use types::views::{
    ChangeStock, CreateProduct, Failure as Injected, FailureKind, FailureWhen, ItemRequest,
    Locking, OrderStatus, OrderStep, PlaceOrder, Product, SagaStatus,
};
use types::{AccountId, Code, IdempotencyKey};

use super::narrator::Narrator;
use super::process::{self, LocalBank};
use super::stage::Stage;
use crate::cli::commands::own_key;
use crate::cli::failure::Failure;
use crate::cli::table::{Cell, Table, Tone};

/// Longer than a saga that undoes everything takes, and a service that starts again.
const PATIENCE: Duration = Duration::from_secs(120);

/// One row of the table.
struct Row {
    failure: Injected,
    status: Option<OrderStatus>,
    reason: String,
}

pub async fn play(
    stage: &Stage,
    narrator: &mut Narrator,
    data_dir: Option<&Path>,
) -> Result<(), Failure> {
    narrator.act("Saga failures: an order that fails at every step, in every way")?;
    // Without a bank on this machine nobody could start again what crashes.
    let local = LocalBank::find(data_dir).ok();
    let kinds: &[FailureKind] = match &local {
        Some(_) => &[FailureKind::Error, FailureKind::Timeout, FailureKind::Crash],
        None => &[FailureKind::Error, FailureKind::Timeout],
    };
    let product = new_product(stage).await?;
    let account = stage.open("1000.00", Locking::Escrow, 0).await?;
    narrator.did(&format!(
        "One product with 100 pieces at 10.00, one account with 1000.00, and {} orders of one \
         piece, each with a failure of its own.{}",
        kinds.len() * 12,
        if local.is_none() {
            " No crashes: that takes a bank on this machine (--data-dir)."
        } else {
            ""
        }
    ))?;
    narrator.expected(
        "Every order ends committed or compensated. Pieces and money are what the committed ones \
         bought, to the piece and the cent, and no saga waits for a person.",
    )?;
    let mut rows = Vec::new();
    for &kind in kinds {
        for step in OrderStep::ALL {
            for when in [FailureWhen::Before, FailureWhen::During, FailureWhen::After] {
                let failure = Injected { step, when, kind };
                rows.push(one(stage, &product, account, failure, local.as_ref()).await?);
            }
        }
    }
    narrator.show(drawn(&rows))?;
    let bought = rows
        .iter()
        .filter(|row| row.status == Some(OrderStatus::Committed))
        .count();
    let undone = rows
        .iter()
        .filter(|row| row.status == Some(OrderStatus::Compensated))
        .count();
    let left = stage.account(account).await?.balance.to_string();
    let now = listed(stage, &product).await?;
    let admin = stage.admin().await?;
    let query = ListQuery::default();
    let stuck = admin.bank.orders().sagas(Some(SagaStatus::Stuck), &query);
    let stuck = stuck.await?.items.len();
    admin.revoke().await;
    narrator.happened(&format!(
        "{bought} committed, {undone} compensated, of {}. {left} left on the account; {} pieces \
         available, {} reserved; {stuck} sagas wait for a person.",
        rows.len(),
        now.available,
        now.reserved,
    ))?;
    narrator.why(
        "Every step is in the saga's log before it is asked for, and whoever performs it remembers \
         it: after a crash it is asked for again and happens once. What fails is undone, last step \
         first; a payment whose outcome nobody knows is closed, so that it never comes late.",
    )?;
    let pieces = i64::try_from(bought).unwrap_or(i64::MAX);
    let ok = bought + undone == rows.len()
        && stuck == 0
        && now.available == 100 - pieces
        && now.reserved == 0
        && left == format!("{}.00", 1_000 - 10 * bought);
    narrator.verdict(
        ok,
        "every order all or nothing, nothing to reconcile by hand.",
    )
}

async fn new_product(stage: &Stage) -> Result<Product, Failure> {
    let desk = stage.teller.bank.orders();
    let wrong = |what: &str| Failure::Usage(what.to_owned());
    let product = CreateProduct {
        name: "Demonstration coin".parse().map_err(|_| wrong("a name"))?,
        price: "10.00".parse().map_err(|_| wrong("a price"))?,
        currency: "USD".parse().map_err(|_| wrong("a currency"))?,
    };
    let product = desk.create_product(&product).await?;
    let delta = 100.try_into().map_err(|_| wrong("a number"))?;
    Ok(desk
        .change_stock(product.product_id, &ChangeStock { delta })
        .await?)
}

async fn listed(stage: &Stage, product: &Product) -> Result<Product, Failure> {
    let mut query = ListQuery {
        limit: Some(200),
        cursor: None,
    };
    loop {
        let page = stage.teller.bank.orders().products(&query).await?;
        let mut items = page.items.into_iter();
        if let Some(found) = items.find(|one| one.product_id == product.product_id) {
            return Ok(found);
        }
        query.cursor = page.next_cursor;
        if query.cursor.is_none() {
            return Err(Failure::Refused("The product is gone.".into()));
        }
    }
}

async fn one(
    stage: &Stage,
    product: &Product,
    account: AccountId,
    failure: Injected,
    local: Option<&LocalBank>,
) -> Result<Row, Failure> {
    let quantity = 1.try_into();
    let quantity = quantity.map_err(|_| Failure::Usage("a quantity".to_owned()))?;
    let order = PlaceOrder {
        account_id: account,
        items: vec![ItemRequest {
            product_id: product.product_id,
            quantity,
        }],
        customer_id: None,
        coordination: None,
        failure: Some(failure),
    };
    let key = own_key();
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let mut ended = Row {
        failure,
        status: None,
        reason: String::new(),
    };
    loop {
        match stage.teller.bank.orders().place(&order, Some(&key)).await {
            Ok(sent) if sent.status == 201 => {
                ended.status = Some(OrderStatus::Committed);
                return Ok(ended);
            }
            Ok(_) => {}
            Err(error) => match error.code() {
                Some(Code::RequestInProgress) => {}
                Some(code) if !error.leaves_outcome_unknown() => {
                    ended.status = Some(OrderStatus::Compensated);
                    ended.reason = code.to_string();
                    return Ok(ended);
                }
                _ => revive(stage, local, &error, &key).await?,
            },
        }
        if tokio::time::Instant::now() > deadline {
            return Ok(ended);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Starts the service again where it has crashed, unless a supervisor has already.
async fn revive(
    stage: &Stage,
    local: Option<&LocalBank>,
    error: &Error,
    key: &IdempotencyKey,
) -> Result<(), Failure> {
    let Some(local) = local else {
        return Err(Failure::Unknown(format!(
            "orders-service does not answer: {error}. The order's key is {}.",
            key.as_str()
        )));
    };
    let url = stage.teller.bank.orders().endpoint().url().to_owned();
    let (name, pid) = local.process_at(&url)?;
    if pid.is_none_or(|pid| !process::runs(pid)) {
        process::start_again(local, &name).await?;
    }
    Ok(())
}

fn drawn(rows: &[Row]) -> Table {
    let mut table = Table::new("Nothing was tried.")
        .rigid("Step")
        .rigid("When")
        .rigid("Kind")
        .rigid("Ended")
        .text("Reason");
    let text = |value: serde_json::Result<serde_json::Value>| {
        let value = value.unwrap_or_default();
        value.as_str().unwrap_or_default().to_owned()
    };
    for row in rows {
        let (words, tone) = match row.status {
            Some(OrderStatus::Committed) => ("COMMITTED", Tone::Good),
            Some(OrderStatus::Compensated) => ("COMPENSATED", Tone::Warning),
            _ => ("still open", Tone::Bad),
        };
        table.row(vec![
            row.failure.step.as_str().into(),
            text(serde_json::to_value(row.failure.when)).into(),
            text(serde_json::to_value(row.failure.kind)).into(),
            Cell::toned(words, tone),
            (&row.reason).into(),
        ]);
    }
    table
}
