//! Where lines of the log go.

use std::fs::{File, OpenOptions};
use std::io::{IsTerminal, Write, stdout};
use std::path::{Path, PathBuf};

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

/// A writer with a thread of its own. It drops lines rather than hold up the service when nobody
/// reads standard output.
fn background(writer: impl Write + Send + 'static, workers: &mut Vec<WorkerGuard>) -> NonBlocking {
    let (writer, worker) = NonBlockingBuilder::default().lossy(true).finish(writer);
    workers.push(worker);
    writer
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
