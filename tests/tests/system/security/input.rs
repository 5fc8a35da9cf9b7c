//! Bodies, parameters and headers that make no sense, at running services.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{ACCOUNTS, Actor, Answer, CUSTOMER, TRANSACTIONS, TestBank, answer};

use crate::seed::{ALICE, BOB};

/// Sends bytes as they are, as JSON.
async fn post_raw(actor: &Actor, url: &str, body: Vec<u8>) -> Answer {
    let request = actor
        .request(Method::POST, url)
        .header("content-type", "application/json");
    answer(request.body(body)).await.unwrap()
}

/// A transfer with this text in the place of its amount.
fn amounting_to(amount: &str) -> String {
    format!(
        r#"{{"source_account_id":"{ALICE}","destination_account_id":"{BOB}","amount":{amount}}}"#
    )
}

/// A transfer of 1 with something added.
fn and_also(more: &str) -> String {
    amounting_to(&format!("\"1\",{more}"))
}

/// Refused with one of these, as a problem document, for a reason of the client's.
pub(super) fn assert_refused(reply: &Answer, expected: &[(u16, &str)], what: &str) {
    let found = (reply.status.as_u16(), reply.code());
    let what: String = what.chars().take(120).collect();
    assert!(
        expected.contains(&found),
        "{what}: {found:?} {}",
        reply.body
    );
    assert_eq!(reply.header("content-type"), "application/problem+json");
}

/// Statuses with their codes, any of which will do.
pub(super) type Refusals = &'static [(u16, &'static str)];

const NO_AMOUNT: Refusals = &[(422, "invalid_amount")];
const NO_JSON: Refusals = &[(400, "malformed_json")];
pub(super) const NO_BODY: Refusals = &[(422, "invalid_body")];
const NO_ID: Refusals = &[(400, "invalid_id")];

#[tokio::test]
async fn what_is_no_transfer_is_refused_and_nothing_is_begun() {
    let bank = TestBank::start().await;
    let alice = bank.alice().await;
    let url = format!("{}/transfers", bank.url(TRANSACTIONS));
    let mut table: Vec<(Vec<u8>, Refusals)> = Vec::new();
    for amount in [
        "0",
        "-1",
        "-0",
        "0.00001",
        "1000000000000000",
        "1e15",
        "1e400",
        "-1e400",
        "1e-400",
        "0.12340000000000000000000000000000000001e0",
        "\"0\"",
        "\"-1\"",
        "\"-0\"",
        "\"0.00001\"",
        "\"1000000000000000\"",
        "\"NaN\"",
        "\"Infinity\"",
        "\"-Infinity\"",
        "\"0x10\"",
        "\"１００\"",
        "\"1_000\"",
        "\"1,00\"",
        "\"\"",
        "\" 1\"",
        "\"+1\"",
    ] {
        table.push((amounting_to(amount).into(), NO_AMOUNT));
    }
    for amount in ["NaN", "Infinity", "0x10", "１００", "01", "+1", ".5", "1."] {
        table.push((amounting_to(amount).into(), NO_JSON));
    }
    for amount in ["true", "[1]", "{}"] {
        table.push((amounting_to(amount).into(), NO_BODY));
    }
    let with_source = |id: &str| amounting_to("\"1\"").replacen(ALICE, id, 1);
    for id in [
        "00000000-0000-0000-0000-000000000000",
        "{660e8400-e29b-41d4-a716-446655440001}",
        "660e8400e29b41d4a716446655440001",
        "urn:uuid:660e8400-e29b-41d4-a716-446655440001",
        "1",
        "' OR 1=1 --",
    ] {
        table.push((with_source(id).into(), NO_ID));
    }
    let deep = |open: &str, close: &str| {
        format!("\"legs\":{}{}", open.repeat(10_000), close.repeat(10_000))
    };
    for more in [
        "\"balance\":\"5\"",
        "\"role\":\"admin\"",
        "\"transaction_lock\":null",
        "\"amount\":\"2\"",
        "\"Amount\":\"2\"",
        "\"description\":\"a\\u0000b\"",
        "\"description\":\"a\\u202eb\"",
        "\"description\":\"a\\u200bb\"",
        "\"description\":\"a\\nb\"",
        "\"description\":7",
        "\"protocol\":\"3pc\"",
    ] {
        table.push((and_also(more).into(), NO_BODY));
    }
    table.push((
        and_also(&format!("\"description\":\"{}\"", "x".repeat(10_240))).into(),
        NO_BODY,
    ));
    let refused: Refusals = &[(400, "malformed_json"), (422, "invalid_body")];
    table.push((and_also(&deep("[", "]")).into(), refused));
    table.push((and_also(&deep("{\"a\":", "}")).into(), refused));
    table.push((and_also("\"description\":\"\\ud800\"").into(), refused));
    let mut bad_utf8 = and_also("\"description\":\"X\"").into_bytes();
    let position = bad_utf8.iter().position(|byte| *byte == b'X').unwrap();
    bad_utf8[position] = 0xff;
    table.push((bad_utf8, refused));
    for body in ["", "null", "[]", "\"a\"", "{", "{}{}"] {
        table.push((
            body.into(),
            &[(400, "malformed_json"), (422, "invalid_body")],
        ));
    }
    table.push((vec![b' '; 10_000_000], &[(413, "payload_too_large")]));
    table.push((
        amounting_to("\"1\"").replace(BOB, ALICE).into(),
        &[(422, "same_account")],
    ));
    for (body, expected) in table {
        let what = String::from_utf8_lossy(&body).into_owned();
        assert_refused(&post_raw(&alice, &url, body).await, expected, &what);
    }

    let body = amounting_to("\"1\"");
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=utf-16",
    ] {
        let request = alice
            .request(Method::POST, &url)
            .header("content-type", kind);
        let reply = answer(request.body(body.clone())).await.unwrap();
        assert_refused(&reply, &[(415, "unsupported_media_type")], kind);
    }
    for key in ["k".repeat(300), "a b".to_owned(), String::new()] {
        let request = alice.request(Method::POST, &url);
        let request = request
            .header("content-type", "application/json")
            .header("idempotency-key", &key);
        let reply = answer(request.body(body.clone())).await.unwrap();
        assert_refused(&reply, &[(400, "invalid_idempotency_key")], &key);
    }
    let begun: i64 = sqlx::query_scalar("SELECT count(*) FROM transactions")
        .fetch_one(&bank.database(TRANSACTIONS).await)
        .await
        .unwrap();
    assert_eq!(begun, 0);
    bank.stop().await;
}

#[tokio::test]
async fn amounts_are_exact_to_the_last_place() {
    let bank = TestBank::start().await;
    let (alice, teller) = (bank.alice().await, bank.teller().await);
    let url = format!("{}/transfers", bank.url(TRANSACTIONS));
    for (amount, exact) in [
        ("0.1", "0.10"),
        ("\"0.1\"", "0.10"),
        ("0.0001", "0.0001"),
        ("1e-4", "0.0001"),
        ("1.25e1", "12.50"),
    ] {
        let reply = post_raw(&alice, &url, amounting_to(amount).into()).await;
        assert_eq!(reply.expect(201)["amount"], exact, "{amount}");
    }
    assert_eq!(teller.balance(BOB).await, "762.7002");

    let most = "999999999999999.9999";
    let full = teller.open_account(most, json!({})).await;
    let empty = teller.open_account("0", json!({})).await;
    let all = amounting_to(most)
        .replace(ALICE, &full)
        .replace(BOB, &empty);
    let moved = post_raw(&teller, &url, all.into()).await.expect(201);
    assert_eq!(moved["amount"], most);
    assert_eq!(teller.balance(&full).await, "0.00");
    assert_eq!(teller.balance(&empty).await, most);
    bank.settles().await;
    bank.stop().await;
}

#[tokio::test]
async fn text_is_stored_as_it_is_and_what_deceives_is_refused() {
    let bank = TestBank::start().await;
    let (alice, teller) = (bank.alice().await, bank.teller().await);
    let url = format!("{}/transfers", bank.url(TRANSACTIONS));
    let sql = "'); DROP TABLE transactions; -- \"quoted\" \\ 100% <b>";
    let body = and_also(&format!("\"description\":{}", json!(sql)));
    let done = post_raw(&alice, &url, body.into()).await.expect(201);
    assert_eq!(done["description"], sql);
    let entries = alice
        .get_accounts(&format!("/accounts/{ALICE}/entries"))
        .await;
    assert_eq!(entries.expect(200)["items"][0]["description"], sql);

    let customers = format!("{}/customers", bank.url(CUSTOMER));
    let somebody = |name: &str| {
        json!({"name": name, "address": "1 Long Road",
            "contact_info": {"email": null, "phone": null}})
    };
    for name in [
        "Robert'); DROP TABLE customers;--",
        "Zoë O'Néill",
        "李小龍",
        "<script>",
    ] {
        let reply = post_raw(&teller, &customers, somebody(name).to_string().into()).await;
        assert_eq!(reply.expect(201)["name"], name);
    }
    let long = "x".repeat(10_240);
    for name in [
        "a\u{202e}b",
        "a\u{200b}b",
        "\u{3164}",
        "a\u{0}b",
        "\u{feff}a",
        " ",
        &long,
    ] {
        let reply = post_raw(&teller, &customers, somebody(name).to_string().into()).await;
        assert_refused(&reply, NO_BODY, name);
    }
    bank.settles().await;
    bank.stop().await;
}

#[tokio::test]
async fn members_that_are_not_the_clients_to_set_are_refused_by_every_service() {
    let bank = TestBank::start().await;
    let admin = bank.admin().await;
    let alice = "550e8400-e29b-41d4-a716-446655440001";
    let new_account = json!({"customer_id": alice, "currency": "USD"});
    let new_customer = json!({"name": "New", "address": "1 Long Road",
        "contact_info": {"email": null, "phone": null}});
    let cash = json!({"amount": "1"});
    let empty = json!({});
    for (method, service, path, body) in [
        (Method::POST, ACCOUNTS, "/accounts".to_owned(), &new_account),
        (
            Method::PATCH,
            ACCOUNTS,
            format!("/accounts/{ALICE}"),
            &empty,
        ),
        (
            Method::POST,
            ACCOUNTS,
            format!("/accounts/{ALICE}/deposits"),
            &cash,
        ),
        (
            Method::POST,
            ACCOUNTS,
            format!("/accounts/{ALICE}/withdrawals"),
            &cash,
        ),
        (
            Method::POST,
            CUSTOMER,
            "/customers".to_owned(),
            &new_customer,
        ),
        (
            Method::PATCH,
            CUSTOMER,
            format!("/customers/{alice}"),
            &empty,
        ),
    ] {
        let url = format!("{}{path}", bank.url(service));
        for (name, value) in [
            ("balance", json!("1000000")),
            ("role", json!("admin")),
            ("transaction_lock", Value::Null),
            ("version", json!(7)),
            ("pending_debits", json!("0")),
        ] {
            let mut body = body.clone();
            body[name] = value;
            let reply = admin.send(method.clone(), &url, None, Some(&body)).await;
            assert_refused(
                &reply.unwrap(),
                NO_BODY,
                &format!("{name} at {method} {path}"),
            );
        }
    }
    assert_eq!(admin.balance(ALICE).await, "1000.00");
    bank.stop().await;
}

#[tokio::test]
async fn parameters_that_make_no_sense_are_refused_by_every_list() {
    let bank = TestBank::start().await;
    let admin = bank.admin().await;
    let alice = "550e8400-e29b-41d4-a716-446655440001";
    for (service, path) in [
        (CUSTOMER, "/customers".to_owned()),
        (ACCOUNTS, format!("/accounts/customer/{alice}")),
        (ACCOUNTS, format!("/accounts/{ALICE}/entries")),
        (TRANSACTIONS, "/transfers".to_owned()),
    ] {
        let url = format!("{}{path}", bank.url(service));
        for query in [
            "limit=-1",
            "limit=0",
            "limit=201",
            "limit=1000000000",
            "limit=99999999999999999999",
            "limit=1e2",
            "limit=%EF%BC%91",
            "limit=1&limit=2",
            "cursor=%00",
            "cursor=%FF",
            "cursor=' OR 1=1 --",
            "unknown=1",
        ] {
            let url = format!("{url}?{query}");
            let reply = admin.send(Method::GET, &url, None, None).await.unwrap();
            assert_refused(&reply, &[(422, "invalid_parameter")], &url);
        }
    }
    for (service, path) in [
        (CUSTOMER, "/customers/"),
        (ACCOUNTS, "/accounts/"),
        (ACCOUNTS, "/accounts/customer/"),
        (TRANSACTIONS, "/transfers/"),
        (TRANSACTIONS, "/transfers/status/"),
    ] {
        for id in [
            "00000000-0000-0000-0000-000000000000",
            "%7B660e8400-e29b-41d4-a716-446655440001%7D",
            "1",
            "%00",
            "%FF",
        ] {
            let url = format!("{}{path}{id}", bank.url(service));
            let reply = admin.send(Method::GET, &url, None, None).await.unwrap();
            assert_refused(&reply, NO_ID, &url);
        }
    }
    bank.stop().await;
}

#[tokio::test]
async fn an_idempotency_key_belongs_to_its_caller() {
    let bank = TestBank::start().await;
    let (alice, bob) = (bank.alice().await, bank.actor("bob-customer").await);
    let of_alice = alice.transfer(ALICE, BOB, "1", "same").await.unwrap();
    let of_bob = bob.transfer(BOB, ALICE, "2", "same").await.unwrap();
    let (of_alice, of_bob) = (of_alice.expect(201), of_bob.expect(201));
    assert_ne!(of_alice["transaction_id"], of_bob["transaction_id"]);
    let again = alice.transfer(ALICE, BOB, "1", "same").await.unwrap();
    assert!(again.replayed);
    assert_eq!(
        again.expect(201)["transaction_id"],
        of_alice["transaction_id"]
    );
    bank.settles().await;
    bank.stop().await;
}
