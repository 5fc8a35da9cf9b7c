//! `orders-service [--config FILE] [--print-config] [--migrate] [--seed]`

use std::process::ExitCode;

use orders_service::{Built, MIGRATIONS, NAME, OrdersConfig, build, documents, seed};
use service_kit::config::Loaded;
use service_kit::program::{Failure, Program};
use service_kit::serve;
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    service_kit::program::run::<Orders>().await
}

struct Orders;

impl Program for Orders {
    type Config = OrdersConfig;

    fn migrations() -> &'static Migrator {
        &MIGRATIONS
    }

    fn name(_: &OrdersConfig) -> String {
        NAME.to_owned()
    }

    fn port(config: &OrdersConfig) -> u16 {
        config.port
    }

    async fn seed(loaded: &Loaded<OrdersConfig>, pool: &PgPool) -> Result<(), Failure> {
        let documents = documents(loaded).await?;
        Ok(seed::insert(pool, &documents).await?)
    }

    async fn serve(
        loaded: Loaded<OrdersConfig>,
        pool: PgPool,
        listener: TcpListener,
    ) -> Result<(), Failure> {
        let documents = documents(&loaded).await?;
        let Built { service, closing } = build(loaded, pool, documents).await?;
        serve::run_then(
            service,
            listener,
            serve::shutdown_signal(),
            closing.finish(),
        )
        .await;
        Ok(())
    }
}
