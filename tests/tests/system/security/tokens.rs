//! Every bad token, at every service.

use std::net::TcpListener;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{ACCOUNTS, Actor, CUSTOMER, TRANSACTIONS, TestBank, answer, eventually};

use crate::seed;

const ALICE: &str = "550e8400-e29b-41d4-a716-446655440001";

fn encode(part: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(part)
}

fn part(token: &str, index: usize) -> String {
    let part = token.split('.').nth(index).expect("a part");
    let bytes = URL_SAFE_NO_PAD.decode(part).expect("base64url");
    String::from_utf8(bytes).expect("text")
}

/// A token made of exactly these parts, signed with an Ed25519 key.
fn signed(header: &str, claims: &str, key: &[u8; 32]) -> String {
    let message = format!("{}.{}", encode(header), encode(claims));
    let signature = SigningKey::from_bytes(key).sign(message.as_bytes());
    format!("{message}.{}", encode(signature.to_bytes()))
}

/// The same words, signed with another key.
pub(super) fn resigned(token: &str, key: &[u8; 32]) -> String {
    signed(&part(token, 0), &part(token, 1), key)
}

/// The key that customer-service signs with, out of its own database.
async fn key(bank: &TestBank) -> [u8; 32] {
    let key: Vec<u8> =
        sqlx::query_scalar("SELECT private_key FROM signing_keys WHERE retired_at IS NULL")
            .fetch_one(&bank.database(CUSTOMER).await)
            .await
            .expect("the active key");
    key.try_into().expect("32 bytes")
}

/// Something of Alice's at each service.
fn doors(bank: &TestBank) -> Vec<String> {
    [
        (CUSTOMER, format!("/customers/{ALICE}")),
        (ACCOUNTS, format!("/accounts/{}", seed::ALICE)),
        (TRANSACTIONS, "/transfers".to_owned()),
    ]
    .map(|(service, path)| format!("{}{path}", bank.url(service)))
    .to_vec()
}

async fn refused(nobody: &Actor, doors: &[String], token: &str, what: &str) {
    for door in doors {
        let request = nobody.with_token(token).request(Method::GET, door);
        let reply = answer(request).await.unwrap();
        assert_eq!(reply.status, 401, "{what} at {door}: {}", reply.body);
        assert_eq!(reply.code(), "unauthenticated", "{what}");
        assert!(
            reply.header("www-authenticate").starts_with("Bearer"),
            "{what}"
        );
    }
}

async fn welcome(nobody: &Actor, doors: &[String], token: &str) {
    for door in doors {
        let request = nobody.with_token(token).request(Method::GET, door);
        assert_eq!(answer(request).await.unwrap().status, 200, "{door}");
    }
}

#[tokio::test]
async fn a_token_whose_claims_are_wrong_is_refused_by_every_service() {
    let bank = TestBank::start().await;
    let (nobody, doors, key) = (bank.anonymous(), doors(&bank), key(&bank).await);
    let good = bank.alice().await.token().unwrap().to_owned();
    let header = part(&good, 0);
    let claims: Value = serde_json::from_str(&part(&good, 1)).unwrap();
    welcome(&nobody, &doors, &signed(&header, &claims.to_string(), &key)).await;

    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        claims.to_string()
    };
    let without = |name: &str| {
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().remove(name);
        claims.to_string()
    };
    let now = claims["iat"].as_i64().unwrap();
    let zero = with("exp", json!(0));
    for (what, claims) in [
        ("expired", with("exp", json!(now - 1))),
        ("without exp", without("exp")),
        (
            "exp as a string",
            with("exp", json!((now + 900).to_string())),
        ),
        ("exp negative", with("exp", json!(-1))),
        ("exp 1e400", zero.replace("\"exp\":0", "\"exp\":1e400")),
        ("nbf in the future", with("nbf", json!(now + 600))),
        ("nbf as a string", with("nbf", json!("0"))),
        ("wrong iss", with("iss", json!("evil"))),
        (
            "iss of a service",
            with("iss", json!("transactions-service")),
        ),
        ("without iss", without("iss")),
        ("wrong aud", with("aud", json!("other-bank"))),
        ("without aud", without("aud")),
        ("unknown role", with("role", json!("root"))),
        ("without role", without("role")),
        ("without jti", without("jti")),
        ("not an object", "[]".to_owned()),
        ("no JSON", "alice".to_owned()),
    ] {
        refused(&nobody, &doors, &signed(&header, &claims, &key), what).await;
    }

    let forged = resigned(&good, &[9; 32]);
    refused(&nobody, &doors, &forged, "a signature of somebody else").await;
    let admin = with("role", json!("admin"));
    let signature = good.rsplit('.').next().unwrap();
    let edited = format!("{}.{}.{signature}", encode(&header), encode(&admin));
    refused(&nobody, &doors, &edited, "an edited role").await;
    let unsigned = good.rsplit_once('.').unwrap().0;
    for malformed in ["", "x", "a.b.c", "..", unsigned, &format!("{good}.x")] {
        refused(&nobody, &doors, malformed, "malformed").await;
    }
    bank.stop().await;
}

#[tokio::test]
async fn a_token_whose_header_is_wrong_is_refused_and_nobody_is_called() {
    let bank = TestBank::start().await;
    let (nobody, doors, key) = (bank.anonymous(), doors(&bank), key(&bank).await);
    let good = bank.alice().await.token().unwrap().to_owned();
    let claims = part(&good, 1);
    let kid = serde_json::from_str::<Value>(&part(&good, 0)).unwrap()["kid"]
        .as_str()
        .unwrap()
        .to_owned();

    // Whoever follows a link in the header knocks here.
    let ears = TcpListener::bind("127.0.0.1:0").unwrap();
    let link = format!("http://{}/jwks.json", ears.local_addr().unwrap());
    for (what, header) in [
        ("alg none", r#"{"alg":"none","typ":"at+jwt","kid":"KID"}"#),
        ("alg None", r#"{"alg":"None","typ":"at+jwt","kid":"KID"}"#),
        ("alg nOnE", r#"{"alg":"nOnE","typ":"at+jwt","kid":"KID"}"#),
        ("alg HS256", r#"{"alg":"HS256","typ":"at+jwt","kid":"KID"}"#),
        ("alg RS256", r#"{"alg":"RS256","typ":"at+jwt","kid":"KID"}"#),
        (
            "a refresh token's typ",
            r#"{"alg":"EdDSA","typ":"rt+jwt","kid":"KID"}"#,
        ),
        ("typ JWT", r#"{"alg":"EdDSA","typ":"JWT","kid":"KID"}"#),
        ("no kid", r#"{"alg":"EdDSA","typ":"at+jwt"}"#),
        (
            "unknown kid",
            r#"{"alg":"EdDSA","typ":"at+jwt","kid":"nobody"}"#,
        ),
        (
            "a path as kid",
            r#"{"alg":"EdDSA","typ":"at+jwt","kid":"../../etc/passwd"}"#,
        ),
        (
            "SQL as kid",
            r#"{"alg":"EdDSA","typ":"at+jwt","kid":"' OR 1=1 --"}"#,
        ),
        (
            "a URL as kid",
            r#"{"alg":"EdDSA","typ":"at+jwt","kid":"LINK"}"#,
        ),
        (
            "jku",
            r#"{"alg":"EdDSA","typ":"at+jwt","kid":"KID","jku":"LINK"}"#,
        ),
        (
            "jku, unknown kid",
            r#"{"alg":"EdDSA","typ":"at+jwt","kid":"nobody","jku":"LINK"}"#,
        ),
        (
            "x5u",
            r#"{"alg":"EdDSA","typ":"at+jwt","kid":"KID","x5u":"LINK"}"#,
        ),
        (
            "jwk",
            r#"{"alg":"EdDSA","typ":"at+jwt","kid":"KID","jwk":{"kty":"OKP"}}"#,
        ),
    ] {
        let header = header.replace("KID", &kid).replace("LINK", &link);
        refused(&nobody, &doors, &signed(&header, &claims, &key), what).await;
        let message = format!("{}.{}", encode(&header), encode(&claims));
        refused(&nobody, &doors, &format!("{message}."), what).await;
    }
    // Our own knock is the first that is heard.
    let knock = std::net::TcpStream::connect(ears.local_addr().unwrap()).unwrap();
    let (_, first) = ears.accept().unwrap();
    assert_eq!(
        first,
        knock.local_addr().unwrap(),
        "somebody followed a link"
    );
    bank.stop().await;
}

#[tokio::test]
async fn the_public_key_is_no_secret_to_sign_with() {
    let bank = TestBank::start().await;
    let (nobody, doors) = (bank.anonymous(), doors(&bank));
    let url = format!("{}/.well-known/jwks.json", bank.url(CUSTOMER));
    let jwks = nobody.send(Method::GET, &url, None, None).await.unwrap();
    let jwk = jwks.expect(200)["keys"][0].clone();
    let (kid, x) = (jwk["kid"].as_str().unwrap(), jwk["x"].as_str().unwrap());
    let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
    header.typ = Some("at+jwt".to_owned());
    header.kid = Some(kid.to_owned());
    let good = bank.alice().await.token().unwrap().to_owned();
    let claims: Value = serde_json::from_str(&part(&good, 1)).unwrap();
    let raw = URL_SAFE_NO_PAD.decode(x).unwrap();
    for secret in [x.as_bytes(), &raw, jwk.to_string().as_bytes()] {
        let secret = jsonwebtoken::EncodingKey::from_secret(secret);
        let forged = jsonwebtoken::encode(&header, &claims, &secret).unwrap();
        refused(&nobody, &doors, &forged, "HS256 with the public key").await;
    }
    bank.stop().await;
}

#[tokio::test]
async fn a_token_is_looked_for_in_one_header_of_sensible_length() {
    let bank = TestBank::start().await;
    let (nobody, alice) = (bank.anonymous(), bank.alice().await);
    let token = alice.token().unwrap();
    for door in doors(&bank) {
        for query in ["access_token", "token", "authorization"] {
            let url = format!("{door}?{query}={token}");
            let reply = nobody.send(Method::GET, &url, None, None).await.unwrap();
            assert_eq!(reply.status, 401, "{query} at {door}");
        }
        let twice = alice.request(Method::GET, &door).bearer_auth(token);
        let reply = answer(twice).await.unwrap();
        assert_eq!(
            (reply.status.as_u16(), reply.code()),
            (400, "invalid_header")
        );
        let long = nobody.with_token(&"x".repeat(10_000));
        let reply = answer(long.request(Method::GET, &door)).await.unwrap();
        assert_eq!(
            (reply.status.as_u16(), reply.code()),
            (431, "invalid_header")
        );
        let basic = nobody.request(Method::GET, &door);
        let basic = basic.basic_auth("alice-customer", Some("banking-dev"));
        assert_eq!(answer(basic).await.unwrap().status, 401);
    }
    bank.stop().await;
}

#[tokio::test]
async fn a_refresh_token_and_a_token_of_an_ended_session_open_nothing() {
    let bank = TestBank::start().await;
    let (nobody, doors) = (bank.anonymous(), doors(&bank));
    let login = json!({"username": "alice-customer", "password": "banking-dev"});
    let url = |path: &str| format!("{}{path}", bank.url(CUSTOMER));
    let post = async |path: &str, body: &Value| {
        let url = url(path);
        nobody.send(Method::POST, &url, None, Some(body)).await
    };
    let pair = post("/auth/login", &login).await.unwrap().expect(200);
    let refresh = pair["refresh_token"].as_str().unwrap();
    let access = pair["access_token"].as_str().unwrap();
    refused(&nobody, &doors, refresh, "a refresh token").await;
    welcome(&nobody, &doors, access).await;

    let end = json!({"refresh_token": refresh});
    post("/auth/logout", &end).await.unwrap();
    for door in &doors {
        eventually("a revoked token is refused", || async {
            let request = nobody.with_token(access).request(Method::GET, door);
            (answer(request).await.unwrap().status == 401).then_some(())
        })
        .await;
    }
    bank.stop().await;
}
