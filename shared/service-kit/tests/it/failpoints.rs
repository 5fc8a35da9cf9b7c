//! Failpoints of a running service.

use serde_json::json;
use service_kit::config::{BankConfig, Environment};
use types::views::Role;

use crate::bank::{Member, alone, http, role_claims, send};

async fn put(member: &Member, url: &str, role: Role, body: serde_json::Value) -> (u16, String) {
    let token = member.signer.sign(&role_claims(role)).expect("a token");
    let reply = send(http().put(url).bearer_auth(token).json(&body)).await;
    (reply.status, reply.code().to_owned())
}

#[tokio::test]
async fn an_admin_can_fail_a_point_in_development() {
    let (member, server) = alone(BankConfig::default()).await;
    let url = format!("{}/demo/failpoints/test_unused", server.url());
    let fail = json!({"action": "fail", "count": 1});
    assert_eq!(put(&member, &url, Role::Teller, fail.clone()).await.0, 403);
    assert_eq!(
        put(&member, &url, Role::Admin, json!({"action": "explode"}))
            .await
            .0,
        422
    );
    assert_eq!(put(&member, &url, Role::Admin, fail).await.0, 200);
    assert!(service_kit::failpoints::hit("test_unused").await.is_err());
    assert!(service_kit::failpoints::hit("test_unused").await.is_ok());
}

#[tokio::test]
async fn there_are_no_failpoints_in_production() {
    let bank = BankConfig {
        env: Environment::Production,
        ..BankConfig::default()
    };
    let (member, server) = alone(bank).await;
    let url = format!("{}/demo/failpoints/test_unused", server.url());
    let (status, code) = put(&member, &url, Role::Admin, json!({"action": "abort"})).await;
    assert_eq!((status, code.as_str()), (404, "not_found"));
}
