//! A store that goes away in the middle.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use documents::{Documents, Error, Filter, Update};
use serde_json::json;

use crate::bench::{Bench, body};

/// What one caller was told of its changes.
#[derive(Default)]
struct Told {
    done: i64,
    unknown: i64,
}

/// Changes two fields together until it is told to stop.
async fn change(documents: Documents, stop: Arc<AtomicBool>) -> Told {
    let mut told = Told::default();
    while !stop.load(Ordering::Relaxed) {
        let update = Update::new().increment("a", 1).increment("b.c", -1);
        match documents
            .update("stock", "pair", &Filter::everything(), &update)
            .await
        {
            Ok(Some(_)) => told.done += 1,
            Err(Error::Unavailable(_)) => told.unknown += 1,
            other => panic!("{other:?}"),
        }
    }
    told
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_postgres_ends_leave_whole_documents_and_lose_nothing() {
    nothing_is_lost(&mut Bench::postgres().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_server_that_is_killed_leaves_whole_documents_and_loses_nothing() {
    if let Some(mut bench) = Bench::mongodb_alone().await {
        nothing_is_lost(&mut bench).await;
    }
}

/// What was answered is there, what was not answered is there or not, and nothing is there in half.
async fn nothing_is_lost(bench: &mut Bench) {
    let pair = body(json!({"a": 0, "b": {"c": 0}}));
    bench
        .documents
        .insert("stock", "pair", &pair)
        .await
        .unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..4)
        .map(|_| tokio::spawn(change(bench.documents.clone(), stop.clone())))
        .collect();
    for _ in 0..3 {
        let before = version(bench).await;
        until_version(bench, before + 20).await;
        bench.interrupt().await;
    }
    let before = version(bench).await;
    until_version(bench, before + 20).await;
    stop.store(true, Ordering::Relaxed);
    let mut told = Told::default();
    for caller in callers {
        let one = caller.await.unwrap();
        told.done += one.done;
        told.unknown += one.unknown;
    }
    let after = bench.documents.get("stock", "pair").await.unwrap().unwrap();
    let changes = after.version - 1;
    assert_eq!(
        after.body,
        body(json!({"a": changes, "b": {"c": -changes}}))
    );
    let possible = told.done..=told.done + told.unknown;
    assert!(
        possible.contains(&changes),
        "{changes} changes, told {possible:?}"
    );
}

/// Asks again while the store is away.
async fn version(bench: &Bench) -> i64 {
    loop {
        match bench.documents.get("stock", "pair").await {
            Ok(found) => return found.expect("it is never deleted").version,
            Err(Error::Unavailable(_)) => tokio::task::yield_now().await,
            Err(other) => panic!("{other}"),
        }
    }
}

async fn until_version(bench: &Bench, wanted: i64) {
    while version(bench).await < wanted {
        tokio::task::yield_now().await;
    }
}
