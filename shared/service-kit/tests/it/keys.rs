//! Signing keys: rotation, replicas, and services that go on without their issuer.

use service_kit::auth::{Issuer, Signer};
use types::views::Role;

use crate::bank::{Member, get, http, role_claims, send};

#[tokio::test]
async fn tokens_signed_before_a_rotation_stay_valid_and_new_ones_are_known_at_once() {
    let customer = Member::new("customer-service").await;
    let bank = Member::new("bank-1").await;
    let customer_server = customer.start(vec![customer.own_users()]).await;
    let bank_server = bank.start(vec![Issuer::users(customer_server.url())]).await;
    let user = format!("{}/user", bank_server.url());

    let before = customer
        .signer
        .sign(&role_claims(Role::Teller))
        .expect("a token");
    assert_eq!(get(user.clone(), &before).await.status, 200);
    for _ in 0..3 {
        customer.signer.rotate().await.expect("a rotation");
        let after = customer
            .signer
            .sign(&role_claims(Role::Teller))
            .expect("a token");
        assert_eq!(get(user.clone(), &after).await.status, 200);
        assert_eq!(get(user.clone(), &before).await.status, 200);
    }
    let jwks = send(http().get(format!("{}/.well-known/jwks.json", customer_server.url()))).await;
    let keys = jwks.body["keys"].as_array().expect("keys").clone();
    assert_eq!(keys.len(), 4);
    for key in keys {
        assert_eq!(
            (&key["kty"], &key["crv"]),
            (&"OKP".into(), &"Ed25519".into())
        );
        assert!(key.get("d").is_none(), "a private key is published");
    }
}

#[tokio::test]
async fn replicas_share_one_key_also_when_they_start_or_rotate_together() {
    let member = Member::new("customer-service").await;
    sqlx::query("DELETE FROM signing_keys")
        .execute(&member.pool)
        .await
        .expect("no keys");
    let starting = (0..5).map(|_| Signer::new(member.pool.clone(), "customer-service"));
    let replicas = futures_util::future::join_all(starting).await;
    let replicas: Vec<_> = replicas.into_iter().map(|r| r.expect("a signer")).collect();
    let kid = |signer: &Signer| signer.jwks().keys[0].kid.clone();
    assert!(
        replicas
            .iter()
            .all(|replica| kid(replica) == kid(&replicas[0]))
    );

    let rotations = futures_util::future::join_all(replicas.iter().map(Signer::rotate)).await;
    assert!(rotations.iter().all(Result::is_ok), "{rotations:?}");
    for replica in &replicas {
        replica.reload().await.expect("the keys");
    }
    assert!(
        replicas
            .iter()
            .all(|replica| kid(replica) == kid(&replicas[0]))
    );
    assert_eq!(replicas[0].jwks().keys.len(), 6);
}

#[tokio::test]
async fn a_service_goes_on_with_the_last_keys_while_the_issuer_is_down() {
    let customer = Member::new("customer-service").await;
    let bank = Member::new("bank-1").await;
    let customer_server = customer.start(vec![customer.own_users()]).await;
    let issuers = vec![Issuer::users(customer_server.url())];
    let token = customer
        .signer
        .sign(&role_claims(Role::Teller))
        .expect("a token");

    let first = bank.start(issuers.clone()).await;
    assert_eq!(
        get(format!("{}/user", first.url()), &token).await.status,
        200
    );
    drop(first);
    customer_server.stop().await;
    let restarted = bank.start(issuers).await;
    assert_eq!(
        get(format!("{}/user", restarted.url()), &token)
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn without_any_key_the_answer_is_503_and_not_401() {
    let customer = Member::new("customer-service").await;
    let bank = Member::new("bank-1").await;
    let server = bank.start(vec![Issuer::users("http://127.0.0.1:9")]).await;
    let token = customer
        .signer
        .sign(&role_claims(Role::Teller))
        .expect("a token");
    let reply = get(format!("{}/user", server.url()), &token).await;
    assert_eq!((reply.status, reply.code()), (503, "keys_unavailable"));
    assert!(reply.headers.contains_key("retry-after"));
    let ready = send(http().get(format!("{}/ready", server.url()))).await;
    assert_eq!((ready.status, &ready.body["ready"]), (503, &false.into()));
    let health = send(http().get(format!("{}/health", server.url()))).await;
    assert_eq!(health.status, 200);
}
