//! What operators type, at both sides of the console.

use reqwest::Method;
use serde_json::json;
use tests::{ACCOUNTS, TRANSACTIONS, TestBank};
use uuid::Uuid;

use super::input::{NO_BODY, assert_refused};

#[tokio::test]
async fn what_operators_write_is_one_line_of_visible_text() {
    let bank = TestBank::start().await;
    let admin = bank.admin().await;
    let id = Uuid::now_v7();
    let hazard = json!({"hazard": "heuristic_mixed", "reason": "x"});
    let resolution = json!({"outcome": "abort", "reason": "x"});
    for (service, path, good) in [
        (
            ACCOUNTS,
            format!("/branches/{id}/hazards/acknowledgements"),
            &hazard,
        ),
        (ACCOUNTS, format!("/branches/{id}/resolutions"), &resolution),
        (
            TRANSACTIONS,
            format!("/transactions/{id}/hazards/acknowledgements"),
            &hazard,
        ),
        (
            TRANSACTIONS,
            format!("/transactions/{id}/resolutions"),
            &resolution,
        ),
    ] {
        let url = format!("{}{path}", bank.url(service));
        let mut good = good.clone();
        if service == TRANSACTIONS {
            good["participant"] = json!("bank-1");
        }
        let understood = admin.send(Method::POST, &url, None, Some(&good)).await;
        let understood = understood.unwrap().status.as_u16();
        assert!([404, 409].contains(&understood), "{path}: {understood}");
        let names = ["hazard", "reason", "participant"];
        for name in names.into_iter().filter(|name| !good[name].is_null()) {
            for text in ["a\u{0}b", "a\nb", "\u{202e}", "", &"x".repeat(10_240)] {
                let mut body = good.clone();
                body[name] = json!(text);
                let reply = admin.send(Method::POST, &url, None, Some(&body)).await;
                assert_refused(&reply.unwrap(), NO_BODY, &format!("{name} at {path}"));
            }
        }
    }
    bank.stop().await;
}
