//! Many documents.

use documents::{Cursor, Direction, Error, Filter, Query, Scalar, Update, field};
use serde_json::json;

use crate::bench::{Bench, body};

/// Values of the field `v`, in the order of a sorted page; `None`: there is no such field. Equal
/// ones are in the order of their ids, which are their places in this list.
fn in_order() -> Vec<Option<serde_json::Value>> {
    vec![
        None,
        Some(json!(null)),
        None,
        Some(json!(i64::MIN)),
        Some(json!(-1)),
        Some(json!(9)),
        Some(json!(10)),
        Some(json!(10)),
        Some(json!(i64::MAX - 1)),
        Some(json!(i64::MAX)),
        Some(json!("")),
        Some(json!("10")),
        Some(json!("9")),
        Some(json!("Z")),
        Some(json!("a")),
        Some(json!("a")),
        Some(json!("ä")),
        Some(json!("\u{ff5e}")),
        Some(json!("😀")),
        Some(json!(false)),
        Some(json!(true)),
    ]
}

/// Writes them, the last first, as `k.v` of documents `n00`, `n01`, …
async fn fill(bench: &Bench) -> Vec<String> {
    let values: Vec<_> = in_order().into_iter().enumerate().collect();
    let mut ids = Vec::new();
    for (n, value) in values.into_iter().rev() {
        let id = format!("n{n:02}");
        let fields = value.map_or(json!({"n": n}), |value| json!({"n": n, "k": {"v": value}}));
        bench
            .documents
            .insert("values", &id, &body(fields))
            .await
            .unwrap();
        ids.push(id);
    }
    ids.reverse();
    ids
}

/// All pages of a query, as ids.
async fn all(bench: &Bench, query: Query) -> Vec<String> {
    let mut ids = Vec::new();
    let mut after: Option<Cursor> = None;
    loop {
        let page = bench
            .documents
            .find("values", &query.clone().after(after))
            .await
            .unwrap();
        assert!(page.documents.len() <= query.limit as usize);
        ids.extend(page.documents.into_iter().map(|document| document.id));
        // A cursor goes to clients and comes back.
        after = match page.next {
            None => return ids,
            Some(next) => serde_json::from_str(&serde_json::to_string(&next).unwrap()).unwrap(),
        };
    }
}

pub async fn pages_hold_every_document_once_in_order(bench: &Bench) {
    let expected = fill(bench).await;
    for limit in [1, 2, 7, 20, 21, 22, 1000] {
        let by_id = Query::new(Filter::everything()).limit(limit);
        assert_eq!(all(bench, by_id.clone()).await, expected, "{limit}");
        let sorted = by_id.sorted_by("k.v", Direction::Ascending);
        assert_eq!(all(bench, sorted).await, expected, "{limit}");
    }
}

pub async fn descending_is_ascending_backwards(bench: &Bench) {
    let mut expected = fill(bench).await;
    expected.reverse();
    for limit in [1, 4, 100] {
        let query = Query::new(Filter::everything()).limit(limit);
        let query = query.sorted_by("k.v", Direction::Descending);
        assert_eq!(all(bench, query).await, expected, "{limit}");
    }
    let query = Query::new(field("n").less_than(10)).sorted_by("n", Direction::Descending);
    assert_eq!(all(bench, query.limit(3)).await, expected[11..]);
}

pub async fn a_page_survives_what_changes_before_it(bench: &Bench) {
    let expected = fill(bench).await;
    let query = Query::new(Filter::everything())
        .sorted_by("n", Direction::Ascending)
        .limit(5);
    let first = bench.documents.find("values", &query).await.unwrap();
    let everything = Filter::everything();
    for id in &expected[..5] {
        bench
            .documents
            .delete("values", id, &everything)
            .await
            .unwrap();
    }
    bench
        .documents
        .insert("values", "new", &body(json!({"n": -1})))
        .await
        .unwrap();
    let rest = all(bench, query.clone().after(first.next.clone())).await;
    // `all` begins at the beginning: what is new there, and then the rest.
    assert_eq!(rest[0], "new");
    let second = bench
        .documents
        .find("values", &query.after(first.next))
        .await
        .unwrap();
    let ids: Vec<_> = second
        .documents
        .iter()
        .map(|document| &document.id)
        .collect();
    assert_eq!(ids, expected[5..10].iter().collect::<Vec<_>>());
}

pub async fn a_sort_by_what_is_no_scalar_is_refused(bench: &Bench) {
    fill(bench).await;
    for value in [json!([1]), json!({"a": 1})] {
        let update = Update::new().set("k.v", value);
        let changed = bench
            .documents
            .update("values", "n05", &Filter::everything(), &update)
            .await;
        assert!(changed.unwrap().is_some());
        let query = Query::new(Filter::everything()).sorted_by("k.v", Direction::Ascending);
        let refused = bench.documents.find("values", &query).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
        assert!(
            bench
                .documents
                .find("values", &Query::new(Filter::everything()))
                .await
                .is_ok()
        );
    }
    let none = Query::new(Filter::everything()).limit(0);
    assert!(matches!(
        bench.documents.find("values", &none).await,
        Err(Error::Invalid(_))
    ));
}

pub async fn filters_choose_and_count_the_same(bench: &Bench) {
    fill(bench).await;
    for (filter, expected) in [
        (field("k.v").equals(Scalar::Null), 3),
        (field("k.v").differs_from(Scalar::Null), 18),
        (field("k.v").exists(true), 19),
        (field("k.v").exists(false), 2),
        (field("k.v").equals(10), 2),
        (field("k.v").differs_from(10), 19),
        (field("k.v").at_least(10), 4),
        (field("k.v").more_than(i64::MAX - 1), 1),
        (field("k.v").less_than("a"), 4),
        (field("k.v").at_most("a"), 6),
        (
            field("k.v").is_one_of([Scalar::from("ä"), Scalar::from(true), Scalar::Null]),
            5,
        ),
        (field("k.v").is_one_of::<Scalar>([]), 0),
        (
            Filter::Any(vec![field("n").equals(3), field("k.v").equals(false)]),
            2,
        ),
        (Filter::Any(vec![]), 0),
        (field("n").at_least(3).and(field("n").less_than(7)), 4),
    ] {
        assert_eq!(
            bench.documents.count("values", &filter).await,
            Ok(expected),
            "{filter:?}"
        );
        let found = all(bench, Query::new(filter.clone()).limit(4)).await;
        assert_eq!(found.len() as u64, expected, "{filter:?}");
    }
}
