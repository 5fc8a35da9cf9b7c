//! A long history takes no longer than its length.

use super::generated::{Step, simulated};
use super::good::accepted;

#[test]
fn a_history_of_twenty_thousand_requests_is_checked() {
    // A fixed sequence of numbers that look drawn (a linear congruential generator).
    let mut state = 1_u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    let steps: Vec<Step> = (0..20_000)
        .map(|_| Step {
            kind: next(),
            client: next(),
            from: next(),
            to: next(),
            amount: next(),
            before: next(),
            after: next(),
        })
        .collect();
    accepted(&simulated(&steps).history);
}
