//! `accounts-service [--config FILE] [--print-config] [--migrate] [--seed]`

use std::error::Error;
use std::process::ExitCode;

use accounts_service::{AccountsConfig, Built, MIGRATIONS, build, claim, seed};
use clap::Parser;
use service_kit::config::{Arguments, Loaded, ServiceConfig, load};
use service_kit::{client, database, failpoints, serve, telemetry};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let loaded = match load::<AccountsConfig>(&arguments) {
        Ok(loaded) => loaded,
        Err(error) => {
            eprintln!("accounts-service: {error}");
            return ExitCode::FAILURE;
        }
    };
    if arguments.print_config {
        println!("{}", loaded.shown());
        return ExitCode::SUCCESS;
    }
    let name = loaded.service.service_name.clone();
    let _guard = telemetry::init(&name, &loaded.bank);
    client::install_crypto_provider();
    match start(&arguments, loaded).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(event = "SERVICE_NOT_STARTED", error = %error);
            eprintln!("{name}: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn start(
    arguments: &Arguments,
    loaded: Loaded<AccountsConfig>,
) -> Result<(), Box<dyn Error>> {
    let Loaded { bank, service } = &loaded;
    let (url, connections) = (service.database_url(), bank.database_connections);
    let pool = database::connect(url, connections, &service.service_name).await?;
    database::migrate(&pool, &MIGRATIONS).await?;
    if arguments.seed {
        claim(&pool, &service.participant_id).await?;
        seed::insert(&pool, &service.participant_id).await?;
    }
    if arguments.migrate || arguments.seed {
        return Ok(());
    }
    failpoints::configure(bank)?;
    let listener = serve::bind(bank.host, bank.port(service.port)).await?;
    let Built { service, inquirer } = build(loaded, pool).await?;
    let in_doubt = tokio::spawn(inquirer.run());
    serve::run(service, listener, serve::shutdown_signal()).await;
    in_doubt.abort();
    Ok(())
}
