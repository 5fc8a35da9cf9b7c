//! The command line of a service.

use std::path::PathBuf;

use clap::Parser;

/// What every service understands on its command line.
#[derive(Debug, Clone, Default, Parser)]
#[command(version)]
pub struct Arguments {
    /// Read this TOML file; the environment overrides it.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Show the configuration in force, secrets hidden, and exit.
    #[arg(long)]
    pub print_config: bool,
    /// Bring the database's schema up to date and exit.
    #[arg(long)]
    pub migrate: bool,
    /// As --migrate, then insert the development data that is not there yet, and exit.
    #[arg(long)]
    pub seed: bool,
}
