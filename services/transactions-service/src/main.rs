//! `transactions-service [--config FILE] [--print-config] [--migrate] [--seed]`

use std::process::ExitCode;

use service_kit::config::Loaded;
use service_kit::program::{Failure, Program};
use service_kit::serve;
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use tokio::net::TcpListener;
use transactions_service::{MIGRATIONS, TransactionsConfig, build};

#[tokio::main]
async fn main() -> ExitCode {
    service_kit::program::run::<Transactions>().await
}

struct Transactions;

impl Program for Transactions {
    type Config = TransactionsConfig;

    fn migrations() -> &'static Migrator {
        &MIGRATIONS
    }

    fn name(config: &TransactionsConfig) -> String {
        config.service_name.clone()
    }

    fn port(config: &TransactionsConfig) -> u16 {
        config.port
    }

    async fn serve(
        loaded: Loaded<TransactionsConfig>,
        pool: PgPool,
        listener: TcpListener,
    ) -> Result<(), Failure> {
        let (service, closing) = build(&loaded, pool).await?.split();
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
