//! `customer-service [--config FILE] [--print-config] [--migrate] [--seed]`

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use customer_service::config::CustomerConfig;
use customer_service::{MIGRATIONS, NAME, build, seed};
use service_kit::config::{Arguments, Loaded, ServiceConfig, load};
use service_kit::{client, database, failpoints, serve, telemetry};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let loaded = match load::<CustomerConfig>(&arguments) {
        Ok(loaded) => loaded,
        Err(error) => {
            eprintln!("{NAME}: {error}");
            return ExitCode::FAILURE;
        }
    };
    if arguments.print_config {
        println!("{}", loaded.shown());
        return ExitCode::SUCCESS;
    }
    let _guard = telemetry::init(NAME, &loaded.bank);
    client::install_crypto_provider();
    match start(&arguments, loaded).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(event = "SERVICE_NOT_STARTED", error = %error);
            eprintln!("{NAME}: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn start(
    arguments: &Arguments,
    loaded: Loaded<CustomerConfig>,
) -> Result<(), Box<dyn Error>> {
    let url = loaded.service.database_url();
    let pool = database::connect(url, loaded.bank.database_connections, NAME).await?;
    database::migrate(&pool, &MIGRATIONS).await?;
    if arguments.seed {
        seed::insert(&pool).await?;
    }
    if arguments.migrate || arguments.seed {
        return Ok(());
    }
    failpoints::configure(&loaded.bank)?;
    let listener = serve::bind(loaded.bank.host, loaded.bank.port(loaded.service.port)).await?;
    let service = build(loaded, pool).await?;
    serve::run(service, listener, serve::shutdown_signal()).await;
    Ok(())
}
