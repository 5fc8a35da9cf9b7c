//! Reading a history back.

use std::collections::HashMap;
use std::io::{self, BufRead};

use crate::format::{Event, FORMAT, History, Line, What};

/// Why a file is not a history.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// A line is not what the format says.
    #[error("line {line}: {error}")]
    Line {
        /// Which line, the first is 1.
        line: u64,
        /// What is wrong with it.
        error: serde_json::Error,
    },
    /// The first line is not a header.
    #[error("it does not begin with a header")]
    NoHeader,
    /// A line stands where it cannot.
    #[error("line {0} does not belong there")]
    OutOfPlace(u64),
    /// An answer without its request, or one number for two requests.
    #[error("request {0} was not sent once and answered at most once after that")]
    Unpaired(u64),
    /// Another version of the format.
    #[error("it has format {0}, this program reads {FORMAT}")]
    Format(u32),
    /// The last line is missing or counts otherwise.
    #[error("it is cut off or damaged: the last line does not count the others")]
    CutOff,
}

/// Reads a whole history.
///
/// # Errors
/// [`ReadError`].
pub fn read(input: impl BufRead) -> Result<History, ReadError> {
    let mut history: Option<History> = None;
    let mut ended = None;
    let mut count = 0_u64;
    for line in input.lines() {
        let text = line?;
        let line = count + 1;
        if ended.is_some() {
            return Err(ReadError::OutOfPlace(line));
        }
        let parsed =
            serde_json::from_str(&text).map_err(|error| ReadError::Line { line, error })?;
        match (parsed, history.as_mut()) {
            (Line::Header(header), None) if header.format == FORMAT => {
                history = Some(History {
                    header,
                    events: Vec::new(),
                    accounts: Vec::new(),
                    entries: Vec::new(),
                    records: Vec::new(),
                    keys: Vec::new(),
                });
            }
            (Line::Header(header), None) => return Err(ReadError::Format(header.format)),
            (Line::Header(_), Some(_)) => return Err(ReadError::OutOfPlace(line)),
            (_, None) => return Err(ReadError::NoHeader),
            (Line::Event(event), Some(history)) => history.events.push(event),
            (Line::Account(account), Some(history)) => history.accounts.push(account),
            (Line::Entry(entry), Some(history)) => history.entries.push(entry),
            (Line::Record(record), Some(history)) => history.records.push(record),
            (Line::Key(key), Some(history)) => history.keys.push(key),
            (Line::End(lines), Some(_)) => ended = Some(lines),
        }
        count += 1;
    }
    match (history, ended) {
        (None, _) => Err(ReadError::NoHeader),
        // The last line does not count itself.
        (Some(history), Some(lines)) if lines + 1 == count => {
            paired(&history.events)?;
            Ok(history)
        }
        _ => Err(ReadError::CutOff),
    }
}

/// Every request is sent once, and answered at most once, by then or later.
fn paired(events: &[Event]) -> Result<(), ReadError> {
    let mut open: HashMap<u64, (u64, bool)> = HashMap::new();
    for event in events {
        let unpaired = ReadError::Unpaired(event.operation);
        match (&event.what, open.get_mut(&event.operation)) {
            (What::Invoke(_), None) => {
                open.insert(event.operation, (event.at, false));
            }
            (What::Invoke(_), Some(_)) | (_, None) => return Err(unpaired),
            (_, Some((invoked, answered))) => {
                if *answered || event.at < *invoked {
                    return Err(unpaired);
                }
                *answered = true;
            }
        }
    }
    Ok(())
}
