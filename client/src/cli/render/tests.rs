use types::views::{Account, LedgerCheck, Timeline, TransferView};

use super::*;
use crate::cli::output::Sheet;

fn width_of(sheet: impl Into<Sheet>) -> (usize, String) {
    let text = sheet.into().render(80, false);
    let widest = text.lines().map(|line| line.chars().count()).max();
    (widest.unwrap_or(0), text)
}

fn account_view(balance: &str) -> Account {
    serde_json::from_value(serde_json::json!({
        "account_id": "660e8400-e29b-41d4-a716-446655440001",
        "customer_id": "550e8400-e29b-41d4-a716-446655440001",
        "currency": "USD", "status": "active",
        "balance": balance, "available_balance": balance,
        "pending_change": "-10.00", "pending_debits": "10.00", "pending_credits": "0.00",
        "transaction_lock": "660e8400-e29b-41d4-a716-446655440009",
        "locking": "exclusive", "overdraft_limit": "0.00", "version": 7,
        "created_at": "2026-01-31T12:00:00.000Z", "updated_at": "2026-01-31T12:00:00.000Z",
    }))
    .unwrap()
}

fn transfer_view(reason: Option<&str>) -> TransferView {
    serde_json::from_value(serde_json::json!({
        "transaction_id": "01980000-0000-7000-8000-000000000001",
        "status": if reason.is_some() { "aborted" } else { "committed" },
        "settled": true, "protocol": "2pc",
        "source_account_id": "660e8400-e29b-41d4-a716-446655440001",
        "destination_account_id": "660e8400-e29b-41d4-a716-446655440003",
        "amount": "123456.78",
        "legs": [
            {"account_id": "660e8400-e29b-41d4-a716-446655440001", "amount": "-123456.78"},
            {"account_id": "660e8400-e29b-41d4-a716-446655440003", "amount": "123456.78"},
        ],
        "description": "a description of the length that people like to write when they may",
        "reason": reason,
        "created_at": "2026-01-31T12:00:00.000Z", "decided_at": null, "settled_at": null,
    }))
    .unwrap()
}

#[test]
fn accounts_fit_80_columns() {
    let bank: types::ParticipantId = "bank-1".parse().unwrap();
    for balance in ["1000.00", "999999999999999.9999"] {
        let rows = [(account_view(balance), bank.clone())];
        let (widest, text) = width_of(accounts(&rows));
        assert!(widest <= 80, "{text}");
        let (widest, text) = width_of(account(&rows[0].0, &bank));
        assert!(widest <= 80, "{text}");
        assert!(text.contains("Held for debits"), "{text}");
    }
}

#[test]
fn history_fits_80_columns_with_whole_ids() {
    let rows = [
        transfer_view(None),
        transfer_view(Some("insufficient_funds")),
    ];
    let (widest, text) = width_of(transfers(&rows));
    assert!(widest <= 80, "{text}");
    assert!(
        text.contains("01980000-0000-7000-8000-000000000001"),
        "{text}"
    );
    assert!(text.contains("insufficient"), "{text}");
    let (widest, text) = width_of(transfer(&rows[1]));
    assert!(widest <= 80, "{text}");
}

#[test]
fn a_timeline_fits_80_columns() {
    let view: Timeline = serde_json::from_value(serde_json::json!({
        "transaction_id": "01980000-0000-7000-8000-000000000001",
        "items": [
            {"at": "2026-01-31T12:00:00.000Z", "event": "INITIATED", "participant": null,
             "account_id": null, "detail": "2pc, two legs, all of them in this one long sentence"},
            {"at": "2026-01-31T12:00:00.012Z", "event": "DECIDED_COMMIT", "participant": "bank-1",
             "account_id": "660e8400-e29b-41d4-a716-446655440001", "detail": null},
        ],
    }))
    .unwrap();
    let (widest, text) = width_of(timeline(&view));
    assert!(widest <= 80, "{text}");
    assert!(text.contains("DECIDED_COMMIT"), "{text}");
}

#[test]
fn a_ledger_check_shows_what_it_found() {
    let check: LedgerCheck = serde_json::from_value(serde_json::json!({
        "ok": false,
        "checks": [{"id": "I1", "title": "sums to zero", "ok": false, "found": ["USD 0.01"]}],
    }))
    .unwrap();
    let bank: types::ParticipantId = "bank-2".parse().unwrap();
    let (_, text) = width_of(ledger(&bank, &check));
    assert!(
        text.contains("bank-2: NOT OK") && text.contains("USD 0.01"),
        "{text}"
    );
}
