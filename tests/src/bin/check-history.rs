//! Checks a history again: `check-history FILE`. Exit 0 when nothing contradicts anything, 1 when
//! something does, 2 when the file is no history.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// Checks what clients saw against what the ledgers say.
///
/// The file is what `nemesis --history FILE` has written: JSON lines with every request and its
/// answer, and the ledgers at the end.
#[derive(Parser)]
struct Arguments {
    /// The history.
    file: PathBuf,
}

fn main() -> ExitCode {
    let Arguments { file } = Arguments::parse();
    let input = match File::open(&file) {
        Ok(input) => BufReader::new(input),
        Err(error) => {
            eprintln!("{}: {error}", file.display());
            return ExitCode::from(2);
        }
    };
    let history = match history::read(input) {
        Ok(history) => history,
        Err(error) => {
            eprintln!("{}: {error}", file.display());
            return ExitCode::from(2);
        }
    };
    let verdict = history::check(&history);
    println!(
        "seed {}, {} requests ({} unknown), {} ledger entries",
        history.header.seed, verdict.operations, verdict.unknown, verdict.entries
    );
    print!("{verdict}");
    if verdict.is_good() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
