//! The demonstration of the textbook race.

use reqwest::Method;
use serde_json::json;
use service_kit::config::{BankConfig, Environment};

use crate::actor::send;
use crate::bank::{Bank, Setup};

const PATH: &str = "/demo/unsafe-withdrawals";

#[tokio::test]
async fn the_unsafe_way_loses_money_every_time_and_the_ledger_never_sees_it() {
    let bank = Bank::start().await;
    for _ in 0..5 {
        let reply = bank.alice().post(PATH, &json!({})).await;
        assert_eq!(reply.status, 201, "{}", reply.body);
        let withdrawal = json!({"amount": "100.00", "read_balance": "150.00",
            "wrote_balance": "50.00", "succeeded": true});
        assert_eq!(reply.body["withdrawals"], json!([withdrawal, withdrawal]));
        assert_eq!(reply.text("opening_balance"), "150.00");
        assert_eq!(reply.text("final_balance"), "50.00");
        assert_eq!(reply.text("expected_balance"), "-50.00");
        assert_eq!(reply.body["money_lost"], true);
    }
    let one = json!({"amount": "200", "attempts": 1});
    let reply = bank.alice().post(PATH, &one).await;
    assert_eq!(reply.body["withdrawals"][0]["succeeded"], false);
    assert_eq!(reply.body["money_lost"], false);
    let many = bank.alice().post(PATH, &json!({"attempts": 20})).await;
    assert_eq!(many.status, 201, "more than there are connections");
    // Every value has a default, so there may be no body at all.
    let bare = send(bank.alice().request(Method::POST, PATH)).await;
    assert_eq!(bare.status, 201, "{}", bare.body);
    let bad = bank.alice().post(PATH, &json!({"attempts": 21})).await;
    assert_eq!(bad.refusal(), (422, "invalid_body"));
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn outside_development_there_is_no_demonstration() {
    let bank = Bank::with(Setup {
        bank: BankConfig {
            env: Environment::Production,
            ..BankConfig::default()
        },
        ..Setup::default()
    })
    .await;
    let reply = bank.admin().post(PATH, &json!({})).await;
    assert_eq!(reply.refusal(), (404, "not_found"));
}
