//! `banking-cli`: the bank from the command line, one command at a time or with menus.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
