//! `transactions-service`: reads its configuration and serves.

use std::process::ExitCode;

use clap::Parser;
use service_kit::config::{Arguments, Loaded, ServiceConfig, load};
use service_kit::{database, failpoints, serve, telemetry};
use transactions_service::{MIGRATOR, TransactionsConfig, build};

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("transactions-service: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let loaded: Loaded<TransactionsConfig> = load(arguments)?;
    if arguments.print_config {
        println!("{}", loaded.shown());
        return Ok(());
    }
    let Loaded { bank, service } = &loaded;
    let _logs = telemetry::init(&service.service_name, bank);
    let connections = bank.database_connections;
    let url = service.database_url();
    let pool = database::connect(url, connections, &service.service_name).await?;
    database::migrate(&pool, &MIGRATOR).await?;
    if arguments.migrate || arguments.seed {
        return Ok(());
    }
    failpoints::configure(bank)?;
    let listener = serve::bind(bank.host, bank.port(service.port)).await?;
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
