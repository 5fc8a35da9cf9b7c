//! The ledger's self-examination.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /ledger/check`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LedgerCheck {
    /// Every check holds.
    pub ok: bool,
    /// Each check.
    pub checks: Vec<LedgerCheckItem>,
}

/// One invariant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LedgerCheckItem {
    /// Its number, such as `I1`.
    pub id: String,
    /// What it says.
    pub title: String,
    /// It holds.
    pub ok: bool,
    /// What contradicts it, at most 20 findings.
    pub found: Vec<String>,
}
