use serde_json::json;

use super::*;

fn matches(filter: &Filter, body: Value) -> bool {
    assert_eq!(filter.check(), Ok(()));
    filter.matches(body.as_object().expect("an object"))
}

#[test]
fn a_missing_field_is_null_and_greater_or_less_than_nothing() {
    let empty = || json!({});
    assert!(matches(&field("a.b").equals(Scalar::Null), empty()));
    assert!(matches(&field("a.b").is_one_of([Scalar::Null]), empty()));
    assert!(matches(&field("a.b").differs_from(1), empty()));
    assert!(!matches(&field("a.b").differs_from(Scalar::Null), empty()));
    assert!(!matches(&field("a.b").at_least(i64::MIN), empty()));
    assert!(!matches(&field("a.b").at_most(i64::MAX), empty()));
    assert!(matches(&field("a.b").exists(false), json!({"a": 1})));
    assert!(matches(
        &field("a.b").exists(true),
        json!({"a": {"b": null}})
    ));
}

#[test]
fn values_of_different_types_are_neither_equal_nor_ordered() {
    let body = || json!({"a": "5", "b": true, "c": null});
    assert!(!matches(&field("a").equals(5), body()));
    assert!(!matches(&field("a").at_least(5), body()));
    assert!(!matches(&field("b").equals(1), body()));
    assert!(!matches(&field("c").at_most(0), body()));
    assert!(matches(&field("a").differs_from(5), body()));
}

#[test]
fn an_array_matches_by_its_elements() {
    let body = || json!({"tags": ["gold", "bar"], "lines": [{"n": 1}, {"n": 5}, 7]});
    assert!(matches(&field("tags").equals("bar"), body()));
    assert!(!matches(&field("tags").differs_from("bar"), body()));
    assert!(matches(&field("lines.n").more_than(4), body()));
    assert!(matches(&field("lines.n").less_than(2), body()));
    assert!(!matches(&field("lines.n").equals(7), body()));
}

#[test]
fn greater_and_less_are_strict_and_their_siblings_are_not() {
    let body = || json!({"n": 5, "t": "b"});
    let holds = |filter: Filter| matches(&filter, body());
    assert!(!holds(field("n").more_than(5)) && holds(field("n").at_least(5)));
    assert!(!holds(field("n").less_than(5)) && holds(field("n").at_most(5)));
    assert!(!holds(field("t").more_than("b")) && holds(field("t").at_least("b")));
    assert!(holds(field("t").more_than("a")) && holds(field("t").less_than("ba")));
}

#[test]
fn all_of_nothing_is_everything_and_any_of_nothing_is_nothing() {
    assert!(matches(&Filter::everything(), json!({})));
    assert!(!matches(&Filter::Any(vec![]), json!({})));
    let both = field("a").equals(1).and(field("b").equals(2));
    assert!(matches(&both, json!({"a": 1, "b": 2})));
    assert!(!matches(&both, json!({"a": 1, "b": 3})));
    let either = Filter::Any(vec![field("a").equals(1), field("b").equals(2)]);
    assert!(matches(&either, json!({"a": 0, "b": 2})));
}

#[test]
fn a_comparison_with_what_has_no_order_is_refused() {
    assert!(field("a").at_least(true).check().is_err());
    assert!(field("a").less_than(Scalar::Null).check().is_err());
    assert!(field("a").equals("x\0").check().is_err());
    assert!(Filter::Any(vec![field("$a").equals(1)]).check().is_err());
}
