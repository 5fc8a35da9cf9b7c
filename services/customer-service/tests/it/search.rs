//! `GET /customers`

use std::collections::BTreeSet;

use serde_json::Value;

use crate::bank::{ALICE, Actor, BOB, Bank, somebody};

async fn found(teller: &Actor, search: &str) -> BTreeSet<String> {
    let reply = teller.get(&format!("/customers?search={search}")).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let items = reply.body["items"].as_array().expect("a list");
    items
        .iter()
        .filter_map(|item| item["name"].as_str().map(str::to_owned))
        .collect()
}

#[tokio::test]
async fn customers_are_found_by_part_of_what_is_known_of_them() {
    let bank = Bank::start().await;
    let teller = bank.teller().await;
    let only = |name: &str| BTreeSet::from([name.to_owned()]);
    assert_eq!(found(&teller, "johns").await, only("Alice Johnson"));
    assert_eq!(found(&teller, "BOB%40EXAMPLE").await, only("Bob Smith"));
    assert_eq!(found(&teller, "Orchard").await, only("Carol Davis"));
    assert_eq!(found(&teller, BOB).await, only("Bob Smith"));
    assert_eq!(found(&teller, "springfield").await.len(), 3);
    assert!(found(&teller, "nobody").await.is_empty());
}

#[tokio::test]
async fn what_is_searched_for_is_taken_as_it_is() {
    let bank = Bank::start().await;
    let teller = bank.teller().await;
    let sly = "100%_sure\\'; --";
    assert_eq!(teller.post("/customers", &somebody(sly)).await.status, 201);
    for search in ["100%25_", "%25_sure", "sure%5C", "%27%3B%20--"] {
        assert_eq!(
            found(&teller, search).await,
            BTreeSet::from([sly.to_owned()]),
            "{search}"
        );
    }
    for search in ["1__%25", "Al%25ce", "A_ice"] {
        assert!(found(&teller, search).await.is_empty(), "{search}");
    }
}

#[tokio::test]
async fn pages_hold_every_customer_once() {
    let bank = Bank::start().await;
    let teller = bank.teller().await;
    for n in 0..9 {
        assert_eq!(
            teller
                .post("/customers", &somebody(&format!("N{n}")))
                .await
                .status,
            201
        );
    }
    for limit in [1, 4, 13, 200] {
        let mut seen = Vec::new();
        let mut path = format!("/customers?limit={limit}");
        loop {
            let page = teller.get(&path).await;
            let items = page.body["items"].as_array().expect("a list").clone();
            assert!(items.len() <= limit);
            seen.extend(items.iter().map(|item| item["customer_id"].clone()));
            match &page.body["next_cursor"] {
                Value::String(cursor) => path = format!("/customers?limit={limit}&cursor={cursor}"),
                end => break assert_eq!(*end, Value::Null),
            }
        }
        assert_eq!(seen.len(), 13, "limit {limit}");
        assert!(seen.contains(&ALICE.into()));
        seen.sort_by_key(ToString::to_string);
        seen.dedup();
        assert_eq!(seen.len(), 13);
    }
}

#[tokio::test]
async fn parameters_that_make_no_sense_are_refused() {
    let bank = Bank::start().await;
    let teller = bank.teller().await;
    for bad in [
        "limit=0",
        "limit=-1",
        "limit=201",
        "limit=1000000000",
        "limit=1.5",
        "limit=2&limit=3",
        "search=",
        "search=%00",
        "offset=5",
        &format!("search={}", "x".repeat(10_000)),
    ] {
        let reply = teller.get(&format!("/customers?{bad}")).await;
        assert_eq!(reply.refusal(), (422, "invalid_parameter"), "{bad}");
    }
    let cursor = teller.get("/customers?cursor=nonsense").await;
    assert_eq!(cursor.refusal(), (422, "invalid_parameter"));
}
