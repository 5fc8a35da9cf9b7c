//! Writes down what clients do and see.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use history::{Event, Finals, Header, Reply, Request, What, Writer};

/// A history that grows. What was recorded is in the file for certain when
/// [`finish`](Self::finish) has returned.
pub struct Recorder {
    began: Instant,
    writer: Mutex<Option<Writer<BufWriter<File>>>>,
    next: AtomicU64,
    most: u64,
    outcomes: Mutex<BTreeMap<&'static str, BTreeMap<String, u64>>>,
}

impl Recorder {
    /// Begins a file; at most `most` requests go into it.
    ///
    /// # Errors
    /// Those of the file.
    pub fn new(path: &Path, header: &Header, most: u64) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let writer = Writer::new(BufWriter::new(File::create(path)?), header)?;
        Ok(Self {
            began: Instant::now(),
            writer: Mutex::new(Some(writer)),
            next: AtomicU64::new(1),
            most,
            outcomes: Mutex::default(),
        })
    }

    /// A request is about to be sent. `None` when enough have been.
    pub fn invoke(&self, client: u32, request: &Request) -> Option<u64> {
        let operation = self.next.fetch_add(1, Ordering::SeqCst);
        if operation > self.most {
            return None;
        }
        self.write(client, operation, What::Invoke(request.clone()));
        Some(operation)
    }

    /// It has an answer, or will have none.
    pub fn answered(&self, client: u32, operation: u64, request: &Request, what: What) {
        let outcome = match &what {
            What::Ok(Reply::Transfer { settled: false, .. }) => "ok, not settled".to_owned(),
            What::Invoke(_) | What::Ok(_) => "ok".to_owned(),
            What::Fail { code, .. } => code.clone(),
            What::Unknown { why } => format!("unknown: {why}"),
        };
        let mut outcomes = self.outcomes.lock().expect("lock");
        *outcomes
            .entry(kind_of(request))
            .or_default()
            .entry(outcome)
            .or_default() += 1;
        drop(outcomes);
        self.write(client, operation, what);
    }

    /// How many requests were sent so far.
    pub fn count(&self) -> u64 {
        (self.next.load(Ordering::SeqCst) - 1).min(self.most)
    }

    /// How many requests of each kind had which outcome.
    pub fn outcomes(&self) -> BTreeMap<&'static str, BTreeMap<String, u64>> {
        self.outcomes.lock().expect("lock").clone()
    }

    /// Adds what the bank says at the end; nothing can be recorded after it.
    ///
    /// # Errors
    /// Those of the file.
    pub fn finish(&self, finals: Finals) -> io::Result<()> {
        let writer = self.writer.lock().expect("lock").take();
        match writer {
            Some(writer) => writer.finish(finals).map(drop),
            None => Ok(()),
        }
    }

    /// The time is taken under the lock, so that the file is in the order of time.
    fn write(&self, client: u32, operation: u64, what: What) {
        let mut writer = self.writer.lock().expect("lock");
        let at = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let event = Event {
            at,
            client,
            operation,
            what,
        };
        if let Some(writer) = writer.as_mut() {
            // A disk that is full shows itself when the history is finished.
            let _ = writer.event(&event);
        }
    }
}

fn kind_of(request: &Request) -> &'static str {
    match request {
        Request::Transfer { protocol, .. } if protocol == "saga" => "transfer by saga",
        Request::Transfer { legs, .. } if legs.len() > 2 => "transfer, many legs",
        Request::Transfer { .. } => "transfer",
        Request::Batch { linked: true, .. } => "batch, linked",
        Request::Batch { .. } => "batch",
        Request::Deposit { .. } => "deposit",
        Request::Withdrawal { .. } => "withdrawal",
        Request::Read { .. } => "read of an account",
        Request::List { .. } => "list of a bank",
        Request::Status { .. } => "status of a transfer",
    }
}
