//! `banking-cli bench`

use clap::Args;

use super::values::ProtocolChoice;

pub const AFTER_HELP: &str = "\
Makes accounts of its own, keeps so many transfers under way for so long, and
checks at the end that no money was made or lost. It measures this bank as it
runs, debug builds and this program's own work included; comparisons with
other systems are scripts/bench.

Examples:
  banking-cli bench
  banking-cli bench --connections 64 --seconds 30
  banking-cli bench --protocol saga --hot --output json";

/// How much load, of which kind, for how long.
#[derive(Debug, Clone, Args)]
pub struct BenchArguments {
    /// Transfers under way at any time
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=512))]
    pub connections: u16,
    /// How long, in seconds
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub seconds: u32,
    /// Accounts that pay each other
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(2..=1_000))]
    pub accounts: u16,
    /// How the transfers are carried out
    #[arg(long, value_enum, default_value = "2pc")]
    pub protocol: ProtocolChoice,
    /// Everybody pays one account
    #[arg(long)]
    pub hot: bool,
}
