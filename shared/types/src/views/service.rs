//! What every service answers.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Code, Retry, TransactionId, views::Status};

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The items of this page.
    pub items: Vec<T>,
    /// Where the next page begins; `null` at the end.
    pub next_cursor: Option<String>,
}

/// Alive: the process answers.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// Always `ok`.
    pub status: String,
    /// Which service this is.
    pub service: String,
    /// Its version.
    pub version: String,
    /// Seconds since it started.
    pub uptime_seconds: u64,
}

/// Whether a service can do its work.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Readiness {
    /// All dependencies are there.
    pub ready: bool,
    /// Each dependency by name.
    pub dependencies: Vec<ReadinessItem>,
}

/// One dependency of a service.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ReadinessItem {
    /// What it is, such as `database`.
    pub name: String,
    /// It answers.
    pub ready: bool,
    /// What is wrong, in words without secrets.
    pub detail: Option<String>,
}

/// An error: RFC 9457 problem details with our extensions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProblemView {
    /// A URI reference that names the kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// This occurrence in words.
    pub detail: String,
    /// The stable code.
    pub code: Code,
    /// The request, for support.
    pub request_id: String,
    /// The transfer that was refused, when one was begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<TransactionId>,
    /// Its status: `aborted` for a refused transfer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction_status: Option<Status>,
    /// What the client may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
}
