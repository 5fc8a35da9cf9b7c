//! Banks that take minutes: `./scripts/test model --all`.

use crate::part::{escrow, exclusive, transfer};
use crate::scenario::Scenario;

/// A list of three at one bank: one cannot be paid when the one before it is, another needs an
/// exclusive account that the first one holds.
pub fn list() -> Scenario {
    Scenario::calm(
        "one bank, a list of three",
        &[escrow(0, 7), exclusive(0, 1), escrow(0, 0)],
        &[
            transfer(&[(0, -4), (1, 4)]),
            transfer(&[(0, -4), (2, 4)]),
            transfer(&[(1, -1), (2, 1)]),
        ],
    )
}
