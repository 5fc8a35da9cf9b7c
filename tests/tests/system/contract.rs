//! What outside tools read: the documents the services publish about themselves.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;
use tests::{ACCOUNTS, CUSTOMER, TRANSACTIONS, TestBank};

/// Every `$ref` below a value.
fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(target)) = members.get("$ref") {
                found.insert(target);
            }
            members.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn every_service_describes_itself_without_a_loose_end() {
    let bank = TestBank::start().await;
    let alice = bank.alice().await;
    for service in [CUSTOMER, ACCOUNTS, TRANSACTIONS] {
        let url = format!("{}/openapi.json", bank.url(service));
        let document = alice.send(Method::GET, &url, None, None).await.unwrap();
        let document = document.expect(200);
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        for target in found {
            let pointer = target.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{service}: {target}");
        }
        let mut names = BTreeSet::new();
        for (path, operations) in document["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                let name = operation["operationId"].as_str().unwrap();
                assert!(names.insert(name), "{service}: {name} twice");
                let open = ["/health", "/ready", "/metrics", "/.well-known/jwks.json"];
                let open = open.contains(&path.as_str()) || path.starts_with("/auth/");
                assert!(
                    open || operation["security"].is_array(),
                    "{service}: {method} {path} does not say who may call it"
                );
            }
        }
    }
    bank.stop().await;
}
