//! The life of a service's program, from its command line to its last request.

use std::error::Error;
use std::future::Future;
use std::process::ExitCode;

use clap::Parser;
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use tokio::net::TcpListener;

use crate::config::{Arguments, Loaded, ServiceConfig, load};
use crate::{client, database, failpoints, serve, telemetry};

/// A transfer is some hundred small allocations by two threads, and the system's allocator keeps what
/// a moment of haste has asked for.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Why a service ends before it was asked to.
pub type Failure = Box<dyn Error + Send + Sync>;

/// What is a service's own in its program.
pub trait Program {
    /// Its part of the configuration.
    type Config: ServiceConfig + Send;

    /// The schema of its database.
    fn migrations() -> &'static Migrator;

    /// The name it has in logs.
    fn name(config: &Self::Config) -> String;

    /// The port it listens on, before the offset.
    fn port(config: &Self::Config) -> u16;

    /// Inserts the development data that is not there yet. Nothing, unless a service has some.
    fn seed(
        _loaded: &Loaded<Self::Config>,
        _pool: &PgPool,
    ) -> impl Future<Output = Result<(), Failure>> + Send {
        std::future::ready(Ok(()))
    }

    /// Serves on a migrated database until the process is asked to stop.
    fn serve(
        loaded: Loaded<Self::Config>,
        pool: PgPool,
        listener: TcpListener,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// Does what the command line asks for: shows the configuration, migrates, seeds, or serves.
///
/// What stops a service from starting is said on standard error and in its log.
pub async fn run<P: Program>() -> ExitCode {
    let arguments = Arguments::parse();
    let loaded = match load::<P::Config>(&arguments) {
        Ok(loaded) => loaded,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    if arguments.print_config {
        println!("{}", loaded.shown());
        return ExitCode::SUCCESS;
    }
    let name = P::name(&loaded.service);
    let _logs = telemetry::init(&name, &loaded.bank);
    client::install_crypto_provider();
    match start::<P>(&arguments, loaded, &name).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(event = "SERVICE_NOT_STARTED", error = %error);
            eprintln!("{name}: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn start<P: Program>(
    arguments: &Arguments,
    loaded: Loaded<P::Config>,
    name: &str,
) -> Result<(), Failure> {
    let (bank, url) = (&loaded.bank, loaded.service.database_url());
    let pool = database::connect(url, bank.database_connections, name).await?;
    database::migrate(&pool, P::migrations()).await?;
    if arguments.seed {
        P::seed(&loaded, &pool).await?;
    }
    if arguments.migrate || arguments.seed {
        return Ok(());
    }
    failpoints::configure(bank)?;
    let listener = serve::bind(bank.host, bank.port(P::port(&loaded.service))).await?;
    P::serve(loaded, pool, listener).await
}
