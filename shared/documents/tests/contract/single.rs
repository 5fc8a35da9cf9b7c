//! One document, one caller at a time.

use documents::{Error, Filter, Update, body_of, field};
use serde_json::json;

use crate::bench::{Bench, body};

pub async fn a_document_is_read_as_it_was_written(bench: &Bench) {
    let written = body(json!({
        "text": "Gold bar, 1 oz \"fine\" — ü€😀 \\ \n\t",
        "least": i64::MIN, "greatest": i64::MAX, "small": 7, "zero": 0,
        "price": "1999.9900", "nothing": null, "yes": true,
        "list": [1, "a", null, [2], {"b": 3}], "object": {"empty": {}, "none": []},
    }));
    assert_eq!(bench.documents.get("stock", "gold").await, Ok(None));
    assert_eq!(
        bench.documents.insert("stock", "gold", &written).await,
        Ok(true)
    );
    let read = bench
        .another()
        .await
        .get("stock", "gold")
        .await
        .unwrap()
        .unwrap();
    assert_eq!((read.id.as_str(), read.version), ("gold", 1));
    assert_eq!(read.body, written);
}

pub async fn of_several_with_one_id_exactly_one_is_inserted(bench: &Bench) {
    let inserts = (0..10).map(|n| {
        let documents = bench.documents.clone();
        tokio::spawn(async move {
            documents
                .insert("stock", "one", &body(json!({"n": n})))
                .await
        })
    });
    let mut winners = Vec::new();
    for (n, insert) in inserts.collect::<Vec<_>>().into_iter().enumerate() {
        if insert.await.unwrap().unwrap() {
            winners.push(n);
        }
    }
    let kept = bench.documents.get("stock", "one").await.unwrap().unwrap();
    assert_eq!(winners.len(), 1);
    assert_eq!(kept.body, body(json!({"n": winners[0]})));
}

pub async fn a_version_grows_by_one_with_each_change(bench: &Bench) {
    let documents = &bench.documents;
    documents
        .insert("stock", "a", &body(json!({"n": 1})))
        .await
        .unwrap();
    let everything = Filter::everything();
    for version in 2..5 {
        let update = Update::new().increment("n", 2);
        let after = documents
            .update("stock", "a", &everything, &update)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(after.version, version);
        assert_eq!(after.body, body(json!({"n": 2 * version - 1})));
    }
    let nothing = Update::new();
    let after = documents
        .update("stock", "a", &everything, &nothing)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(after.version, 5);
    let missed = documents
        .update("stock", "a", &field("n").equals(0), &nothing)
        .await;
    assert_eq!(missed, Ok(None));
    assert_eq!(
        documents.get("stock", "a").await.unwrap().unwrap().version,
        5
    );
    assert_eq!(
        documents.update("stock", "b", &everything, &nothing).await,
        Ok(None)
    );
}

pub async fn what_was_replaced_meanwhile_is_not_overwritten(bench: &Bench) {
    let documents = &bench.documents;
    documents
        .insert("stock", "a", &body(json!({"n": 1, "m": 2})))
        .await
        .unwrap();
    let new = body(json!({"k": 3}));
    let replaced = documents
        .replace_if_version("stock", "a", 1, &new)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((replaced.version, &replaced.body), (2, &new));
    let late = documents
        .replace_if_version("stock", "a", 1, &body(json!({})))
        .await;
    assert_eq!(late, Ok(None));
    assert_eq!(
        documents.get("stock", "a").await.unwrap().unwrap(),
        replaced
    );
    assert_eq!(
        documents.replace_if_version("stock", "b", 1, &new).await,
        Ok(None)
    );
}

pub async fn what_the_filter_does_not_match_is_not_deleted(bench: &Bench) {
    let documents = &bench.documents;
    let written = body(json!({"n": 1}));
    documents.insert("stock", "a", &written).await.unwrap();
    assert_eq!(
        documents
            .delete("stock", "a", &field("n").more_than(1))
            .await,
        Ok(None)
    );
    let deleted = documents
        .delete("stock", "a", &field("n").at_most(1))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((deleted.version, &deleted.body), (1, &written));
    assert_eq!(documents.get("stock", "a").await, Ok(None));
    assert_eq!(
        documents.delete("stock", "a", &Filter::everything()).await,
        Ok(None)
    );
    assert_eq!(documents.insert("stock", "a", &written).await, Ok(true));
}

pub async fn a_change_that_makes_no_sense_changes_nothing(bench: &Bench) {
    let documents = &bench.documents;
    let written = body(json!({"t": "x", "n": i64::MAX, "null": null, "list": [{"a": 1}]}));
    documents.insert("stock", "a", &written).await.unwrap();
    let everything = Filter::everything();
    for update in [
        Update::new().set("new", 1).increment("t", 1),
        Update::new().set("new", 1).increment("n", 1),
        Update::new().set("new", 1).increment("null", 1),
        Update::new().set("new", 1).set("t.deeper", 1),
        Update::new().set("new", 1).set("null.deeper", 1),
        Update::new().set("new", 1).increment("list.a", 1),
    ] {
        let refused = documents.update("stock", "a", &everything, &update).await;
        assert!(
            matches!(refused, Err(Error::Invalid(_))),
            "{update:?}: {refused:?}"
        );
        let unmatched = documents
            .update("stock", "a", &field("t").equals("y"), &update)
            .await;
        assert_eq!(unmatched, Ok(None), "{update:?}");
    }
    let after = documents.get("stock", "a").await.unwrap().unwrap();
    assert_eq!((after.version, after.body), (1, written));
}

pub async fn what_is_not_a_document_is_refused(bench: &Bench) {
    let documents = &bench.documents;
    let everything = Filter::everything();
    let invalid = |result: Result<(), Error>| assert!(matches!(result, Err(Error::Invalid(_))));
    assert!(body_of(&json!({"n": 1.5})).is_err());
    let mut wrong = documents::Body::new();
    wrong.insert("_id".to_owned(), json!("b"));
    invalid(documents.insert("stock", "a", &wrong).await.map(drop));
    invalid(
        documents
            .replace_if_version("stock", "a", 1, &wrong)
            .await
            .map(drop),
    );
    invalid(documents.get("no such", "a").await.map(drop));
    invalid(documents.get("stock", "").await.map(drop));
    let update = Update::new().set("a", 1).set("a.b", 2);
    invalid(
        documents
            .update("stock", "a", &everything, &update)
            .await
            .map(drop),
    );
    invalid(
        documents
            .count("stock", &field("a").more_than(true))
            .await
            .map(drop),
    );
}

pub async fn collections_do_not_see_each_other(bench: &Bench) {
    let documents = &bench.documents;
    documents
        .insert("one", "a", &body(json!({"n": 1})))
        .await
        .unwrap();
    assert_eq!(documents.get("two", "a").await, Ok(None));
    assert_eq!(documents.count("two", &Filter::everything()).await, Ok(0));
    assert_eq!(
        documents.delete("two", "a", &Filter::everything()).await,
        Ok(None)
    );
    assert_eq!(documents.count("one", &Filter::everything()).await, Ok(1));
}
