//! Who may ask for transfers on behalf of customers, and for whose.

use serde_json::{Value, json};
use tests::TRANSACTIONS;

use crate::desk::{ALICES, Desk};
use crate::seed::{ALICE, BOB};

const PATH: &str = "/internal/transfers";

fn payment(source: &str, on_behalf_of: Value) -> Value {
    json!({"idempotency_key": "theft", "on_behalf_of": on_behalf_of,
        "source_account_id": source, "destination_account_id": BOB, "amount": "1"})
}

#[tokio::test]
async fn a_service_that_sells_debits_nobody_but_the_customer_it_names() {
    let desk = Desk::start().await;
    let carols = "660e8400-e29b-41d4-a716-446655440004";
    let other = desk
        .post(TRANSACTIONS, PATH, payment(carols, json!(ALICES)))
        .await;
    assert_eq!(
        (other.status.as_u16(), other.code()),
        (404, "account_not_found")
    );
    // Whoever leaves it out does not act for the bank by that.
    let mut unsaid = payment(ALICE, Value::Null);
    unsaid.as_object_mut().unwrap().remove("on_behalf_of");
    let refused = desk.post(TRANSACTIONS, PATH, unsaid).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (422, "invalid_body")
    );
    for (field, value) in [
        ("amount", json!("0")),
        ("amount", json!("-1")),
        ("amount", json!("0.00001")),
        ("idempotency_key", json!("")),
        ("protocol", json!("saga")),
    ] {
        let mut wrong = payment(ALICE, json!(ALICES));
        wrong[field] = value;
        let refused = desk.post(TRANSACTIONS, PATH, wrong.clone()).await;
        assert_eq!(
            (refused.status.as_u16(), refused.code()),
            (422, "invalid_body"),
            "{wrong}"
        );
    }
    let itself = desk
        .post(TRANSACTIONS, PATH, payment(BOB, Value::Null))
        .await;
    assert_eq!(
        (itself.status.as_u16(), itself.code()),
        (422, "same_account")
    );
    assert_eq!(desk.transactions().await, 0);
    desk.balances_are("1000.00", "750.00").await;
    desk.shut().await;
}

#[tokio::test]
async fn a_token_of_the_service_that_sells_is_for_transfers_between_services_alone() {
    let desk = Desk::start().await;
    let body = json!({"source_account_id": ALICE, "destination_account_id": BOB, "amount": "1"});
    let public = desk.post(TRANSACTIONS, "/transfers", body).await;
    assert_eq!(public.status, 403, "{}", public.body);
    let inquiry = json!({"participant": "bank-1", "items": []});
    let asked = desk
        .post(TRANSACTIONS, "/internal/inquiries", inquiry)
        .await;
    assert_eq!(asked.status, 403, "{}", asked.body);
    // For another audience it is nobody's.
    let token = desk.signer.sign_service_token("bank-1").unwrap();
    let nobody = desk.bank.anonymous().with_token(&token);
    let body = payment(ALICE, json!(ALICES));
    let url = format!("{}{PATH}", desk.bank.url(TRANSACTIONS));
    let request = nobody.request(reqwest::Method::POST, &url).json(&body);
    assert_eq!(tests::answer(request).await.unwrap().status, 401);
    assert_eq!(desk.transactions().await, 0);
    desk.shut().await;
}
