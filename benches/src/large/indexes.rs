//! Indexes whose entries come in no order cost more to keep up to date, row by row, than to build once
//! over everything.

use sqlx::{AssertSqlSafe, PgConnection, Row};

use crate::failure::Failure;

/// Indexes of one table that were taken away, and how they are made.
pub struct Indexes {
    made_by: Vec<String>,
}

impl Indexes {
    /// Takes away all indexes of a table, those behind its keys too. Nobody else may be at work on it.
    ///
    /// # Errors
    /// Any database error.
    pub async fn take_away(database: &mut PgConnection, table: &str) -> Result<Self, Failure> {
        let rows = sqlx::query(
            "SELECT index.indexrelid::regclass::text AS name,
                    quote_ident(key.conname) AS key,
                    coalesce(pg_get_constraintdef(key.oid), pg_get_indexdef(index.indexrelid)) AS made_by
             FROM pg_index AS index
             LEFT JOIN pg_constraint AS key
                    ON key.conindid = index.indexrelid AND key.conrelid = index.indrelid
             WHERE index.indrelid = $1::text::regclass
             ORDER BY index.indexrelid",
        )
        .bind(table)
        .fetch_all(&mut *database)
        .await?;
        let mut made_by = Vec::with_capacity(rows.len());
        for row in rows {
            let definition: String = row.try_get("made_by")?;
            let (drop, make) = match row.try_get::<Option<String>, _>("key")? {
                Some(key) => (
                    format!("ALTER TABLE {table} DROP CONSTRAINT {key}"),
                    format!("ALTER TABLE {table} ADD CONSTRAINT {key} {definition}"),
                ),
                None => {
                    let name: String = row.try_get("name")?;
                    (format!("DROP INDEX {name}"), definition)
                }
            };
            sqlx::query(AssertSqlSafe(drop))
                .execute(&mut *database)
                .await?;
            made_by.push(make);
        }
        Ok(Self { made_by })
    }

    /// Builds them anew.
    ///
    /// # Errors
    /// Any database error; among them that rows contradict a key.
    pub async fn put_back(self, database: &mut PgConnection) -> Result<(), Failure> {
        for make in self.made_by {
            sqlx::query(AssertSqlSafe(make))
                .execute(&mut *database)
                .await?;
        }
        Ok(())
    }
}
