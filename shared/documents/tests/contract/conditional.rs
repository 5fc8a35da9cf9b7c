//! Many callers at once.

use documents::{Filter, Update, field};
use serde_json::json;

use crate::bench::{Bench, body};

pub async fn of_a_hundred_who_want_one_of_ten_pieces_ten_get_one(bench: &Bench) {
    let stock = body(json!({"available": 10, "reserved": {"all": 0}}));
    bench
        .documents
        .insert("stock", "gold", &stock)
        .await
        .unwrap();
    let other = bench.another().await;
    let wishes = (0..100).map(|n| {
        let documents = if n % 2 == 0 { &bench.documents } else { &other }.clone();
        tokio::spawn(async move {
            let enough = field("available").at_least(1);
            let take = Update::new()
                .increment("available", -1)
                .increment("reserved.all", 1);
            documents.update("stock", "gold", &enough, &take).await
        })
    });
    let mut left = Vec::new();
    for wish in wishes.collect::<Vec<_>>() {
        if let Some(after) = wish.await.unwrap().unwrap() {
            left.push(after.body["available"].as_i64().unwrap());
        }
    }
    left.sort_unstable();
    assert_eq!(left, (0..10).collect::<Vec<_>>());
    let after = bench.documents.get("stock", "gold").await.unwrap().unwrap();
    assert_eq!(
        after.body,
        body(json!({"available": 0, "reserved": {"all": 10}}))
    );
    assert_eq!(after.version, 11);
}

pub async fn increments_at_once_are_all_counted(bench: &Bench) {
    bench
        .documents
        .insert("stock", "n", &body(json!({})))
        .await
        .unwrap();
    let changes = (0..60).map(|n| {
        let documents = bench.documents.clone();
        tokio::spawn(async move {
            let update = Update::new().increment("n", n).set(&format!("by.c{n}"), n);
            documents
                .update("stock", "n", &Filter::everything(), &update)
                .await
        })
    });
    for change in changes.collect::<Vec<_>>() {
        assert!(change.await.unwrap().unwrap().is_some());
    }
    let after = bench.documents.get("stock", "n").await.unwrap().unwrap();
    assert_eq!(after.body["n"], json!((0..60).sum::<i64>()));
    assert_eq!(after.body["by"].as_object().unwrap().len(), 60);
    assert_eq!(after.version, 61);
}

pub async fn one_of_two_who_replace_the_same_version_succeeds(bench: &Bench) {
    bench
        .documents
        .insert("stock", "a", &body(json!({})))
        .await
        .unwrap();
    for version in 1..20 {
        let (one, two) = (body(json!({"by": 1})), body(json!({"by": 2})));
        let (first, second) = tokio::join!(
            bench
                .documents
                .replace_if_version("stock", "a", version, &one),
            bench
                .documents
                .replace_if_version("stock", "a", version, &two),
        );
        let winners: Vec<_> = [first.unwrap(), second.unwrap()]
            .into_iter()
            .flatten()
            .collect();
        assert_eq!(winners.len(), 1, "{winners:?}");
        let kept = bench.documents.get("stock", "a").await.unwrap().unwrap();
        assert_eq!(kept, winners[0]);
    }
}
