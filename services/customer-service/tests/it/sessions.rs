//! Refreshing and logging out.

use std::time::Duration;

use serde_json::{Value, json};

use crate::bank::{ALICE, Bank, Reply};

fn refresh_of(pair: &Reply) -> Value {
    json!({"refresh_token": pair.text("refresh_token")})
}

async fn log_in(bank: &Bank) -> Reply {
    let pair = bank.login("alice-customer", "banking-dev").await;
    assert_eq!(pair.status, 200);
    pair
}

async fn refresh(bank: &Bank, pair: &Reply) -> Reply {
    bank.anonymous()
        .post("/auth/refresh", &refresh_of(pair))
        .await
}

/// What the access token of a pair is answered with at one's own profile.
async fn access(bank: &Bank, pair: &Reply) -> u16 {
    let alice = bank.anonymous().with_token(&pair.text("access_token"));
    alice.get(&format!("/customers/{ALICE}")).await.status
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_gives_a_new_pair() {
    let bank = Bank::start().await;
    let first = log_in(&bank).await;
    let second = refresh(&bank, &first).await;
    assert_eq!(second.status, 200);
    assert_ne!(first.text("refresh_token"), second.text("refresh_token"));
    assert_eq!(second.body["customer_id"], ALICE);
    let third = refresh(&bank, &second).await;
    assert_eq!(third.status, 200);
    assert_eq!(
        (access(&bank, &first).await, access(&bank, &third).await),
        (200, 200)
    );
}

#[tokio::test]
async fn a_spent_refresh_token_ends_the_whole_session_and_no_other() {
    let bank = Bank::start().await;
    let stolen = log_in(&bank).await;
    let other_session = log_in(&bank).await;
    let second = refresh(&bank, &stolen).await;
    let third = refresh(&bank, &second).await;
    assert_eq!(third.status, 200);

    assert_eq!(
        refresh(&bank, &stolen).await.refusal(),
        (401, "unauthenticated")
    );
    assert_eq!(refresh(&bank, &third).await.status, 401);
    for pair in [&stolen, &second, &third] {
        assert_eq!(access(&bank, pair).await, 401);
    }
    assert_eq!(access(&bank, &other_session).await, 200);
    assert_eq!(refresh(&bank, &other_session).await.status, 200);
}

#[tokio::test]
async fn of_two_refreshes_at_once_with_one_token_one_wins_and_the_session_ends() {
    let bank = Bank::start().await;
    let pair = log_in(&bank).await;
    let attempts = (0..8).map(|_| refresh(&bank, &pair));
    let replies = futures_util::future::join_all(attempts).await;
    let winners: Vec<_> = replies.iter().filter(|reply| reply.status == 200).collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(refresh(&bank, winners[0]).await.status, 401);
    assert_eq!(access(&bank, winners[0]).await, 401);
}

#[tokio::test]
async fn logging_out_ends_the_session_here_at_once_and_elsewhere_soon() {
    let bank = Bank::start().await;
    let replica = bank.replica().await;
    let first = log_in(&bank).await;
    let pair = refresh(&bank, &first).await;
    assert_eq!(
        (access(&bank, &pair).await, access(&replica, &pair).await),
        (200, 200)
    );

    let logout = bank
        .anonymous()
        .post("/auth/logout", &refresh_of(&pair))
        .await;
    assert_eq!(logout.status, 204);
    for pair in [&first, &pair] {
        assert_eq!(access(&bank, pair).await, 401);
        assert_eq!(refresh(&bank, pair).await.status, 401);
    }
    let list = bank.anonymous().get("/auth/revocations").await;
    let items = list.body["items"].as_array().expect("a list");
    assert_eq!(items.len(), 2);
    assert!(items[0]["jti"].is_string() && items[0]["expires_at"].is_string());
    let soon = async {
        while access(&replica, &pair).await == 200 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), soon)
        .await
        .expect("the replica follows");

    let again = bank
        .anonymous()
        .post("/auth/logout", &refresh_of(&pair))
        .await;
    assert_eq!(again.status, 204);
    assert_eq!(access(&bank, &log_in(&bank).await).await, 200);
}

#[tokio::test]
async fn what_is_no_refresh_token_is_refused() {
    let bank = Bank::start().await;
    let pair = log_in(&bank).await;
    for bad in [
        "",
        "none",
        "\u{0}",
        &pair.text("access_token"),
        &"x".repeat(10_000),
    ] {
        let body = json!({"refresh_token": bad});
        let reply = bank.anonymous().post("/auth/refresh", &body).await;
        assert_eq!(reply.refusal(), (401, "unauthenticated"), "{bad}");
    }
    let as_access = bank.anonymous().with_token(&pair.text("refresh_token"));
    assert_eq!(as_access.get("/customers").await.status, 401);
    let extra = json!({"refresh_token": pair.text("refresh_token"), "scope": "all"});
    let reply = bank.anonymous().post("/auth/refresh", &extra).await;
    assert_eq!(reply.refusal(), (422, "invalid_body"));
}

#[tokio::test]
async fn a_session_ends_however_often_it_is_refreshed() {
    let bank = Bank::start().await;
    let pair = log_in(&bank).await;
    sqlx::query("UPDATE sessions SET expires_at = now()")
        .execute(&bank.pool)
        .await
        .expect("thirty days pass");
    assert_eq!(refresh(&bank, &pair).await.status, 401);
}

#[tokio::test]
async fn whoever_reads_the_database_finds_no_secret() {
    let bank = Bank::start().await;
    let pair = log_in(&bank).await;
    let dump: String = sqlx::query_scalar(
        "SELECT concat((SELECT json_agg(t) FROM refresh_tokens t),
                       (SELECT json_agg(s) FROM sessions s), (SELECT json_agg(l) FROM logins l))",
    )
    .fetch_one(&bank.pool)
    .await
    .expect("a dump");
    for secret in [
        "banking-dev",
        &pair.text("refresh_token"),
        &pair.text("access_token"),
    ] {
        assert!(!dump.contains(secret));
    }
    assert!(dump.contains("$argon2id$"));
}
