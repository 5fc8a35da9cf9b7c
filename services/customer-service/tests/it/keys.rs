//! `POST /auth/keys/rotate`, seen from replicas.

use reqwest::Method;

use crate::bank::{ALICE, Bank, send};

#[tokio::test]
async fn tokens_signed_before_a_rotation_stay_valid_at_every_replica() {
    let bank = Bank::start().await;
    let replica = bank.replica().await;
    let (alice, admin) = (bank.alice().await, bank.admin().await);
    let path = format!("/customers/{ALICE}");
    let rotated = send(admin.request(Method::POST, "/auth/keys/rotate")).await;
    assert_eq!(rotated.status, 200);
    let jwks = bank.anonymous().get("/.well-known/jwks.json").await;
    assert_eq!(jwks.body["keys"].as_array().map(Vec::len), Some(2));
    assert_eq!(jwks.body["keys"][0]["kid"], rotated.body["kid"]);

    assert_eq!(alice.get(&path).await.status, 200);
    let signed_after = bank
        .login("alice-customer", "banking-dev")
        .await
        .text("access_token");
    let elsewhere = replica.anonymous().with_token(&signed_after);
    assert_eq!(elsewhere.get(&path).await.status, 200);
    let old_key = replica
        .login("alice-customer", "banking-dev")
        .await
        .text("access_token");
    let here = bank.anonymous().with_token(&old_key);
    assert_eq!(here.get(&path).await.status, 200);
}
