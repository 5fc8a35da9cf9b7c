//! Metrics in the Prometheus text format.

use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// Counts what needs a person and has not been dealt with. Every service has it, from 0 on.
pub const INTERVENTIONS: &str = "bank_interventions_open";

/// Counts contradictions and forced outcomes as they are recorded, by `hazard`.
pub const HAZARDS: &str = "bank_hazards_total";

/// Counts branches whose outcome was forced (`commit`, `abort`), and those whose decision turned
/// out to be the other one (`mixed`), by `outcome`.
pub const HEURISTICS: &str = "bank_heuristic_outcomes_total";

/// Counts rows that were deleted because they were old, by `table`.
pub const DELETED: &str = "bank_retention_deleted_rows_total";

/// Upper bounds, in seconds, of the latency buckets: a millisecond to the longest time-out.
const LATENCY_BUCKETS: [f64; 13] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0,
];

static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Installs the recorder once per process; later calls do nothing.
pub fn install() {
    HANDLE.get_or_init(|| {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &LATENCY_BUCKETS)
            .ok()?;
        let handle = builder.install_recorder().ok()?;
        metrics::describe_gauge!(INTERVENTIONS, "Cases that need a person");
        metrics::describe_counter!(HAZARDS, "Contradictions recorded, by kind");
        metrics::describe_counter!(HEURISTICS, "Outcomes forced, and those that became mixed");
        metrics::describe_counter!(DELETED, "Rows deleted for their age, by table");
        metrics::describe_counter!("http_requests_total", "Requests answered");
        metrics::describe_histogram!(
            "http_request_duration_seconds",
            "From the head of a request to the head of its reply"
        );
        metrics::gauge!(INTERVENTIONS).set(0);
        Some(handle)
    });
}

/// Everything measured so far, as `GET /metrics` shows it.
#[must_use]
pub fn render() -> String {
    match HANDLE.get() {
        Some(Some(handle)) => handle.render(),
        _ => String::new(),
    }
}

/// Folds recent samples into their buckets, for ever. Without it they pile up until somebody
/// reads the metrics.
pub(crate) async fn upkeep() {
    let mut tick = tokio::time::interval(Duration::from_secs(5));
    loop {
        tick.tick().await;
        if let Some(Some(handle)) = HANDLE.get() {
            handle.run_upkeep();
        }
    }
}

/// One request was answered.
pub(crate) fn request(method: &'static str, path: &str, status: u16, elapsed: Duration) {
    let labels = [
        ("method", method.to_owned()),
        ("path", path.to_owned()),
        ("status", status.to_string()),
    ];
    metrics::counter!("http_requests_total", &labels).increment(1);
    metrics::histogram!("http_request_duration_seconds", &labels[..2]).record(elapsed);
}
