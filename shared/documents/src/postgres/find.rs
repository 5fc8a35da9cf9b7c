//! Reading many rows: the order, and the place in it, are those of [`crate::Scalar`].

use sqlx::postgres::PgArguments;
use sqlx::query::QueryAs;

use super::{Postgres, Row, document, failed, jsonpath};
use crate::page::{Direction, Query};
use crate::{Document, Error, Filter, Scalar};

/// A sorted-by value as four columns that compare like it: its type's rank, then the value. Objects
/// and arrays have a rank so that they do not pass as something else; their page is refused.
macro_rules! in_order {
    ($compared:literal, $direction:literal) => {
        concat!(
            "SELECT id, version, body FROM (
                SELECT id, version, body,
                    CASE jsonb_typeof(value) WHEN 'number' THEN 1 WHEN 'string' THEN 2
                        WHEN 'boolean' THEN 4 WHEN 'null' THEN 0 ELSE 3 END AS rank,
                    CASE jsonb_typeof(value) WHEN 'number' THEN value::numeric
                        WHEN 'boolean' THEN value::boolean::integer ELSE 0 END AS number,
                    CASE jsonb_typeof(value) WHEN 'string' THEN value #>> '{}' ELSE '' END
                        COLLATE \"C\" AS text
                FROM (SELECT id, version, body, COALESCE(body #> $3, 'null') AS value
                    FROM documents
                    WHERE collection = $1 AND body @@ CAST($2::text AS jsonpath)) AS matching
            ) AS placed
            WHERE $4::integer IS NULL OR (rank, number, text, id) ",
            $compared,
            " ($4::integer, $5::bigint::numeric, $6::text, $7::text)
            ORDER BY rank ",
            $direction,
            ", number ",
            $direction,
            ", text ",
            $direction,
            ", id ",
            $direction,
            " LIMIT $8"
        )
    };
}

const ASCENDING: &str = in_order!(">", "ASC");
const DESCENDING: &str = in_order!("<", "DESC");

/// The rank, number and text that a value is placed by.
fn columns(value: &Scalar) -> (i32, i64, &str) {
    match value {
        Scalar::Null => (0, 0, ""),
        Scalar::Integer(number) => (1, *number, ""),
        Scalar::Text(text) => (2, 0, text),
        Scalar::Boolean(value) => (4, i64::from(*value), ""),
    }
}

/// By id alone, the table's own order.
const BY_ID: &str = "SELECT id, version, body FROM documents
    WHERE collection = $1 AND body @@ CAST($2::text AS jsonpath) AND ($3::text IS NULL OR id > $3)
    ORDER BY id LIMIT $4";

impl Postgres {
    /// One more than the query's limit, where there are so many.
    pub(crate) async fn find(
        &self,
        collection: &str,
        query: &Query,
    ) -> Result<Vec<Document>, Error> {
        let wanted = i64::from(query.limit) + 1;
        let predicate = jsonpath::predicate(&query.filter);
        let rows: Vec<Row> = match &query.sort {
            None => {
                sqlx::query_as(BY_ID)
                    .bind(collection)
                    .bind(predicate)
                    .bind(query.after.as_ref().map(|after| &after.id))
                    .bind(wanted)
                    .fetch_all(&self.pool)
                    .await
            }
            Some(sort) => {
                let segments: Vec<String> = sort
                    .path
                    .segments()
                    .into_iter()
                    .map(str::to_owned)
                    .collect();
                let statement = match query.direction() {
                    Direction::Ascending => sqlx::query_as(ASCENDING),
                    Direction::Descending => sqlx::query_as(DESCENDING),
                };
                let statement = statement.bind(collection).bind(predicate).bind(segments);
                bind_place(statement, query)
                    .bind(wanted)
                    .fetch_all(&self.pool)
                    .await
            }
        }
        .map_err(failed)?;
        rows.into_iter().map(document).collect()
    }

    pub(crate) async fn count(&self, collection: &str, filter: &Filter) -> Result<u64, Error> {
        let counted: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM documents
             WHERE collection = $1 AND body @@ CAST($2::text AS jsonpath)",
        )
        .bind(collection)
        .bind(jsonpath::predicate(filter))
        .fetch_one(&self.pool)
        .await
        .map_err(failed)?;
        Ok(counted.unsigned_abs())
    }
}

type Statement<'q> = QueryAs<'q, sqlx::Postgres, Row, PgArguments>;

fn bind_place<'q>(statement: Statement<'q>, query: &'q Query) -> Statement<'q> {
    let after = query.after.as_ref();
    let columns = after.map(|after| columns(&after.value));
    statement
        .bind(columns.map(|(rank, _, _)| rank))
        .bind(columns.map(|(_, number, _)| number))
        .bind(columns.map(|(_, _, text)| text))
        .bind(after.map(|after| &*after.id))
}
