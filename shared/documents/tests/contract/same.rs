//! Random documents, filters and updates: a store ends where the pure functions end.

use documents::{Body, Condition, Error, Filter, Path, Query, Scalar, Update};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use crate::bench::Bench;

/// Few names and few values, so that filters and documents often meet.
const NAMES: [&str; 3] = ["a", "b", "c"];

fn scalar() -> impl Strategy<Value = Scalar> {
    prop_oneof![
        Just(Scalar::Null),
        any::<bool>().prop_map(Scalar::Boolean),
        (-2_i64..3).prop_map(Scalar::Integer),
        Just(Scalar::Integer(i64::MAX)),
        prop_oneof![
            Just(""),
            Just("a"),
            Just("B"),
            Just("2"),
            Just("ü\"\\"),
            Just("$a")
        ]
        .prop_map(Scalar::from),
    ]
}

fn ordered() -> impl Strategy<Value = Scalar> {
    scalar().prop_filter("an integer or a text", |scalar| {
        matches!(scalar, Scalar::Integer(_) | Scalar::Text(_))
    })
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = scalar().prop_map(|scalar| serde_json::to_value(scalar).expect("JSON"));
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::Array),
            fields(inner).prop_map(Value::Object),
        ]
    })
}

fn fields(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Body> {
    let name = proptest::sample::select(NAMES.to_vec()).prop_map(str::to_owned);
    vec((name, inner), 0..3).prop_map(|fields| fields.into_iter().collect())
}

fn path() -> impl Strategy<Value = String> {
    vec(proptest::sample::select(NAMES.to_vec()), 1..4).prop_map(|names| names.join("."))
}

fn condition() -> impl Strategy<Value = Condition> {
    prop_oneof![
        scalar().prop_map(Condition::Equal),
        scalar().prop_map(Condition::NotEqual),
        vec(scalar(), 0..3).prop_map(Condition::In),
        any::<bool>().prop_map(Condition::Exists),
        ordered().prop_map(Condition::Greater),
        ordered().prop_map(Condition::GreaterOrEqual),
        ordered().prop_map(Condition::Less),
        ordered().prop_map(Condition::LessOrEqual),
    ]
}

fn filter() -> impl Strategy<Value = Filter> {
    let one = (path(), condition()).prop_map(|(path, one)| Filter::Field(Path::from(path), one));
    one.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Filter::All),
            vec(inner, 0..3).prop_map(Filter::Any),
        ]
    })
}

fn update() -> impl Strategy<Value = Update> {
    let change = prop_oneof![
        value().prop_map(Some).prop_map(|value| (value, 0)),
        (-2_i64..3).prop_map(|by| (None, by)),
        Just((None, 0)),
    ];
    vec((path(), change), 0..4).prop_map(|changes| {
        changes
            .into_iter()
            .fold(Update::new(), |update, (path, change)| match change {
                (Some(value), _) => update.set(&path, value),
                (None, 0) => update.unset(&path),
                (None, by) => update.increment(&path, by),
            })
    })
}

/// The same values in every run.
fn generate<S: Strategy>(strategy: &S, count: usize) -> Vec<S::Value> {
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), random);
    (0..count)
        .map(|_| strategy.new_tree(&mut runner).expect("a value").current())
        .collect()
}

/// Writes documents `0000`, `0001`, ….
async fn fill(bench: &Bench, bodies: &[Body]) {
    for (n, body) in bodies.iter().enumerate() {
        let inserted = bench
            .documents
            .insert("random", &format!("{n:04}"), body)
            .await;
        assert_eq!(inserted, Ok(true), "{body:?}");
    }
}

pub async fn filters_match_as_the_pure_function_does(bench: &Bench) {
    let bodies = generate(&fields(value()), 150);
    fill(bench, &bodies).await;
    let mut seen = 0;
    for filter in generate(&filter(), 250) {
        let query = Query::new(filter.clone()).limit(1_000);
        let page = bench.documents.find("random", &query).await.unwrap();
        let found: Vec<usize> = page
            .documents
            .iter()
            .map(|one| one.id.parse().unwrap())
            .collect();
        for (n, body) in bodies.iter().enumerate() {
            let expected = filter.matches(body);
            assert_eq!(found.contains(&n), expected, "{filter:?}\n{}", json!(body));
            seen += usize::from(expected);
        }
    }
    assert!(
        seen > 1_000,
        "the filters match too little to say anything: {seen}"
    );
}

pub async fn updates_end_as_the_pure_function_does(bench: &Bench) {
    let bodies = generate(&fields(value()), 300);
    let filters = generate(&filter(), 300);
    fill(bench, &bodies).await;
    let mut changed = 0;
    let mut refused = 0;
    for (n, (body, (filter, update))) in bodies
        .iter()
        .zip(filters.iter().zip(generate(&update(), 300)))
        .enumerate()
    {
        let id = format!("{n:04}");
        // Half of them without a condition, or too few would be changed.
        let everything = Filter::everything();
        let filter = if n % 2 == 0 { &everything } else { filter };
        let result = bench.documents.update("random", &id, filter, &update).await;
        let words = format!("{filter:?}\n{update:?}\n{}", json!(body));
        let after = bench.documents.get("random", &id).await.unwrap().unwrap();
        let expected = filter.matches(body).then(|| update.apply(body));
        match (result, expected) {
            (Ok(None), None) => assert_eq!(after.body, *body, "{words}"),
            (Ok(Some(told)), Some(Ok(expected))) => {
                assert_eq!((&told.body, told.version), (&expected, 2), "{words}");
                assert_eq!(told, after, "{words}");
                changed += 1;
            }
            // Two changes of one field are refused whether the filter matches or not.
            (Err(Error::Invalid(_)), _) if overlaps(&update) => refused += 1,
            (Err(Error::Invalid(_)), Some(Err(_))) => {
                assert_eq!((&after.body, after.version), (body, 1), "{words}");
                refused += 1;
            }
            (result, expected) => panic!("{result:?}, expected {expected:?}\n{words}"),
        }
    }
    assert!(
        changed > 50 && refused > 20,
        "{changed} changed, {refused} refused"
    );
}

fn overlaps(update: &Update) -> bool {
    let paths: Vec<&str> = update
        .changes()
        .iter()
        .map(|(path, _)| path.as_str())
        .collect();
    let within = |one: &str, two: &str| one == two || one.starts_with(&format!("{two}."));
    (0..paths.len())
        .any(|n| (0..n).any(|m| within(paths[n], paths[m]) || within(paths[m], paths[n])))
}
