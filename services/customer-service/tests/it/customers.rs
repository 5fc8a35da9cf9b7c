//! Profiles.

use reqwest::Method;
use serde_json::{Value, json};

use crate::bank::{ALICE, Bank, send, somebody};

#[tokio::test]
async fn a_customer_is_stored_exactly_as_it_was_sent() {
    let bank = Bank::start().await;
    let teller = bank.teller().await;
    let sent = json!({"name": "Robert'); DROP TABLE customers;--", "address": "Zoë Straße 7, \"B\"",
        "contact_info": {"email": "bobby@example.com", "phone": null}});
    let created = teller.post("/customers", &sent).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let path = created.header("location").to_owned();
    assert_eq!(path, format!("/customers/{}", created.text("customer_id")));
    let found = teller.get(&path).await;
    assert_eq!(found.body, created.body);
    assert_eq!(found.header("etag"), created.header("etag"));
    for field in ["name", "address", "contact_info"] {
        assert_eq!(found.body[field], sent[field]);
    }
    let names: Vec<_> = found.body.as_object().expect("an object").keys().collect();
    assert_eq!(
        names,
        [
            "address",
            "contact_info",
            "created_at",
            "customer_id",
            "name",
            "updated_at"
        ]
    );
    let created_at = found.text("created_at");
    assert!(
        created_at.len() == 24 && created_at.ends_with('Z'),
        "{created_at}"
    );
}

#[tokio::test]
async fn what_makes_no_customer_is_refused() {
    let bank = Bank::start().await;
    let teller = bank.teller().await;
    let with = |name: &str, value: Value| {
        let mut customer = somebody("Somebody");
        customer[name] = value;
        customer
    };
    for bad in [
        with("name", json!("")),
        with("name", json!("   ")),
        with("name", json!("a\u{0}b")),
        with("name", json!("a\u{202e}b")),
        with("name", json!("a\u{200b}b")),
        with("name", json!("x".repeat(10_000))),
        with("name", json!(null)),
        with("address", json!(7)),
        with(
            "contact_info",
            json!({"email": "x@example.com", "fax": "1"}),
        ),
        with("contact_info", json!("x@example.com")),
        with("customer_id", json!(ALICE)),
        with("balance", json!("1000.00")),
        json!({}),
        json!([]),
    ] {
        let reply = teller.post("/customers", &bad).await;
        assert_eq!(reply.refusal(), (422, "invalid_body"), "{bad}");
    }
}

#[tokio::test]
async fn an_id_that_is_none_is_told_from_one_that_is_unknown() {
    let bank = Bank::start().await;
    let teller = bank.teller().await;
    let unknown = "/customers/550e8400-e29b-41d4-a716-446655449999";
    assert_eq!(teller.get(unknown).await.refusal(), (404, "not_found"));
    assert_eq!(
        teller.patch(unknown, &json!({}), None).await.refusal(),
        (404, "not_found")
    );
    for bad in [
        "1",
        "00000000-0000-0000-0000-000000000000",
        "%7B550e8400-e29b-41d4-a716-446655440001%7D",
        "550e8400e29b41d4a716446655440001",
        "%00",
        "%FF",
    ] {
        let reply = teller.get(&format!("/customers/{bad}")).await;
        assert_eq!(reply.refusal(), (400, "invalid_id"), "{bad}");
    }
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_nothing_else() {
    let bank = Bank::start().await;
    let alice = bank.alice().await;
    let path = format!("/customers/{ALICE}");
    let before = alice.get(&path).await;
    let patched = alice
        .patch(&path, &json!({"address": "2 New Road"}), None)
        .await;
    assert_eq!(patched.status, 200);
    assert_eq!(patched.body["address"], "2 New Road");
    for field in ["name", "contact_info", "customer_id", "created_at"] {
        assert_eq!(patched.body[field], before.body[field], "{field}");
    }
    let contact = json!({"contact_info": {"email": null, "phone": "+1 555 0199"}});
    let patched = alice.patch(&path, &contact, None).await;
    assert_eq!(patched.body["contact_info"], contact["contact_info"]);
    for bad in [
        json!({"customer_id": ALICE}),
        json!({"name": ""}),
        json!({"role": "admin"}),
        json!([]),
    ] {
        let reply = alice.patch(&path, &bad, None).await;
        assert_eq!(reply.refusal(), (422, "invalid_body"), "{bad}");
    }
}

#[tokio::test]
async fn if_match_lets_only_one_of_two_changes_through() {
    let bank = Bank::start().await;
    let (alice, teller) = (bank.alice().await, bank.teller().await);
    let path = format!("/customers/{ALICE}");
    let seen = alice.get(&path).await.header("etag").to_owned();
    let change = json!({"name": "Alice Jones"});
    let (one, two) = tokio::join!(
        alice.patch(&path, &change, Some(&seen)),
        teller.patch(&path, &change, Some(&seen)),
    );
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
    let late = alice.patch(&path, &change, Some(&seen)).await;
    assert_eq!(late.refusal(), (412, "precondition_failed"));

    let current = alice.get(&path).await.header("etag").to_owned();
    assert_ne!(current, seen);
    for bad in ["W/\"2\"", "2", "\"x\"", ""] {
        assert_eq!(
            alice.patch(&path, &change, Some(bad)).await.status,
            412,
            "{bad}"
        );
    }
    let several = format!("\"77\", {current}");
    assert_eq!(
        alice.patch(&path, &change, Some(&several)).await.status,
        200
    );
    assert_eq!(alice.patch(&path, &change, Some("*")).await.status, 200);
}

#[tokio::test]
async fn a_body_that_is_not_plain_json_is_refused() {
    let bank = Bank::start().await;
    let teller = bank.teller().await;
    let post = || teller.request(Method::POST, "/customers");
    let json = |body: Vec<u8>| post().header("content-type", "application/json").body(body);
    let twice =
        br#"{"name":"A","name":"B","address":"x","contact_info":{"email":null,"phone":null}}"#;
    let deep = format!(
        "{{\"name\":\"A\",\"address\":\"x\",\"contact_info\":{}",
        "[".repeat(10_000)
    );
    for (request, status, code) in [
        (json(twice.to_vec()), 422, "invalid_body"),
        (json(b"{\"name\":\"\xff\"}".to_vec()), 400, "malformed_json"),
        (json(deep.into_bytes()), 422, "invalid_body"),
        (json(b"".to_vec()), 400, "malformed_json"),
        (json(vec![b' '; 10_000_000]), 413, "payload_too_large"),
        (post().body("{}"), 415, "unsupported_media_type"),
        (
            post()
                .header("content-type", "application/x-www-form-urlencoded")
                .body("name=A"),
            415,
            "unsupported_media_type",
        ),
    ] {
        assert_eq!(send(request).await.refusal(), (status, code));
    }
}
