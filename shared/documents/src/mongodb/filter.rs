//! Filters and orders as MongoDB writes them.

use ::mongodb::bson::{Bson, Document as BsonDocument, doc};

use crate::page::{Cursor, Direction, Query, Sort};
use crate::{Condition, Filter, Scalar};

/// A filter's document.
pub(super) fn document(filter: &Filter) -> BsonDocument {
    match filter {
        Filter::All(filters) if filters.is_empty() => doc! {},
        Filter::All(filters) => doc! {"$and": documents(filters)},
        Filter::Any(filters) if filters.is_empty() => nothing(),
        Filter::Any(filters) => doc! {"$or": documents(filters)},
        Filter::Field(path, condition) => about(path.as_str(), condition),
    }
}

fn documents(filters: &[Filter]) -> Vec<BsonDocument> {
    filters.iter().map(document).collect()
}

/// An empty `$or` is refused.
fn nothing() -> BsonDocument {
    doc! {"_id": {"$in": []}}
}

fn about(path: &str, condition: &Condition) -> BsonDocument {
    match condition {
        Condition::Equal(value) => equal(path, value),
        Condition::NotEqual(value) => doc! {"$nor": [equal(path, value)]},
        Condition::In(values) if values.is_empty() => nothing(),
        Condition::In(values) => {
            let each: Vec<_> = values.iter().map(|value| equal(path, value)).collect();
            doc! {"$or": each}
        }
        Condition::Exists(wanted) => doc! {path: {"$exists": *wanted}},
        Condition::Greater(value) => doc! {path: {"$gt": bson(value)}},
        Condition::GreaterOrEqual(value) => doc! {path: {"$gte": bson(value)}},
        Condition::Less(value) => doc! {path: {"$lt": bson(value)}},
        Condition::LessOrEqual(value) => doc! {path: {"$lte": bson(value)}},
    }
}

/// Null is written out: compared with null, a path through an array would also match elements that
/// lack the field.
fn equal(path: &str, value: &Scalar) -> BsonDocument {
    match value {
        Scalar::Null => doc! {"$or": [{path: {"$type": "null"}}, {path: {"$exists": false}}]},
        other => doc! {path: {"$eq": bson(other)}},
    }
}

fn bson(value: &Scalar) -> Bson {
    match value {
        Scalar::Null => Bson::Null,
        Scalar::Integer(value) => Bson::Int64(*value),
        Scalar::Text(text) => Bson::String(text.clone()),
        Scalar::Boolean(value) => Bson::Boolean(*value),
    }
}

/// The order of a page.
pub(super) fn order(query: &Query) -> BsonDocument {
    let sign = match query.direction() {
        Direction::Ascending => 1,
        Direction::Descending => -1,
    };
    let mut order = BsonDocument::new();
    if let Some(sort) = &query.sort {
        order.insert(sort.path.as_str(), sign);
    }
    order.insert("_id", sign);
    order
}

/// The filter of a page: what is matched, behind the cursor.
pub(super) fn of_page(query: &Query) -> BsonDocument {
    let matching = document(&query.filter);
    match (&query.after, &query.sort) {
        (None, _) => matching,
        (Some(after), None) => doc! {"$and": [matching, {"_id": {"$gt": &after.id}}]},
        (Some(after), Some(sort)) => doc! {"$and": [matching, behind(after, sort)]},
    }
}

/// The types in their order, objects and arrays included, so that a page that holds one is refused
/// here as well.
const TYPES: [&[&str]; 5] = [
    &["null"],
    &["int", "long", "double", "decimal"],
    &["string"],
    &["object", "array"],
    &["bool"],
];

/// A comparison is with values of one type only, so what is of a later type is named by it.
fn behind(after: &Cursor, sort: &Sort) -> BsonDocument {
    let path = sort.path.as_str();
    let (operator, descending) = match sort.direction {
        Direction::Ascending => ("$gt", false),
        Direction::Descending => ("$lt", true),
    };
    let rank = match after.value {
        Scalar::Null => 0,
        Scalar::Integer(_) => 1,
        Scalar::Text(_) => 2,
        Scalar::Boolean(_) => 4,
    };
    let later = if descending {
        &TYPES[..rank]
    } else {
        &TYPES[rank + 1..]
    };
    let later: Vec<&str> = later.iter().copied().flatten().copied().collect();
    let mut any = vec![doc! {"$and": [equal(path, &after.value), {"_id": {operator: &after.id}}]}];
    if rank > 0 {
        any.push(doc! {path: {operator: bson(&after.value)}});
        if descending {
            any.push(doc! {path: {"$exists": false}});
        }
    }
    if !later.is_empty() {
        any.push(doc! {path: {"$type": later}});
    }
    doc! {"$or": any}
}
