//! Documents in a JSONB table.
//!
//! The race it survives: two changes of one document at once. The row is locked before it is read
//! (`SELECT … FOR UPDATE`), so the filter of the second is asked of what the first has written, and
//! what is written over is what was asked.

mod find;
mod jsonpath;

use std::time::Duration;

use serde_json::Value;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgTransaction};
use sqlx::{ConnectOptions, Connection};

use crate::settings::Settings;
use crate::task::wait_until_up;
use crate::{Body, Document, Error, Filter, Update};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// A row: id, version, body.
type Row = (String, i64, Value);

/// A database with the table `documents`.
#[derive(Clone)]
pub(crate) struct Postgres {
    pool: PgPool,
}

impl Postgres {
    /// Waits for the server and brings the table up to date.
    pub(crate) async fn connect(settings: &Settings) -> Result<Self, Error> {
        let options = settings
            .url
            .parse::<PgConnectOptions>()
            .map_err(|_| Error::invalid("the documents' database URL is not one of PostgreSQL"))?
            .application_name(&settings.application_name)
            // A role may have it off, and what was answered would be lost with the power.
            .options([
                ("synchronous_commit", "on"),
                ("statement_timeout", "5s"),
                ("idle_in_transaction_session_timeout", "10s"),
            ])
            .disable_statement_logging();
        let pool = PgPoolOptions::new()
            .max_connections(settings.connections)
            .acquire_timeout(Duration::from_secs(3))
            // A ping after a pause finds connections that died with their server; one before every
            // use would double the round trips.
            .test_before_acquire(false)
            .before_acquire(|connection, usage| {
                Box::pin(async move {
                    if usage.idle_for > Duration::from_secs(1) {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_lazy_with(options);
        let store = Self { pool };
        wait_until_up(|| store.ping()).await?;
        MIGRATIONS
            .run(&store.pool)
            .await
            .map_err(|error| Error::unavailable(&error))?;
        Ok(store)
    }

    pub(crate) async fn ping(&self) -> Result<(), Error> {
        sqlx::query("SELECT 1")
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(failed)
    }

    /// Durable when it returns: the document, if it says so.
    pub(crate) async fn insert(
        &self,
        collection: &str,
        id: &str,
        body: Body,
    ) -> Result<bool, Error> {
        let inserted = sqlx::query(
            "INSERT INTO documents (collection, id, body, version) VALUES ($1, $2, $3, 1)
             ON CONFLICT DO NOTHING",
        )
        .bind(collection)
        .bind(id)
        .bind(Value::Object(body))
        .execute(&self.pool)
        .await
        .map_err(failed)?;
        Ok(inserted.rows_affected() == 1)
    }

    pub(crate) async fn get(&self, collection: &str, id: &str) -> Result<Option<Document>, Error> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT id, version, body FROM documents WHERE collection = $1 AND id = $2",
        )
        .bind(collection)
        .bind(id)
        .fetch_optional(&self.pool)
        .await
        .map_err(failed)?;
        row.map(document).transpose()
    }

    /// Durable when it returns: the changed document, if there is one.
    pub(crate) async fn update(
        &self,
        collection: &str,
        id: &str,
        filter: &Filter,
        update: &Update,
    ) -> Result<Option<Document>, Error> {
        let mut transaction = self.pool.begin().await.map_err(failed)?;
        let Some(before) = lock(&mut transaction, collection, id).await? else {
            return Ok(None);
        };
        if !filter.matches(&before.body) {
            return Ok(None);
        }
        let after = Document {
            body: update.apply(&before.body)?,
            version: before.version + 1,
            ..before
        };
        write(&mut transaction, collection, &after).await?;
        transaction.commit().await.map_err(failed)?;
        Ok(Some(after))
    }

    /// Durable when it returns: the new document, if there is one.
    pub(crate) async fn replace(
        &self,
        collection: &str,
        id: &str,
        version: i64,
        body: Body,
    ) -> Result<Option<Document>, Error> {
        let row: Option<Row> = sqlx::query_as(
            "UPDATE documents SET body = $4, version = version + 1
             WHERE collection = $1 AND id = $2 AND version = $3
             RETURNING id, version, body",
        )
        .bind(collection)
        .bind(id)
        .bind(version)
        .bind(Value::Object(body))
        .fetch_optional(&self.pool)
        .await
        .map_err(failed)?;
        row.map(document).transpose()
    }

    /// Durable when it returns: that the document is gone, if it says what it was.
    pub(crate) async fn delete(
        &self,
        collection: &str,
        id: &str,
        filter: &Filter,
    ) -> Result<Option<Document>, Error> {
        let mut transaction = self.pool.begin().await.map_err(failed)?;
        let found = lock(&mut transaction, collection, id).await?;
        let Some(before) = found.filter(|found| filter.matches(&found.body)) else {
            return Ok(None);
        };
        sqlx::query("DELETE FROM documents WHERE collection = $1 AND id = $2")
            .bind(collection)
            .bind(id)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        Ok(Some(before))
    }
}

async fn lock(
    transaction: &mut PgTransaction<'_>,
    collection: &str,
    id: &str,
) -> Result<Option<Document>, Error> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, version, body FROM documents WHERE collection = $1 AND id = $2 FOR UPDATE",
    )
    .bind(collection)
    .bind(id)
    .fetch_optional(&mut **transaction)
    .await
    .map_err(failed)?;
    row.map(document).transpose()
}

async fn write(
    transaction: &mut PgTransaction<'_>,
    collection: &str,
    document: &Document,
) -> Result<(), Error> {
    sqlx::query("UPDATE documents SET body = $3, version = $4 WHERE collection = $1 AND id = $2")
        .bind(collection)
        .bind(&document.id)
        .bind(Value::Object(document.body.clone()))
        .bind(document.version)
        .execute(&mut **transaction)
        .await
        .map(drop)
        .map_err(failed)
}

fn document((id, version, body): Row) -> Result<Document, Error> {
    match body {
        Value::Object(body) => Ok(Document { id, version, body }),
        _ => Err(Error::invalid(format!("document `{id}` is not an object"))),
    }
}

/// Whatever the server says, whether a change has happened is not known for sure; but a wrong
/// password or database (SQLSTATE classes 28 and 3D) is not mended by waiting.
fn failed(error: sqlx::Error) -> Error {
    let code = error.as_database_error().and_then(|error| error.code());
    if code.is_some_and(|code| code.starts_with("28") || code.starts_with("3D")) {
        return Error::invalid(format!("the documents' database lets nobody in: {error}"));
    }
    Error::unavailable(&error)
}
