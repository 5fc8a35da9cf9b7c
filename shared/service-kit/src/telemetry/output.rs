//! Where lines of the log go.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, IsTerminal, Write, stdout};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};

use super::line::Line;

/// Standard output, the service's file, and the common file of errors.
pub(super) struct Output {
    pretty: bool,
    stdout: NonBlocking,
    file: Option<NonBlocking>,
    errors: Option<PathBuf>,
}

/// The name of a service's file: `accounts-service-2` logs to `accounts-2.log`.
fn file_name(service_name: &str) -> String {
    let stem = match service_name {
        "customer-service" => "customers".to_owned(),
        other => other.replacen("-service", "", 1),
    };
    format!("{stem}.log")
}

fn append(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

/// Lines that may wait to be written; about 3 MB.
const MOST_WAITING: usize = 10_000;

/// A writer with a thread of its own. It drops lines rather than hold up the service when nobody
/// reads standard output.
fn background(writer: impl Write + Send + 'static, workers: &mut Vec<WorkerGuard>) -> NonBlocking {
    let builder = NonBlockingBuilder::default().lossy(true);
    let (writer, worker) = builder
        .buffered_lines_limit(MOST_WAITING)
        .finish(InBursts(BufWriter::with_capacity(64 * 1024, writer)));
    workers.push(worker);
    writer
}

/// How long lines gather after some were written.
const PAUSE: Duration = Duration::from_millis(5);

/// Writes what has gathered with one call. The first line is written at once; those that come while
/// the thread rests wake nobody up, and under load that costs more than the lines themselves.
struct InBursts<W: Write>(BufWriter<W>);

impl<W: Write> Write for InBursts<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes)
    }

    /// Called when no line is left.
    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()?;
        thread::sleep(PAUSE);
        Ok(())
    }
}

impl Output {
    pub(super) fn open(service_name: &str, folder: Option<&Path>) -> (Self, Vec<WorkerGuard>) {
        let mut workers = Vec::new();
        let mut output = Self {
            pretty: stdout().is_terminal(),
            stdout: background(stdout(), &mut workers),
            file: None,
            errors: None,
        };
        if let Some(folder) = folder {
            let path = folder.join(file_name(service_name));
            match std::fs::create_dir_all(folder).and_then(|()| append(&path)) {
                Ok(file) => {
                    output.file = Some(background(file, &mut workers));
                    let errors = folder.join("error.log");
                    // There from the start, for whoever waits for the first error with `tail -f`.
                    append(&errors).ok();
                    output.errors = Some(errors);
                }
                Err(error) => eprintln!("cannot log to {}: {error}", path.display()),
            }
        }
        (output, workers)
    }

    pub(super) fn write(&self, line: &Line<'_>) {
        let json = line.json();
        let shown = if self.pretty { &line.pretty() } else { &json };
        self.stdout.clone().write_all(shown).ok();
        if let Some(file) = &self.file {
            file.clone().write_all(&json).ok();
        }
        if let Some(errors) = self.errors.as_ref().filter(|_| line.is_error()) {
            // Opened anew each time, because all services append to this file and somebody else
            // rotates it; written at once, because the process may be about to die.
            append(errors)
                .and_then(|mut file| file.write_all(&json))
                .ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn each_service_has_a_file_of_its_own() {
        for (service, file) in [
            ("customer-service", "customers.log"),
            ("accounts-service", "accounts.log"),
            ("accounts-service-2", "accounts-2.log"),
            ("transactions-service-2", "transactions-2.log"),
        ] {
            assert_eq!(file_name(service), file);
        }
    }
}
