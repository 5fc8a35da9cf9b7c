//! On what it was measured: figures mean nothing without.

use std::fs;
use std::process::Command;

use serde::Serialize;
use sqlx::{PgConnection, Row};

use crate::failure::Failure;

/// The machine and the settings of PostgreSQL.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    pub measured_at: String,
    pub version: String,
    pub cores: usize,
    pub processor: String,
    pub memory_kb: u64,
    pub kernel: String,
    pub postgres: String,
    /// What is not PostgreSQL's default, and `fsync` and `synchronous_commit` in any case.
    pub settings: Vec<(String, String)>,
}

impl Machine {
    /// Looks.
    ///
    /// # Errors
    /// Any database error.
    pub async fn look(database: &mut PgConnection) -> Result<Self, Failure> {
        let rows = sqlx::query(
            "SELECT name, current_setting(name) AS value FROM pg_settings
             WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes')
                OR (source NOT IN ('default', 'override', 'client', 'session', 'database')
                    AND name !~ '^(port|listen_addresses|unix_socket|log_|lc_|.*TimeZone|data_)')
             ORDER BY name",
        )
        .fetch_all(&mut *database)
        .await?;
        let settings = rows
            .iter()
            .map(|row| (row.get("name"), row.get("value")))
            .collect();
        let postgres = sqlx::query_scalar("SHOW server_version");
        Ok(Self {
            measured_at: chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            version: revision(),
            cores: std::thread::available_parallelism()?.get(),
            processor: line_of("/proc/cpuinfo", "model name").unwrap_or_default(),
            memory_kb: line_of("/proc/meminfo", "MemTotal")
                .and_then(|text| text.split_whitespace().next()?.parse().ok())
                .unwrap_or_default(),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")
                .unwrap_or_default()
                .trim()
                .to_owned(),
            postgres: postgres.fetch_one(database).await?,
            settings,
        })
    }
}

fn line_of(path: &str, label: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(label))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// The commit that is checked out.
fn revision() -> String {
    let output = Command::new("git")
        .args(["rev-parse", "--short", "HEAD"])
        .output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.unwrap_or_default()
}
