//! Documents to BSON and back. Integers are of 64 bits on the way there; on the way back they may
//! be of 32, as other programs write them. What is neither is refused, not rounded.

use ::mongodb::bson::{Bson, Document as BsonDocument};
use serde_json::Value;

use super::VERSION;
use crate::{Body, Document, Error};

/// A document as it is stored.
pub(super) fn stored(id: &str, version: i64, body: Body) -> Result<BsonDocument, Error> {
    let mut stored = BsonDocument::new();
    stored.insert("_id", id);
    stored.insert(VERSION, version);
    for (name, value) in body {
        stored.insert(name, bson(value)?);
    }
    Ok(stored)
}

pub(super) fn bson(value: Value) -> Result<Bson, Error> {
    Ok(match value {
        Value::Null => Bson::Null,
        Value::Bool(value) => Bson::Boolean(value),
        Value::Number(number) => Bson::Int64(
            number
                .as_i64()
                .ok_or_else(|| Error::invalid(format!("{number} is not an integer of 64 bits")))?,
        ),
        Value::String(text) => Bson::String(text),
        Value::Array(items) => Bson::Array(items.into_iter().map(bson).collect::<Result<_, _>>()?),
        Value::Object(fields) => {
            let mut document = BsonDocument::new();
            for (name, value) in fields {
                document.insert(name, bson(value)?);
            }
            Bson::Document(document)
        }
    })
}

/// A document as it was stored.
pub(super) fn read(mut stored: BsonDocument) -> Result<Document, Error> {
    let Some(Bson::String(id)) = stored.remove("_id") else {
        return Err(Error::invalid("a document without an id of ours"));
    };
    let version = match stored.remove(VERSION) {
        Some(Bson::Int64(version)) => version,
        Some(Bson::Int32(version)) => version.into(),
        _ => return Err(Error::invalid(format!("document `{id}` has no version"))),
    };
    let body = fields(stored).map_err(|what| {
        Error::invalid(format!("document `{id}` holds a {what}, which is not ours"))
    })?;
    Ok(Document { id, version, body })
}

fn fields(document: BsonDocument) -> Result<Body, String> {
    document
        .into_iter()
        .map(|(name, bson)| Ok((name, value(bson)?)))
        .collect()
}

fn value(bson: Bson) -> Result<Value, String> {
    Ok(match bson {
        Bson::Null => Value::Null,
        Bson::Boolean(value) => value.into(),
        Bson::Int32(value) => value.into(),
        Bson::Int64(value) => value.into(),
        Bson::String(text) => text.into(),
        Bson::Array(items) => items.into_iter().map(value).collect::<Result<_, _>>()?,
        Bson::Document(document) => Value::Object(fields(document)?),
        other => return Err(format!("{:?}", other.element_type())),
    })
}

#[cfg(test)]
mod tests {
    use ::mongodb::bson::doc;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_others_wrote_is_read_exactly_or_not_at_all() {
        let document = |value: Bson| doc! {"_id": "a", VERSION: 1, "n": value};
        let small = read(document(Bson::Int32(7))).expect("a document");
        assert_eq!((small.version, small.body["n"].clone()), (1, json!(7)));
        assert!(read(document(Bson::Double(7.0))).is_err());
        assert!(read(doc! {"_id": 1, VERSION: 1}).is_err());
        assert!(read(doc! {"_id": "a"}).is_err());
    }
}
