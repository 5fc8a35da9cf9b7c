//! `POST /auth/login`

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use customer_service::config::CustomerConfig;
use serde_json::{Value, json};

use crate::bank::{ALICE, Bank};

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).expect("a part");
    let bytes = URL_SAFE_NO_PAD.decode(part).expect("base64url");
    serde_json::from_slice(&bytes).expect("JSON")
}

#[tokio::test]
async fn a_login_gives_tokens_that_say_exactly_what_they_should() {
    let bank = Bank::start().await;
    let reply = bank.login("alice-customer", "banking-dev").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.body["token_type"], "Bearer");
    assert_eq!(reply.body["expires_in"], 900);
    assert_eq!(reply.body["role"], "customer");
    assert_eq!(reply.body["customer_id"], ALICE);
    let token = reply.text("access_token");
    let header = part(&token, 0);
    assert_eq!(
        (&header["alg"], &header["typ"]),
        (&json!("EdDSA"), &json!("at+jwt"))
    );
    let claims = part(&token, 1);
    let names: Vec<_> = claims.as_object().expect("an object").keys().collect();
    assert_eq!(
        names,
        [
            "aud",
            "customer_id",
            "exp",
            "iat",
            "iss",
            "jti",
            "role",
            "sub"
        ]
    );
    assert_eq!(claims["iss"], "customer-service");
    assert_eq!(claims["customer_id"], ALICE);
    assert_eq!(
        claims["exp"].as_i64(),
        claims["iat"].as_i64().map(|iat| iat + 900)
    );

    let teller = bank.login("tom-teller", "banking-dev").await;
    assert_eq!(teller.body["customer_id"], Value::Null);
    let claims = part(&teller.text("access_token"), 1);
    assert_eq!(
        (&claims["customer_id"], &claims["role"]),
        (&Value::Null, &json!("teller"))
    );
}

#[tokio::test]
async fn an_unknown_user_looks_like_a_wrong_password_and_takes_as_long() {
    let config = CustomerConfig {
        failed_logins_per_minute: 1_000,
        ..CustomerConfig::default()
    };
    let bank = Bank::with(config).await;
    let mut shortest = [Duration::MAX; 2];
    for _ in 0..8 {
        for (who, shortest) in ["alice-customer", "nobody-at-all"]
            .into_iter()
            .zip(&mut shortest)
        {
            let started = Instant::now();
            let reply = bank.login(who, "not-the-password").await;
            *shortest = started.elapsed().min(*shortest);
            assert_eq!(reply.refusal(), (401, "invalid_credentials"));
            assert!(reply.header("www-authenticate").starts_with("Bearer"));
            let mut body = reply.body;
            body["request_id"] = Value::Null;
            assert!(!body.to_string().contains(who), "{body}");
        }
    }
    let [known, unknown] = shortest;
    assert!(
        unknown * 2 > known && known * 2 > unknown,
        "{known:?} and {unknown:?}"
    );
}

#[tokio::test]
async fn five_failures_make_a_name_wait_whether_it_exists_or_not() {
    let bank = Bank::start().await;
    for name in ["alice-customer", "nobody-at-all", "not a name\u{0}"] {
        for _ in 0..5 {
            let reply = bank.login(name, "not-the-password").await;
            assert_eq!(reply.refusal(), (401, "invalid_credentials"), "{name}");
        }
        for password in ["not-the-password", "banking-dev"] {
            let reply = bank.login(name, password).await;
            assert_eq!(reply.refusal(), (429, "rate_limited"), "{name}");
            let seconds: u64 = reply.header("retry-after").parse().expect("seconds");
            assert!((1..=60).contains(&seconds), "{seconds}");
        }
    }
    assert_eq!(bank.login("bob-customer", "banking-dev").await.status, 200);
    assert_eq!(
        bank.replica()
            .await
            .login("alice-customer", "banking-dev")
            .await
            .status,
        429
    );

    sqlx::query("UPDATE login_failures SET failed_at = failed_at - interval '1 minute'")
        .execute(&bank.pool)
        .await
        .expect("a minute passes");
    assert_eq!(
        bank.login("alice-customer", "banking-dev").await.status,
        200
    );
}

#[tokio::test]
async fn failures_that_come_together_do_not_slip_past_the_limit() {
    let bank = Bank::start().await;
    let attempts = (0..20).map(|_| bank.login("alice-customer", "not-the-password"));
    let statuses = all(attempts).await;
    assert_eq!(
        statuses.iter().filter(|status| **status == 401).count(),
        5,
        "{statuses:?}"
    );
}

async fn all<'a>(
    attempts: impl Iterator<Item = impl Future<Output = crate::bank::Reply> + 'a>,
) -> Vec<u16> {
    let replies = futures_util::future::join_all(attempts).await;
    replies.into_iter().map(|reply| reply.status).collect()
}

#[tokio::test]
async fn one_address_cannot_try_many_users() {
    let config = CustomerConfig {
        logins_per_second: 3,
        ..CustomerConfig::default()
    };
    let bank = Bank::with(config).await;
    let names: Vec<_> = (0..30).map(|n| format!("user-{n}")).collect();
    let attempts = names
        .iter()
        .map(|name| bank.login(name, "not-the-password"));
    let statuses = all(attempts).await;
    assert!(statuses.contains(&429), "{statuses:?}");
}

#[tokio::test]
async fn a_login_that_is_not_one_is_refused() {
    let bank = Bank::start().await;
    for bad in [
        json!({"username": "alice-customer"}),
        json!({"username": "alice-customer", "password": 1}),
        json!({"username": ["alice-customer"], "password": "banking-dev"}),
        json!({"username": "alice-customer", "password": "banking-dev", "role": "admin"}),
        json!(["alice-customer", "banking-dev"]),
    ] {
        let reply = bank.anonymous().post("/auth/login", &bad).await;
        assert_eq!(reply.refusal(), (422, "invalid_body"), "{bad}");
    }
    for odd in [
        "",
        "ALICE-CUSTOMER",
        "alice-customer'--",
        &"x".repeat(10_000),
    ] {
        assert_eq!(bank.login(odd, "banking-dev").await.status, 401, "{odd}");
    }
}
