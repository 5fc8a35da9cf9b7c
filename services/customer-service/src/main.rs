//! `customer-service [--config FILE] [--print-config] [--migrate] [--seed]`

use std::process::ExitCode;

use customer_service::config::CustomerConfig;
use customer_service::{MIGRATIONS, NAME, build, seed};
use service_kit::config::Loaded;
use service_kit::program::{Failure, Program};
use service_kit::serve;
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    service_kit::program::run::<Customers>().await
}

struct Customers;

impl Program for Customers {
    type Config = CustomerConfig;

    fn migrations() -> &'static Migrator {
        &MIGRATIONS
    }

    fn name(_: &CustomerConfig) -> String {
        NAME.to_owned()
    }

    fn port(config: &CustomerConfig) -> u16 {
        config.port
    }

    async fn seed(_: &Loaded<CustomerConfig>, pool: &PgPool) -> Result<(), Failure> {
        Ok(seed::insert(pool).await?)
    }

    async fn serve(
        loaded: Loaded<CustomerConfig>,
        pool: PgPool,
        listener: TcpListener,
    ) -> Result<(), Failure> {
        let service = build(loaded, pool).await?;
        serve::run(service, listener, serve::shutdown_signal()).await;
        Ok(())
    }
}
