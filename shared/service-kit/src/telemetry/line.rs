//! One event as a line of the log.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level};
use types::Timestamp;

use crate::context::Context;

/// A line; the order of the fields is the order in the file.
#[derive(Debug, Serialize)]
pub(super) struct Line<'a> {
    timestamp: Timestamp,
    level: &'static str,
    service_name: &'a str,
    event: String,
    transaction_id: Option<String>,
    request_id: Option<String>,
    trace_id: Option<String>,
    details: Map<String, Value>,
}

/// What an event without a name of its own is called: a library's, mostly.
const UNNAMED: &str = "MESSAGE";

impl<'a> Line<'a> {
    pub(super) fn new(service_name: &'a str, event: &Event<'_>, context: Option<Context>) -> Self {
        let metadata = event.metadata();
        let mut fields = Fields::default();
        event.record(&mut fields);
        let Fields(mut details) = fields;
        let mut take = |name: &str| match details.remove(name) {
            Some(Value::String(text)) => Some(text),
            Some(Value::Null) | None => None,
            Some(other) => Some(other.to_string()),
        };
        let name = take("event").unwrap_or_else(|| UNNAMED.to_owned());
        let transaction_id = take("transaction_id");
        let request_id = take("request_id");
        let trace_id = take("trace_id");
        if name == UNNAMED {
            details.insert("target".to_owned(), metadata.target().into());
        }
        Self {
            timestamp: Timestamp::now(),
            level: level(*metadata.level()),
            service_name,
            event: name,
            transaction_id,
            request_id: request_id.or_else(|| context.as_ref().map(|c| c.request_id().to_owned())),
            trace_id: trace_id.or_else(|| context.map(|c| c.trace_id().to_owned())),
            details,
        }
    }

    pub(super) fn is_error(&self) -> bool {
        self.level == "error"
    }

    /// For files and tools: one JSON object and a line break. JSON escapes every control character,
    /// so one event is one line, whatever a client sent.
    pub(super) fn json(&self) -> Vec<u8> {
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        line
    }

    /// For a person at a terminal.
    pub(super) fn pretty(&self) -> Vec<u8> {
        let colour = match self.level {
            "error" => "31",
            "warn" => "33",
            "info" => "32",
            _ => "2",
        };
        let time = self.timestamp.to_string();
        let clock = time.get(11..23).unwrap_or(&time);
        let mut text = format!(
            "\u{1b}[2m{clock}\u{1b}[0m \u{1b}[{colour}m{:5}\u{1b}[0m {:<21} {}",
            self.level, self.service_name, self.event
        );
        if let Some(id) = &self.transaction_id {
            text.push_str(&format!(" transaction_id={}", Value::from(id.as_str())));
        }
        for (name, value) in &self.details {
            text.push_str(&format!(" {name}={value}"));
        }
        text.push('\n');
        text.into_bytes()
    }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::{Layer, SubscriberExt};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<Vec<u8>>>>);

    impl<S: tracing::Subscriber> Layer<S> for Lines {
        fn on_event(&self, event: &Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
            let line = Line::new("accounts-service", event, None).json();
            self.0.lock().expect("lock").push(line);
        }
    }

    fn logged(work: impl FnOnce()) -> Vec<u8> {
        let lines = Lines::default();
        let subscriber = tracing_subscriber::registry().with(lines.clone());
        tracing::subscriber::with_default(subscriber, work);
        lines.0.lock().expect("lock").pop().expect("a line")
    }

    #[test]
    fn a_line_has_exactly_the_fields_of_the_contract() {
        let line = logged(|| {
            tracing::info!(event = "PREPARE_VOTED", transaction_id = %"t-1", vote = "yes", legs = 2);
        });
        let value: Value = serde_json::from_slice(&line).expect("JSON");
        let names: Vec<_> = value.as_object().expect("an object").keys().collect();
        assert_eq!(
            names,
            [
                "details",
                "event",
                "level",
                "request_id",
                "service_name",
                "timestamp",
                "trace_id",
                "transaction_id"
            ]
        );
        assert_eq!(value["level"], "info");
        assert_eq!(value["event"], "PREPARE_VOTED");
        assert_eq!(value["transaction_id"], "t-1");
        assert_eq!(value["request_id"], Value::Null);
        assert_eq!(
            value["details"],
            serde_json::json!({"vote": "yes", "legs": 2})
        );
        let timestamp = value["timestamp"].as_str().expect("text");
        assert!(
            timestamp.len() == 24 && timestamp.ends_with('Z'),
            "{timestamp}"
        );
    }

    #[test]
    fn line_breaks_in_what_a_client_sent_do_not_make_a_second_line() {
        let line = logged(|| tracing::warn!(event = "X", name = "a\nb\r\u{1b}[31m"));
        assert_eq!(line.iter().filter(|b| **b == b'\n').count(), 1);
        assert!(!line.contains(&0x1b) && !line.contains(&b'\r'));
    }
}
