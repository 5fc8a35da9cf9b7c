//! `accounts-service [--config FILE] [--print-config] [--migrate] [--seed]`

use std::process::ExitCode;

use accounts_service::{AccountsConfig, Built, MIGRATIONS, build, claim, seed};
use service_kit::config::Loaded;
use service_kit::program::{Failure, Program};
use service_kit::serve;
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use tokio::net::TcpListener;

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
        let Built { service, inquirer } = build(loaded, pool).await?;
        let in_doubt = tokio::spawn(inquirer.run());
        serve::run(service, listener, serve::shutdown_signal()).await;
        in_doubt.abort();
        Ok(())
    }
}
