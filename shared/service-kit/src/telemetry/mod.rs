//! Logs: JSON lines into a file per service and to standard output.
//!
//! Events are logged as `tracing::info!(event = "PREPARE_VOTED", transaction_id = %id, vote = "yes")`.
//! `event` and `transaction_id` have places of their own in the line, `request_id` and `trace_id`
//! come from the request being served, and every other field lands in `details`. No token,
//! password or personal datum may be a field.

mod line;
mod output;

use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::BankConfig;
use line::Line;
use output::Output;

/// Libraries that tell of their everyday work, unless `BANK_LOG` asks for it: the driver reports
/// each notice of a migration.
const QUIET: &str = "sqlx=warn,hyper=warn,reqwest=warn";

/// Keeps the log writers alive; what is still buffered is written when it is dropped.
#[must_use = "logging ends when the guard is dropped"]
pub struct Guard {
    _workers: Vec<WorkerGuard>,
}

/// Starts logging. Called once, first thing in a service's life; further calls change nothing.
///
/// A log folder that cannot be written is reported on standard error and done without: a bank that
/// cannot log still has to finish its transactions.
pub fn init(service_name: &str, bank: &BankConfig) -> Guard {
    let (output, workers) = Output::open(service_name, bank.log_dir.as_deref());
    let filter = EnvFilter::try_new(format!("{QUIET},{}", bank.log)).unwrap_or_else(|error| {
        eprintln!("BANK_LOG is not a filter ({error}); logging at info");
        EnvFilter::new(format!("{QUIET},info"))
    });
    let layer = JsonLines {
        service_name: service_name.to_owned(),
        output,
    };
    tracing_subscriber::registry()
        .with(filter)
        .with(layer)
        .try_init()
        .ok();
    log_panics();
    Guard { _workers: workers }
}

/// A panic is a log line like any other, rather than text that no tool reads.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        let words = panic
            .payload_as_str()
            .unwrap_or("something that is not text");
        tracing::error!(event = "PANIC", place, words);
    }));
}

struct JsonLines {
    service_name: String,
    output: Output,
}

impl<S: tracing::Subscriber> Layer<S> for JsonLines {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let line = Line::new(&self.service_name, event, crate::context::current());
        self.output.write(&line);
    }
}
