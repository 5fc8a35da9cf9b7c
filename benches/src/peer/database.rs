//! The peer's database: in the instance of the bank, with the bank's settings.

use sqlx::{Connection, PgConnection, Row};

use crate::failure::Failure;

/// What every account begins with.
const OPENING: i64 = 1_000_000;

/// A database of its own beside those of the bank.
pub struct Database {
    pub url: String,
    accounts: u64,
}

impl Database {
    /// Makes it and its accounts. The tables of the engine are made by the engine.
    ///
    /// # Errors
    /// Any database error.
    pub async fn make(server_url: &str, accounts: u64) -> Result<Self, Failure> {
        let mut server = PgConnection::connect(server_url).await?;
        for sql in ["DROP DATABASE IF EXISTS peer", "CREATE DATABASE peer"] {
            sqlx::query(sql).execute(&mut server).await?;
        }
        let base = server_url
            .rsplit_once('/')
            .map_or(server_url, |(base, _)| base);
        let url = format!("{base}/peer");
        let mut database = PgConnection::connect(&url).await?;
        let schema = include_str!("../../peers/dbos/schema.sql");
        sqlx::raw_sql(schema).execute(&mut database).await?;
        sqlx::query(
            "INSERT INTO accounts (account_id, balance)
             SELECT n, $2::bigint FROM generate_series(1, $1::bigint) AS n",
        )
        .bind(accounts.cast_signed())
        .bind(OPENING)
        .execute(&mut database)
        .await?;
        sqlx::query("VACUUM (ANALYZE)")
            .execute(&mut database)
            .await?;
        Ok(Self { url, accounts })
    }

    /// Whether every workflow is done, every balance is what the ledger says, and the sum of the
    /// balances is what it was.
    ///
    /// # Errors
    /// When anything is wrong, or any database error.
    pub async fn conserves(&self) -> Result<(), Failure> {
        let mut database = PgConnection::connect(&self.url).await?;
        let row = sqlx::query(include_str!("../../peers/dbos/check.sql"))
            .bind(OPENING)
            .bind(self.accounts.cast_signed())
            .fetch_one(&mut database)
            .await?;
        let open: i64 = row.try_get("open_workflows")?;
        let wrong: i64 = row.try_get("wrong_balances")?;
        let made: String = row.try_get("money_made")?;
        if open == 0 && wrong == 0 && made == "0" {
            return Ok(());
        }
        Err(Failure::new(format!(
            "the peer: {open} workflows are not done, {wrong} balances are not what the ledger says, \
             {made} was made"
        )))
    }
}
