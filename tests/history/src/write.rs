//! Writing a history down while it happens.

use std::io::{self, Write};

use crate::format::{Entry, Event, FinalAccount, Header, History, KeyRecord, Line, Record};

/// Writes line after line.
#[derive(Debug)]
pub struct Writer<W: Write> {
    output: W,
    lines: u64,
}

/// What the bank said at the end.
#[derive(Debug, Clone, Default)]
pub struct Finals {
    /// Every account.
    pub accounts: Vec<FinalAccount>,
    /// Every ledger entry.
    pub entries: Vec<Entry>,
    /// Every transaction.
    pub records: Vec<Record>,
    /// Every request.
    pub keys: Vec<KeyRecord>,
}

impl<W: Write> Writer<W> {
    /// Begins with the header.
    ///
    /// # Errors
    /// Those of the output.
    pub fn new(output: W, header: &Header) -> io::Result<Self> {
        let mut writer = Self { output, lines: 0 };
        writer.line(&Line::Header(header.clone()))?;
        Ok(writer)
    }

    /// Adds an event. It is in the file for certain only after [`finish`](Self::finish).
    ///
    /// # Errors
    /// Those of the output.
    pub fn event(&mut self, event: &Event) -> io::Result<()> {
        self.line(&Line::Event(event.clone()))
    }

    /// Adds what the bank said at the end, and the last line. Everything is handed to the output
    /// when this returns.
    ///
    /// # Errors
    /// Those of the output.
    pub fn finish(mut self, finals: Finals) -> io::Result<W> {
        let accounts = finals.accounts.into_iter().map(Line::Account);
        let entries = finals.entries.into_iter().map(Line::Entry);
        let records = finals.records.into_iter().map(Line::Record);
        let keys = finals.keys.into_iter().map(Line::Key);
        for line in accounts.chain(entries).chain(records).chain(keys) {
            self.line(&line)?;
        }
        self.line(&Line::End(self.lines))?;
        self.output.flush()?;
        Ok(self.output)
    }

    fn line(&mut self, line: &Line) -> io::Result<()> {
        serde_json::to_writer(&mut self.output, line)?;
        self.output.write_all(b"\n")?;
        self.lines += 1;
        Ok(())
    }
}

impl History {
    /// Writes all of it.
    ///
    /// # Errors
    /// Those of the output.
    pub fn write<W: Write>(&self, output: W) -> io::Result<W> {
        let mut writer = Writer::new(output, &self.header)?;
        for event in &self.events {
            writer.event(event)?;
        }
        writer.finish(Finals {
            accounts: self.accounts.clone(),
            entries: self.entries.clone(),
            records: self.records.clone(),
            keys: self.keys.clone(),
        })
    }
}
