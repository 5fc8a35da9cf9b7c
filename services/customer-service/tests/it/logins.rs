//! `POST /customers/{id}/logins`

use serde_json::{Value, json};

use crate::bank::{ALICE, Bank, somebody};

fn login(username: &str, password: &str, role: &str) -> Value {
    json!({"username": username, "password": password, "role": role})
}

#[tokio::test]
async fn a_new_customer_gets_a_login_and_sees_only_its_own_profile() {
    let bank = Bank::start().await;
    let teller = bank.teller().await;
    let dave = teller
        .post("/customers", &somebody("Dave"))
        .await
        .text("customer_id");
    let path = format!("/customers/{dave}/logins");
    let created = teller
        .post(&path, &login("dave.1", "correct horse", "customer"))
        .await;
    assert_eq!(created.status, 201, "{}", created.body);
    assert_eq!(created.body["customer_id"], dave.as_str());
    assert!(!created.body.to_string().contains("password"));

    let pair = bank.login("dave.1", "correct horse").await;
    assert_eq!(
        (pair.status, pair.body["customer_id"].as_str()),
        (200, Some(dave.as_str()))
    );
    let dave_himself = bank.anonymous().with_token(&pair.text("access_token"));
    assert_eq!(
        dave_himself.get(&format!("/customers/{dave}")).await.status,
        200
    );
    assert_eq!(
        dave_himself
            .get(&format!("/customers/{ALICE}"))
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn a_teller_that_an_admin_made_is_a_teller_and_no_customer() {
    let bank = Bank::start().await;
    let path = format!("/customers/{ALICE}/logins");
    let body = login("alice-at-work", "correct horse", "teller");
    assert_eq!(bank.admin().await.post(&path, &body).await.status, 201);
    let pair = bank.login("alice-at-work", "correct horse").await;
    assert_eq!(
        (&pair.body["role"], &pair.body["customer_id"]),
        (&json!("teller"), &Value::Null)
    );
    let teller = bank.anonymous().with_token(&pair.text("access_token"));
    assert_eq!(teller.get("/customers").await.status, 200);
}

#[tokio::test]
async fn a_login_that_cannot_be_is_refused() {
    let bank = Bank::start().await;
    let admin = bank.admin().await;
    let path = format!("/customers/{ALICE}/logins");
    let good = "correct horse";
    for (body, status, code) in [
        (
            login("alice-customer", good, "customer"),
            409,
            "username_taken",
        ),
        (login("Alice", good, "customer"), 422, "invalid_body"),
        (login("a b c", good, "customer"), 422, "invalid_body"),
        (login("al", good, "customer"), 422, "invalid_body"),
        (login("\u{430}lice", good, "customer"), 422, "invalid_body"),
        (
            login(&"x".repeat(65), good, "customer"),
            422,
            "invalid_body",
        ),
        (login("alice.2", "short", "customer"), 422, "invalid_body"),
        (
            login("alice.2", &"x".repeat(300), "customer"),
            422,
            "invalid_body",
        ),
        (login("alice.2", good, "root"), 422, "invalid_body"),
        (
            json!({"username": "alice.2", "password": good}),
            422,
            "invalid_body",
        ),
    ] {
        let reply = admin.post(&path, &body).await;
        assert_eq!(reply.refusal(), (status, code), "{body}");
    }
    let nobody = "/customers/550e8400-e29b-41d4-a716-446655449999/logins";
    let reply = admin
        .post(nobody, &login("alice.2", good, "customer"))
        .await;
    assert_eq!(reply.refusal(), (404, "not_found"));
}

#[tokio::test]
async fn of_two_who_want_one_name_one_gets_it() {
    let bank = Bank::start().await;
    let teller = bank.teller().await;
    let path = format!("/customers/{ALICE}/logins");
    let body = login("same-name", "correct horse", "customer");
    let attempts = (0..4).map(|_| teller.post(&path, &body));
    let replies = futures_util::future::join_all(attempts).await;
    let mut statuses: Vec<_> = replies.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409]);
}
