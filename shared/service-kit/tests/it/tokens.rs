//! Every bad token, and who may go where.

use serde_json::{Value, json};
use service_kit::auth::Issuer;
use service_kit::testing::TestServer;
use types::views::Role;
use uuid::Uuid;

use crate::bank::{Member, get, http, role_claims, send, token};

const HEADER: &str = r#"{"alg":"EdDSA","typ":"at+jwt","kid":"KID"}"#;

/// customer-service and bank-1, running.
struct Two {
    customer: Member,
    bank: Member,
    coordinator: Member,
    _customer_server: TestServer,
    _coordinator_server: TestServer,
    bank_server: TestServer,
}

impl Two {
    async fn new() -> Self {
        let customer = Member::new("customer-service").await;
        let coordinator = Member::new("transactions-service").await;
        let bank = Member::new("bank-1").await;
        let customer_server = customer.start(vec![customer.own_users()]).await;
        let coordinator_server = coordinator.start(vec![]).await;
        let issuers = vec![
            Issuer::users(customer_server.url()),
            Issuer::service(
                "transactions-service",
                vec![coordinator_server.url().to_owned()],
            ),
        ];
        let bank_server = bank.start(issuers).await;
        Self {
            customer,
            bank,
            coordinator,
            _customer_server: customer_server,
            _coordinator_server: coordinator_server,
            bank_server,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.bank_server.url())
    }

    async fn status(&self, path: &str, token: &str) -> u16 {
        get(self.url(path), token).await.status
    }
}

#[tokio::test]
async fn every_bad_token_is_refused_with_401() {
    let two = Two::new().await;
    let (kid, key) = two.customer.key().await;
    let header = HEADER.replace("KID", &kid);
    let good = role_claims(Role::Customer);
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claims.to_string()
    };
    let without = |name: &str| {
        let mut claims = good.clone();
        claims.as_object_mut().expect("an object").remove(name);
        claims.to_string()
    };
    let now = good["iat"].as_i64().expect("a number");
    let bad_claims = [
        ("expired", with("exp", json!(now - 1))),
        ("no exp", without("exp")),
        (
            "exp as a string",
            with("exp", json!((now + 900).to_string())),
        ),
        ("negative exp", with("exp", json!(-1))),
        ("exp as a fraction", with("exp", json!(9_999_999_999.5))),
        (
            "exp 1e400",
            with("exp", json!(0)).replace("\"exp\":0", "\"exp\":1e400"),
        ),
        ("exp null", with("exp", Value::Null)),
        ("nbf in the future", with("nbf", json!(now + 600))),
        ("nbf as a string", with("nbf", json!("0"))),
        ("wrong iss", with("iss", json!("evil"))),
        (
            "iss of a service",
            with("iss", json!("transactions-service")),
        ),
        ("missing iss", without("iss")),
        ("iss as a list", with("iss", json!(["customer-service"]))),
        ("wrong aud", with("aud", json!("other-bank"))),
        ("missing aud", without("aud")),
        ("aud as a list", with("aud", json!(["bank", "x"]))),
        ("unknown role", with("role", json!("root"))),
        ("role in capitals", with("role", json!("ADMIN"))),
        ("missing role", without("role")),
        ("missing sub", without("sub")),
        ("sub no id", with("sub", json!("' OR 1=1 --"))),
        ("missing jti", without("jti")),
        ("a customer who is nobody", with("customer_id", Value::Null)),
        ("an admin who is a customer", with("role", json!("admin"))),
        ("a user who is a service", with("kind", json!("service"))),
        ("not an object", "[]".to_owned()),
        (
            "claims twice",
            good.to_string().replacen('{', "{\"role\":\"admin\",", 1),
        ),
    ];
    for (name, claims) in &bad_claims {
        let status = two.status("/user", &token(&header, claims, &key)).await;
        assert_eq!(status, 401, "{name}");
    }

    let claims = good.to_string();
    for bad in [
        r#"{"alg":"none","typ":"at+jwt","kid":"KID"}"#,
        r#"{"alg":"NONE","typ":"at+jwt","kid":"KID"}"#,
        r#"{"alg":"HS256","typ":"at+jwt","kid":"KID"}"#,
        r#"{"alg":"ES256","typ":"at+jwt","kid":"KID"}"#,
        r#"{"alg":"EdDSA","typ":"JWT","kid":"KID"}"#,
        r#"{"alg":"EdDSA","typ":"at+jwt"}"#,
        r#"{"alg":"EdDSA","typ":"at+jwt","kid":"unknown"}"#,
        r#"{"alg":"EdDSA","typ":"at+jwt","kid":"../../../etc/passwd"}"#,
        r#"{"alg":"EdDSA","typ":"at+jwt","kid":"x' UNION SELECT 1 --"}"#,
        r#"{"alg":"EdDSA","typ":"at+jwt","kid":"KID","jku":"http://127.0.0.1:9/"}"#,
        r#"{"alg":"EdDSA","typ":"at+jwt","kid":"KID","x5u":"http://127.0.0.1:9/"}"#,
        r#"{"alg":"EdDSA","typ":"at+jwt","kid":"KID","jwk":{"kty":"OKP"}}"#,
        r#"{"alg":"EdDSA","typ":"at+jwt","kid":"KID","crit":["b64"],"b64":false}"#,
    ] {
        let bad = bad.replace("KID", &kid);
        assert_eq!(
            two.status("/user", &token(&bad, &claims, &key)).await,
            401,
            "{bad}"
        );
    }

    let good = token(&header, &claims, &key);
    let stranger = token(&header, &claims, &[9; 32]);
    let mut edited: Vec<_> = good.split('.').map(str::to_owned).collect();
    let other = token(&header, &role_claims(Role::Admin).to_string(), &key);
    edited[1] = other.split('.').nth(1).expect("claims").to_owned();
    let unsigned = good.rsplit_once('.').expect("parts").0;
    for bad in [
        "",
        "x",
        "a.b.c",
        &stranger,
        &edited.join("."),
        unsigned,
        &format!("{unsigned}."),
        &format!("{good}.more"),
        &format!("{good} {good}"),
    ] {
        assert_eq!(two.status("/user", bad).await, 401, "{bad}");
    }
    assert_eq!(two.status("/user", &good).await, 200);
}

#[tokio::test]
async fn a_token_signed_with_the_public_key_as_a_secret_is_refused() {
    let two = Two::new().await;
    let (kid, _) = two.customer.key().await;
    let public = &two.customer.signer.jwks().keys[0].x;
    let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
    header.typ = Some("at+jwt".to_owned());
    header.kid = Some(kid);
    let secret = jsonwebtoken::EncodingKey::from_secret(public.as_bytes());
    let forged = jsonwebtoken::encode(&header, &role_claims(Role::Admin), &secret);
    assert_eq!(two.status("/user", &forged.expect("a token")).await, 401);
}

#[tokio::test]
async fn a_token_is_looked_for_in_one_authorization_header_and_nowhere_else() {
    let two = Two::new().await;
    let good = two
        .customer
        .signer
        .sign(&role_claims(Role::Customer))
        .expect("a token");
    let user = two.url("/user");

    let none = send(http().get(&user)).await;
    assert_eq!((none.status, none.code()), (401, "unauthenticated"));
    assert!(
        none.headers["www-authenticate"]
            .to_str()
            .expect("text")
            .starts_with("Bearer")
    );
    let in_url = send(http().get(format!("{user}?access_token={good}"))).await;
    assert_eq!(in_url.status, 401);
    let basic = send(http().get(&user).basic_auth("alice", Some("banking-dev"))).await;
    assert_eq!(basic.status, 401);
    let two_headers = send(http().get(&user).bearer_auth(&good).bearer_auth(&good)).await;
    assert_eq!(
        (two_headers.status, two_headers.code()),
        (400, "invalid_header")
    );
    let long = send(http().get(&user).bearer_auth("x".repeat(20_000))).await;
    assert_eq!(long.status, 431);
    let longer = http()
        .get(&user)
        .bearer_auth("x".repeat(400_000))
        .send()
        .await;
    assert!(longer.is_ok_and(|reply| reply.status() == 431));
}

#[tokio::test]
async fn roles_and_services_keep_to_their_own_routes() {
    let two = Two::new().await;
    let sign = |role| {
        two.customer
            .signer
            .sign(&role_claims(role))
            .expect("a token")
    };
    let service = two
        .coordinator
        .signer
        .sign_service_token("bank-1")
        .expect("a token");
    let table = [
        ("customer", sign(Role::Customer), [200, 403, 403, 403]),
        ("teller", sign(Role::Teller), [200, 200, 403, 403]),
        ("admin", sign(Role::Admin), [200, 200, 200, 403]),
        ("service", service, [403, 403, 403, 200]),
    ];
    for (name, token, expected) in table {
        for (path, status) in ["/user", "/teller", "/admin", "/internal/whoami"]
            .into_iter()
            .zip(expected)
        {
            assert_eq!(two.status(path, &token).await, status, "{name} on {path}");
        }
    }
}

#[tokio::test]
async fn a_service_token_is_for_one_audience_and_says_who_signed_it() {
    let two = Two::new().await;
    let internal = two.url("/internal/whoami");
    let ours = two
        .coordinator
        .signer
        .sign_service_token("bank-1")
        .expect("a token");
    assert_eq!(
        get(internal.clone(), &ours).await.body["name"],
        "transactions-service"
    );

    let other_bank = two
        .coordinator
        .signer
        .sign_service_token("bank-2")
        .expect("a token");
    assert_eq!(two.status("/internal/whoami", &other_bank).await, 401);
    let nobody_we_know = two
        .bank
        .signer
        .sign_service_token("bank-1")
        .expect("a token");
    assert_eq!(two.status("/internal/whoami", &nobody_we_know).await, 401);

    let now = chrono::Utc::now().timestamp();
    let claims = |iss: &str, sub: &str| {
        json!({"iss": iss, "aud": "bank-1", "sub": sub, "kind": "service", "iat": now,
            "exp": now + 60, "jti": Uuid::new_v4()})
    };
    let as_another = two
        .coordinator
        .signer
        .sign(&claims("transactions-service", "bank-2"));
    assert_eq!(
        two.status("/internal/whoami", &as_another.expect("a token"))
            .await,
        401
    );
    let users_issuer = two
        .customer
        .signer
        .sign(&claims("customer-service", "customer-service"));
    assert_eq!(
        two.status("/internal/whoami", &users_issuer.expect("a token"))
            .await,
        401
    );
    let mut user = role_claims(Role::Admin);
    user["iss"] = json!("transactions-service");
    let user = two.coordinator.signer.sign(&user).expect("a token");
    assert_eq!(two.status("/admin", &user).await, 401);
}

#[tokio::test]
async fn a_revoked_token_is_refused_by_other_services_soon() {
    let two = Two::new().await;
    let claims = role_claims(Role::Customer);
    let revoked = two.customer.signer.sign(&claims).expect("a token");
    let other = two
        .customer
        .signer
        .sign(&role_claims(Role::Customer))
        .expect("a token");
    assert_eq!(two.status("/user", &revoked).await, 200);
    let jti = claims["jti"].as_str().and_then(|jti| jti.parse().ok());
    two.customer.revoke(jti.expect("an id")).await;
    let soon = async {
        while two.status("/user", &revoked).await != 401 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), soon)
        .await
        .expect("within ten seconds");
    assert_eq!(two.status("/user", &other).await, 200);
}

#[tokio::test]
async fn a_token_that_was_good_is_refused_once_it_has_expired() {
    let two = Two::new().await;
    let mut claims = role_claims(Role::Customer);
    claims["exp"] = json!(chrono::Utc::now().timestamp() + 2);
    let token = two.customer.signer.sign(&claims).expect("a token");
    assert_eq!(two.status("/user", &token).await, 200);
    let later = async {
        while two.status("/user", &token).await == 200 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), later)
        .await
        .expect("it expires");
    assert_eq!(two.status("/user", &token).await, 401);
}
