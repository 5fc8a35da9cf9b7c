//! From what was typed to an exit code.

mod args;
mod commands;
mod context;
mod demo;
mod failure;
mod interactive;
mod output;
mod render;
mod session;
mod table;

use std::process::ExitCode;

use clap::Parser;

use args::Cli;
use failure::{Exit, Failure};
use output::{Format, Output};

/// Does what the command line says.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return mistyped(&error),
    };
    let out = Output::new(cli.options.output, cli.options.quiet);
    let exit = match execute(cli, &out) {
        Ok(()) => Exit::Done,
        Err(failure) => failure.report(&out),
    };
    ExitCode::from(exit as u8)
}

fn execute(cli: Cli, out: &Output) -> Result<(), Failure> {
    // Several threads: a prompt of interactive mode blocks one of them.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let result = runtime.block_on(commands::execute(cli.command, &cli.options, out));
    // A call that nobody waits for any more must not keep the program from ending.
    runtime.shutdown_background();
    result
}

/// Help and version are not mistakes, but they come this way too.
fn mistyped(error: &clap::Error) -> ExitCode {
    let wants_json = || {
        let typed: Vec<_> = std::env::args().collect();
        let pair = ["--output".to_owned(), "json".to_owned()];
        typed.windows(2).any(|window| window == pair) || typed.contains(&"--output=json".to_owned())
    };
    if error.use_stderr() && wants_json() {
        let words = error.render().to_string();
        let words = words.trim().trim_start_matches("error: ").to_owned();
        let out = Output::new(Format::Json, true);
        return ExitCode::from(Failure::Usage(words).report(&out) as u8);
    }
    // When nobody reads it, there is nobody to tell that nobody reads it.
    let _ = error.print();
    let exit = if error.use_stderr() {
        Exit::Usage
    } else {
        Exit::Done
    };
    ExitCode::from(exit as u8)
}
