use serde_json::json;
use types::views::{AuditEntry, BranchInDoubt, InDoubt};

use super::*;
use crate::cli::output::Sheet;

const TRANSACTION: &str = "01980000-0000-7000-8000-000000000001";
const ACCOUNT: &str = "660e8400-e29b-41d4-a716-446655440001";

fn lines(sheet: impl Into<Sheet>) -> String {
    let text = sheet.into().render(80, false);
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{text}");
    }
    text
}

fn hazard() -> serde_json::Value {
    json!({"hazard": "heuristic_mixed", "detail": null, "seen_at": "2026-01-31T12:00:00.000Z",
        "acknowledged_at": null})
}

fn leg() -> serde_json::Value {
    json!({"account_id": ACCOUNT, "change": "-123456.78", "pending_debits": "123456.78",
        "pending_credits": "0.00", "locked": true})
}

fn choices() -> serde_json::Value {
    json!([
        {"action": "wait", "participant": null, "hazard": null,
            "means": "it ends as COMMIT at every bank as soon as each can be reached; until then \
                      the holds stay"},
        {"action": "force_abort", "participant": "bank-2", "hazard": null,
            "means": "bank-2 releases the holds now and books nothing; but the decision is COMMIT: \
                      that makes it MIXED"},
        {"action": "acknowledge", "participant": "bank-1", "hazard": "heuristic_mixed",
            "means": "no longer shown"},
    ])
}

fn proposal() -> serde_json::Value {
    json!({"resolution_id": ACCOUNT, "transaction_id": TRANSACTION, "participant": "bank-2",
        "outcome": "abort", "reason": "the data centre is gone", "proposed_by": ACCOUNT,
        "confirmed_by": null, "result": null})
}

#[test]
fn a_transaction_in_doubt_shows_both_sides_and_every_choice_within_80_columns() {
    let branch = |bank: &str, reachable: bool| {
        json!({"participant": bank, "reachable": reachable,
            "state": reachable.then_some("HEURISTIC_MIXED"), "acknowledged": reachable,
            "hazard": "HeuristicMixed",
            "error": (!reachable).then_some("unknown: error sending request: connection refused"),
            "prepared_at": reachable.then_some("2026-01-31T12:00:00.000Z"), "finished_at": null,
            "legs": if reachable { json!([leg()]) } else { json!([]) },
            "recorded": if reachable { json!([hazard()]) } else { json!([]) },
            "delivery": (!reachable).then(|| json!({"attempts": 12, "last_error": "refused",
                "next_try_at": "2026-01-31T12:00:00.000Z"}))})
    };
    let item: InDoubt = serde_json::from_value(json!({
        "transaction_id": TRANSACTION, "status": "committed", "phase": "delivering",
        "age_seconds": 75, "created_at": "2026-01-31T12:00:00.000Z",
        "trying": "delivering COMMIT to bank-2, attempt 13, last error: refused, next try in 3.2 s",
        "branches": [branch("bank-1", true), branch("bank-2", false)],
        "proposed": [proposal()],
        "coordinator": {"status": "committed", "phase": "delivering", "epoch": 2,
            "owner": ACCOUNT, "owner_name": "transactions-service",
            "lease_until": "2026-01-31T12:00:00.000Z", "lease_over": false,
            "decided_at": "2026-01-31T12:00:00.000Z", "reason": null,
            "since": "2026-01-31T12:00:00.000Z"},
        "hazards": [], "choices": choices(),
    }))
    .unwrap();
    let text = lines(in_doubt(&[item]));
    for shown in [
        TRANSACTION,
        "transactions-service, epoch 2, lease until",
        "attempt 13",
        "not reachable",
        "connection refused",
        "sent 12 times",
        "HEURISTIC_MIXED",
        "heuristic_mixed (bank)",
        "-123456.78",
        "locked by this leg",
        "force abort",
        "that makes it MIXED",
        "banking-cli admin confirm",
    ] {
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            flat.contains(shown) || text.contains(shown),
            "{shown}:\n{text}"
        );
    }
    assert!(lines(in_doubt(&[])).contains("Nothing is in doubt"));
}

#[test]
fn what_a_bank_knows_by_itself_says_how_to_confirm_there() {
    let answer = json!({
        "participant": "bank-2", "transaction_id": TRANSACTION, "state": "PREPARED",
        "prepared_at": "2026-01-31T12:00:00.000Z", "finished_at": null, "age_seconds": 75,
        "participants": ["bank-1", "bank-2"], "legs": [leg()], "hazards": [hazard()],
        "coordinator": "does not answer: unknown: error sending request: connection refused",
        "trying": "asking the coordinators, and the other banks, again and again",
        "choices": choices(), "proposed": [proposal()],
    });
    // As it comes from a bank: a text, not a tree.
    let item: BranchInDoubt = serde_json::from_str(&answer.to_string()).unwrap();
    let text = lines(in_doubt_at(&[item], "bank-2"));
    for shown in [
        "bank-1, bank-2",
        "does not answer",
        "--at-participant bank-2",
        "PREPARED",
    ] {
        assert!(text.contains(shown), "{shown}:\n{text}");
    }
}

#[test]
fn the_audit_trail_says_who_when_why_and_upon_what() {
    let entry: AuditEntry = serde_json::from_value(json!({
        "recorded_at": "2026-01-31T12:00:00.000Z", "recorded_by": "coordinator",
        "action": "CONFIRMATION_REFUSED", "participant": "bank-2", "actor": ACCOUNT,
        "resolution_id": ACCOUNT, "outcome": "abort", "hazard": null,
        "evidence": "coordinator=committed bank-1=COMMITTED bank-2=PREPARED",
        "reason": "the data centre is gone", "detail": "evidence_changed",
    }))
    .unwrap();
    let text = lines(audit(&[entry]));
    for shown in [
        "CONFIRMATION",
        "abort at bank-2",
        ACCOUNT,
        "the data centre is gone",
        "bank-2=PREPARED",
        "evidence_changed",
    ] {
        assert!(text.contains(shown), "{shown}:\n{text}");
    }
}
