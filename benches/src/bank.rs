//! A bank of its own for the measurements: optimised programs without failpoints, a private
//! PostgreSQL that forces every commit to the disk.

use std::path::PathBuf;

use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use stack::options::ClusterChoice;
use stack::{Bank, Options};
use tempfile::TempDir;

use crate::accounts::Accounts;
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
    _data: Option<TempDir>,
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
        let (folder, temporary) = match data {
            Some(folder) => (folder, None),
            None => {
                let made = tempfile::Builder::new().prefix("bench-").tempdir()?;
                (made.path().to_path_buf(), Some(made))
            }
        };
        let mut options = Options::for_tests(folder);
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
            _data: temporary,
        })
    }

    /// Makes the accounts of every bank.
    ///
    /// # Errors
    /// Any database error.
    pub async fn populate(&self, progress: &(dyn Fn(u64) + Send + Sync)) -> Result<(), Failure> {
        let teller = self.token("tom-teller").await?;
        let directory = self.bank.database_url(TRANSACTIONS)?;
        for bank in 1..=self.banks {
            let name = service_of(bank);
            // Whatever the seed data left open: from here on the bank has a vault.
            self.open_one(&self.bank.url(name)?, &teller).await?;
            let database = self.bank.database_url(name)?;
            self.accounts
                .make(bank, &database, &directory, progress)
                .await?;
        }
        Ok(())
    }

    async fn open_one(&self, url: &str, token: &str) -> Result<(), Failure> {
        let body = json!({
            "customer_id": "550e8400-e29b-41d4-a716-446655440001",
            "currency": "USD",
            "opening_balance": "1.00",
        });
        let answer = self.client.post(format!("{url}/accounts"));
        let answer = answer
            .bearer_auth(token)
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
