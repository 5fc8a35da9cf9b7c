//! `stack`: a whole bank on this machine, from one command.

mod checks;
mod commands;
mod compile;
mod project;
mod requests;
mod restarts;
mod summary;
mod supervisor;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

/// Starts, stops and tends a whole bank on this machine.
#[derive(Debug, Parser)]
#[command(name = "stack", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start PostgreSQL, make databases, build and start the services, insert seed data
    Start(Start),
    /// Stop what `start --detach` started, and nothing else
    Stop(Place),
    /// Say what runs
    Status(Place),
    /// Start one service of a running bank anew, with the program as it is built now
    Restart {
        /// customer, accounts, accounts-2, transactions, orders, … or postgres
        service: String,
        #[command(flatten)]
        place: Place,
    },
    /// Make roles, databases and schemas
    SetupDatabases(Prepare),
    /// Bring the schema of one service, or of all, up to date
    Migrate {
        /// customer, accounts, accounts-2, transactions, orders, …
        service: Option<String>,
        #[command(flatten)]
        prepare: Prepare,
    },
    /// Insert the development seed data where it is missing
    Seed(Prepare),
    /// Open a shell into a service's database
    Psql {
        /// customer, accounts, accounts-2, transactions, orders, …
        service: String,
        #[command(flatten)]
        prepare: Prepare,
        /// Passed on to psql
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Run a command with TEST_POSTGRES_URL, a throw-away cluster's superuser URL
    WithPostgres {
        /// The command and its arguments
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
}

#[derive(Debug, Clone, Args)]
struct Place {
    /// Where the bank keeps everything [default: .data in the checkout]
    #[arg(
        long,
        value_name = "DIR",
        env = "BANK_DATA_DIR",
        hide_env_values = true
    )]
    data_dir: Option<PathBuf>,
}

#[derive(Debug, Clone, Args)]
struct Size {
    /// How many accounts-services, each with a database of its own
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=100))]
    banks: u16,
    /// How many transactions-services, all on one database
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=100))]
    coordinators: u16,
}

#[derive(Debug, Clone, Args)]
struct Prepare {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    size: Size,
    /// Install packages without asking
    #[arg(long)]
    yes: bool,
    /// Use the programs as they are
    #[arg(long)]
    no_build: bool,
}

#[derive(Debug, Clone, Args)]
struct Start {
    #[command(flatten)]
    prepare: Prepare,
    /// Return once every service is ready, and leave the bank running in the background
    #[arg(long)]
    detach: bool,
    /// Start from empty data: delete the data directory's contents, if it carries our marker
    #[arg(long)]
    fresh: bool,
    /// Start again whatever exits, PostgreSQL included
    #[arg(long)]
    supervise: bool,
    /// Start one service (or postgres) of a running bank again
    #[arg(long, value_name = "NAME", conflicts_with_all = ["detach", "fresh", "supervise"])]
    only: Option<String>,
    /// The machine was checked and the programs built by who started us.
    #[arg(long, hide = true)]
    checked: bool,
    /// We are the background process of `--detach`.
    #[arg(long, hide = true)]
    background: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("stack: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let code = runtime
        .block_on(run(arguments.command))
        .unwrap_or_else(|error| {
            eprintln!("stack: {error}");
            ExitCode::FAILURE
        });
    // A reader of the terminal on a blocking thread would otherwise hold us up.
    runtime.shutdown_background();
    code
}

async fn run(command: Command) -> stack::Result<ExitCode> {
    match command {
        Command::Start(start) => match start.only.clone() {
            Some(name) => commands::only::run(&start.prepare.place, &name).await,
            None => commands::start::run(start).await,
        },
        Command::Stop(place) => commands::stop::run(&place).await,
        Command::Status(place) => commands::status::run(&place),
        Command::Restart { service, place } => commands::only::restart(&place, &service).await,
        Command::SetupDatabases(prepare) => {
            commands::databases::migrate(&prepare, None, stack::bank::Step::Migrate).await
        }
        Command::Migrate { service, prepare } => {
            commands::databases::migrate(&prepare, service.as_deref(), stack::bank::Step::Migrate)
                .await
        }
        Command::Seed(prepare) => {
            commands::databases::migrate(&prepare, None, stack::bank::Step::Seed).await
        }
        Command::Psql {
            service,
            prepare,
            arguments,
        } => commands::psql::run(&prepare, &service, &arguments).await,
        Command::WithPostgres { command } => commands::with_postgres::run(&command).await,
    }
}
