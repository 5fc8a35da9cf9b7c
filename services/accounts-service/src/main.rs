//! `accounts-service [--config FILE] [--print-config] [--migrate] [--seed]`

use std::process::ExitCode;
use std::time::Duration;

use accounts_service::{AccountsConfig, Built, MIGRATIONS, build, claim, seed};
use service_kit::config::Loaded;
use service_kit::program::{Failure, Program};
use service_kit::serve;
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// How long a process that stops waits for what it is just deleting; what is not committed stays.
const LAST_PATIENCE: Duration = Duration::from_secs(1);

#[tokio::main]
async fn main() -> ExitCode {
    service_kit::program::run::<Accounts>().await
}

struct Accounts;

impl Program for Accounts {
    type Config = AccountsConfig;

    fn migrations() -> &'static Migrator {
        &MIGRATIONS
    }

    fn name(config: &AccountsConfig) -> String {
        config.service_name.clone()
    }

    fn port(config: &AccountsConfig) -> u16 {
        config.port
    }

    async fn seed(loaded: &Loaded<AccountsConfig>, pool: &PgPool) -> Result<(), Failure> {
        let participant = &loaded.service.participant_id;
        claim(pool, participant).await?;
        Ok(seed::insert(pool, participant).await?)
    }

    async fn serve(
        loaded: Loaded<AccountsConfig>,
        pool: PgPool,
        listener: TcpListener,
    ) -> Result<(), Failure> {
        let Built {
            service,
            inquirer,
            retention,
        } = build(loaded, pool).await?;
        let in_doubt = tokio::spawn(inquirer.run());
        let (stop, stopping) = watch::channel(false);
        let retention = tokio::spawn(retention.run(stopping));
        let closing = async {
            stop.send_replace(true);
            in_doubt.abort();
            tokio::time::timeout(LAST_PATIENCE, retention).await.ok();
        };
        serve::run_then(service, listener, serve::shutdown_signal(), closing).await;
        Ok(())
    }
}
