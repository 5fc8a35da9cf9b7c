//! Data to standard output, everything else to standard error.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use serde::Serialize;

use super::failure::Failure;
use super::table::{Record, Table, Tone};

/// Lines longer than this are hard to read, however wide the terminal is.
const WIDEST: usize = 120;

/// Where no terminal says otherwise.
const USUAL: usize = 80;

/// For people, or for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Table,
    Json,
}

/// What a command shows: one thing, made for people out of what programs get as JSON.
#[derive(Debug, Clone)]
pub enum Sheet {
    Table(Table),
    Record(Record),
    Text(String),
    All(Vec<Sheet>),
}

impl Sheet {
    pub fn render(&self, width: usize, color: bool) -> String {
        match self {
            Self::Table(table) => table.render(width, color),
            Self::Record(record) => record.render(width, color),
            Self::Text(text) => format!("{text}\n"),
            Self::All(sheets) => {
                let parts = sheets.iter().map(|sheet| sheet.render(width, color));
                parts.collect::<Vec<_>>().join("\n")
            }
        }
    }
}

impl From<Table> for Sheet {
    fn from(table: Table) -> Self {
        Self::Table(table)
    }
}

impl From<Record> for Sheet {
    fn from(record: Record) -> Self {
        Self::Record(record)
    }
}

/// The way to the terminal, or to the pipe, file or program in its place.
#[derive(Debug, Clone)]
pub struct Output {
    format: Format,
    quiet: bool,
    color: bool,
    width: usize,
}

impl Output {
    pub fn new(format: Format, quiet: bool) -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        Self {
            format,
            quiet,
            color: !plain && io::stdout().is_terminal(),
            width: terminal_width().unwrap_or(USUAL),
        }
    }

    pub fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// The result of a command: `value` for programs, `sheet` for people.
    pub fn show(&self, value: &impl Serialize, sheet: impl Into<Sheet>) -> Result<(), Failure> {
        if self.is_json() {
            self.json(value)
        } else {
            write_out(&sheet.into().render(self.width, self.color))
        }
    }

    /// Data that is the same for people and programs, such as a file.
    pub fn raw(&self, text: &str) -> Result<(), Failure> {
        write_out(text)
    }

    /// A line that is part of what a person came for; programs get everything at the end instead.
    pub fn line(&self, text: &str) -> Result<(), Failure> {
        if self.is_json() {
            return Ok(());
        }
        write_out(&format!("{text}\n"))
    }

    pub fn sheet(&self, sheet: impl Into<Sheet>) -> Result<(), Failure> {
        if self.is_json() {
            return Ok(());
        }
        write_out(&sheet.into().render(self.width, self.color))
    }

    pub fn json(&self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(value).map_err(io::Error::from)?;
        write_out(&format!("{text}\n"))
    }

    /// Something beside the data: what was done, what to do next.
    pub fn note(&self, text: &str) {
        if !self.quiet && !self.is_json() {
            // A closed standard error leaves nobody to tell.
            let _ = writeln!(io::stderr(), "{text}");
        }
    }

    /// Something beside the data that must not be overlooked, even with `--quiet`.
    pub fn warn(&self, text: &str) {
        if self.is_json() {
            let warning = serde_json::json!({ "warning": text });
            let _ = writeln!(io::stderr(), "{warning}");
        } else {
            let _ = writeln!(io::stderr(), "Warning: {text}");
        }
    }

    /// The words in the colour of their meaning.
    pub fn painted(&self, text: &str, tone: Tone) -> String {
        let code = match tone {
            Tone::Plain => 1,
            Tone::Good => 32,
            Tone::Warning => 33,
            Tone::Bad => 31,
        };
        if self.color {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

fn write_out(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

fn terminal_width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    let columns = usize::from(size.ws_col);
    (columns > 0).then(|| columns.clamp(40, WIDEST))
}
