//! A bank of its own for the measurements: optimised programs without failpoints, a private
//! PostgreSQL that forces every commit to the disk.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use stack::options::ClusterChoice;
use stack::postgres::Cluster;
use stack::{Bank, Options};
use tempfile::TempDir;

use crate::accounts::{Accounts, OPENED};
use crate::drain::Drain;
use crate::failure::Failure;

pub const CUSTOMER: &str = "customer-service";
pub const ACCOUNTS: &str = "accounts-service";
pub const ACCOUNTS_2: &str = "accounts-service-2";
pub const TRANSACTIONS: &str = "transactions-service";
const PASSWORD: &str = "banking-dev";

/// What is not the services' default here. A disk that is busy is part of what is measured and no
/// reason to give a transfer up, and one caller stands for many.
pub const SETTINGS: [(&str, u64); 4] = [
    ("TRANSACTIONS_PREPARE_DEADLINE_MS", 30_000),
    ("TRANSACTIONS_CALL_TIMEOUT_MS", 10_000),
    ("TRANSACTIONS_SETTLE_PATIENCE_MS", 30_000),
    ("BANK_REQUESTS_PER_SECOND", 1_000_000),
];

/// A bank that is measured.
pub struct Measurable {
    pub bank: Bank,
    pub banks: u16,
    pub accounts: Accounts,
    client: reqwest::Client,
    folder: TempDir,
}

impl Measurable {
    /// Starts it, empty but for the seed data.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(
        binaries: PathBuf,
        data: Option<PathBuf>,
        banks: u16,
        accounts: Accounts,
    ) -> Result<Self, Failure> {
        // PostgreSQL may run as another user, who then has to get through; otherwise its files would
        // lie elsewhere and stay when a measurement fails.
        let folder = tempfile::Builder::new()
            .prefix("bench-")
            .permissions(Permissions::from_mode(0o711))
            .tempdir_in(data.unwrap_or_else(std::env::temp_dir))?;
        let mut options = Options::for_tests(folder.path());
        options.cluster = ClusterChoice::Private;
        options.throw_away = false;
        options.banks = banks;
        options.binaries = binaries;
        for (name, value) in SETTINGS {
            options = options.setting(name, value);
        }
        Ok(Self {
            bank: Bank::start(options).await?,
            banks,
            accounts,
            client: reqwest::Client::new(),
            folder,
        })
    }

    /// Stops it and deletes all that it has written.
    ///
    /// # Errors
    /// When something does not stop or cannot be deleted.
    pub async fn stop(self) -> Result<(), Failure> {
        let data = self.bank.data().clone();
        self.bank.stop().await?;
        Cluster::erase_outside(&data)?;
        Ok(self.folder.close()?)
    }

    /// Makes the accounts of every bank.
    ///
    /// # Errors
    /// Any database error.
    pub async fn populate(&self, progress: &(dyn Fn(u64) + Send + Sync)) -> Result<(), Failure> {
        let mut directory = self.database(TRANSACTIONS).await?;
        for bank in 1..=self.banks {
            let name = service_of(bank);
            self.open_vault(bank).await?;
            let mut database = self.database(name).await?;
            self.accounts
                .make(bank, OPENED, &mut database, &mut directory, progress)
                .await?;
            let sql = "VACUUM (ANALYZE) accounts, ledger_entries";
            sqlx::query(sql).execute(&mut database).await?;
            let sql = "VACUUM (ANALYZE) account_directory";
            sqlx::query(sql).execute(&mut directory).await?;
        }
        Ok(())
    }

    /// Opens an account: whatever the seed data left open, from here on the bank has a vault.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn open_vault(&self, bank: u16) -> Result<(), Failure> {
        let url = self.bank.url(service_of(bank))?;
        let teller = self.token("tom-teller").await?;
        let body = json!({
            "customer_id": "550e8400-e29b-41d4-a716-446655440001",
            "currency": "USD",
            "opening_balance": "1.00",
        });
        let answer = self.client.post(format!("{url}/accounts"));
        let answer = answer
            .bearer_auth(teller)
            .header("content-type", "application/json")
            .body(body.to_string());
        answer.send().await?.error_for_status()?;
        Ok(())
    }

    /// An access token of a seeded login.
    ///
    /// # Errors
    /// When the login is refused.
    pub async fn token(&self, username: &str) -> Result<String, Failure> {
        let url = format!("{}/auth/login", self.bank.url(CUSTOMER)?);
        let body = json!({"username": username, "password": PASSWORD});
        let request = self
            .client
            .post(url)
            .header("content-type", "application/json");
        let answer = request.body(body.to_string()).send().await?;
        let answer: Value = answer.error_for_status()?.json().await?;
        let token = answer["access_token"].as_str();
        token
            .map(str::to_owned)
            .ok_or_else(|| Failure::new("a login without a token"))
    }

    /// So many different tokens that may debit every account.
    ///
    /// # Errors
    /// As [`token`](Self::token).
    pub async fn tokens(&self, count: usize) -> Result<Vec<String>, Failure> {
        let mut tokens = Vec::with_capacity(count);
        for _ in 0..count {
            tokens.push(self.token("tom-teller").await?);
        }
        Ok(tokens)
    }

    /// A superuser's connection to a service's database.
    ///
    /// # Errors
    /// Any database error.
    pub async fn database(&self, service: &str) -> Result<PgConnection, Failure> {
        Ok(PgConnection::connect(&self.bank.database_url(service)?).await?)
    }

    /// Where the databases lie.
    ///
    /// # Errors
    /// Any database error.
    pub async fn cluster_folder(&self) -> Result<PathBuf, Failure> {
        let mut database = self.database(TRANSACTIONS).await?;
        let query = sqlx::query_scalar::<_, String>("SHOW data_directory");
        Ok(query.fetch_one(&mut database).await?.into())
    }

    /// Transactions that are not done.
    ///
    /// # Errors
    /// Any database error.
    pub async fn open_transactions(&self) -> Result<i64, Failure> {
        let mut database = self.database(TRANSACTIONS).await?;
        let sql = "SELECT count(*) FROM transactions WHERE settled_at IS NULL";
        Ok(sqlx::query_scalar(sql).fetch_one(&mut database).await?)
    }

    /// A connection that tells when every transaction is done.
    ///
    /// # Errors
    /// Any database error.
    pub async fn drain(&self) -> Result<Drain, Failure> {
        Drain::over(self.database(TRANSACTIONS).await?).await
    }

    /// What every bank's own check of its ledger says against it, and whether the money is what it
    /// was.
    ///
    /// # Errors
    /// When anything is wrong: a benchmark of wrong answers is worth nothing.
    pub async fn conserves(&self) -> Result<(), Failure> {
        self.drain().await?.wait().await?;
        let admin = self.token("ada-admin").await?;
        for bank in 1..=self.banks {
            let url = format!("{}/ledger/check", self.bank.url(service_of(bank))?);
            let answer = self.client.get(url).bearer_auth(&admin).send().await?;
            let report: Value = answer.error_for_status()?.json().await?;
            if report["ok"] != true {
                return Err(Failure::new(format!("bank {bank}'s ledger: {report}")));
            }
        }
        self.money_is_constant().await
    }

    async fn money_is_constant(&self) -> Result<(), Failure> {
        let mut total = sqlx::types::Decimal::ZERO;
        for bank in 1..=self.banks {
            let mut database = self.database(service_of(bank)).await?;
            let sql = "SELECT coalesce(sum(balance), 0) FROM accounts
                       WHERE kind = 'customer' AND account_id::text LIKE 'be5c0000-%'";
            let sum: sqlx::types::Decimal =
                sqlx::query_scalar(sql).fetch_one(&mut database).await?;
            total += sum;
        }
        let each = sqlx::types::Decimal::from(1_000_000);
        let accounts = self.accounts.each * u64::from(self.banks);
        let expected = each * sqlx::types::Decimal::from(accounts);
        if total == expected {
            return Ok(());
        }
        Err(Failure::new(format!(
            "there were {expected}, there are {total}"
        )))
    }
}

/// The service of a bank, by its number.
pub const fn service_of(bank: u16) -> &'static str {
    match bank {
        1 => ACCOUNTS,
        _ => ACCOUNTS_2,
    }
}
