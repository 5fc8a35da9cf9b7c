//! Too much, too slow, and under another name.

use reqwest::Method;
use serde_json::json;
use tests::{ACCOUNTS, CUSTOMER, PATIENCE, TRANSACTIONS, TestBank, answer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::seed::{ALICE, BOB};

const SERVICES: [&str; 3] = [CUSTOMER, ACCOUNTS, TRANSACTIONS];

fn address(url: &str) -> String {
    url.trim_start_matches("http://").to_owned()
}

/// What comes back on a connection that says this much and falls silent, until the service ends it.
async fn silence_after(address: String, beginning: String) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(beginning.as_bytes()).await.unwrap();
    let mut reply = Vec::new();
    let ended = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut reply)).await;
    ended.expect("the service ends it").ok();
    String::from_utf8_lossy(&reply).into_owned()
}

#[tokio::test]
async fn whoever_sends_slowly_is_cut_off_by_every_service() {
    let bank = TestBank::start().await;
    let token = bank.admin().await.token().unwrap().to_owned();
    let mut waiting = Vec::new();
    for (service, path) in SERVICES
        .into_iter()
        .zip(["/customers", "/accounts", "/transfers"])
    {
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n");
        let body = format!(
            "{head}content-type: application/json\r\ncontent-length: 50\r\n\r\n{{\"amount\""
        );
        for (beginning, expected) in [(String::new(), ""), (head, ""), (body, "HTTP/1.1 408")] {
            let address = address(&bank.url(service));
            waiting.push(async move {
                let reply = silence_after(address, beginning).await;
                assert!(reply.starts_with(expected), "{service}: {reply}");
                assert_eq!(reply.is_empty(), expected.is_empty(), "{service}: {reply}");
            });
        }
    }
    let tasks: Vec<_> = waiting.into_iter().map(tokio::spawn).collect();
    for task in tasks {
        task.await.unwrap();
    }
    bank.stop().await;
}

/// As many connections as this process may hold, ten thousand at most.
fn many() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).ok();
    let most = limit.maximum.unwrap_or(u64::MAX).saturating_sub(500);
    usize::try_from(most.min(10_000)).unwrap()
}

#[tokio::test]
async fn ten_thousand_idle_connections_keep_nobody_out() {
    // Opening them takes this machine a while, and the service too.
    let bank = TestBank::start_patient(|options| options).await;
    let alice = bank.alice().await;
    let address = address(&bank.url(TRANSACTIONS));
    let mut idle = Vec::new();
    for _ in 0..many() {
        idle.push(TcpStream::connect(&address).await.unwrap());
    }
    let done = alice.transfer(ALICE, BOB, "1", "through").await.unwrap();
    assert_eq!(done.expect(201)["status"], "committed");
    drop(idle);
    bank.settles().await;
    bank.stop().await;
}

#[tokio::test]
async fn a_burst_is_slowed_down_for_its_caller_alone_and_begins_nothing() {
    let bank = TestBank::start_with(|options| {
        options.setting_for(TRANSACTIONS, "BANK_REQUESTS_PER_SECOND", 5)
    })
    .await;
    let (alice, bob) = (bank.alice().await, bank.actor("bob-customer").await);
    let calls = (0..100).map(|number| {
        let alice = alice.clone();
        tokio::spawn(async move {
            alice
                .transfer(ALICE, BOB, "1", &format!("burst-{number}"))
                .await
                .unwrap()
        })
    });
    let (mut committed, mut refused) = (0, 0);
    for call in calls.collect::<Vec<_>>() {
        let reply = call.await.unwrap();
        match reply.status.as_u16() {
            201 | 202 => committed += 1,
            429 => {
                assert_eq!(reply.code(), "rate_limited");
                assert!(
                    reply
                        .header("retry-after")
                        .parse::<u32>()
                        .is_ok_and(|wait| wait >= 1)
                );
                refused += 1;
            }
            _ => panic!("{}", reply.body),
        }
    }
    assert!(refused > 0, "{committed} went through");
    // Bob is another caller, though he comes from the same address.
    assert_eq!(bob.get_transactions("/transfers").await.status, 200);
    let begun: i64 = sqlx::query_scalar("SELECT count(*) FROM transactions")
        .fetch_one(&bank.database(TRANSACTIONS).await)
        .await
        .unwrap();
    assert_eq!(begun, committed);
    bank.settles().await;
    bank.stop().await;
}

/// How many of these log-ins, each of another user from another forged address, are held up.
async fn held_up(bank: &TestBank) -> usize {
    let nobody = bank.anonymous();
    let url = format!("{}/auth/login", bank.url(CUSTOMER));
    let calls = (0..30).map(|number| {
        let request = nobody
            .request(Method::POST, &url)
            .header("x-forwarded-for", format!("10.0.0.{number}"))
            .json(&json!({"username": format!("user-{number}"), "password": "not-the-password"}));
        tokio::spawn(async move { answer(request).await.unwrap() })
    });
    let mut held_up = 0;
    for call in calls.collect::<Vec<_>>() {
        let reply = call.await.unwrap();
        match reply.status.as_u16() {
            401 => assert_eq!(reply.code(), "invalid_credentials"),
            429 => {
                assert!(!reply.header("retry-after").is_empty());
                held_up += 1;
            }
            _ => panic!("{}", reply.body),
        }
    }
    held_up
}

#[tokio::test]
async fn one_address_cannot_try_many_users_whatever_it_forges() {
    let slow = |options: stack::Options| options.setting("CUSTOMER_LOGINS_PER_SECOND", 2);
    let bank = TestBank::start_with(slow).await;
    assert!(held_up(&bank).await > 0);
    bank.stop().await;
}

#[tokio::test]
async fn callers_behind_a_trusted_proxy_are_told_apart() {
    let bank = TestBank::start_with(|options| {
        options
            .setting("CUSTOMER_LOGINS_PER_SECOND", 2)
            .setting("BANK_TRUSTED_PROXIES", "127.0.0.1")
    })
    .await;
    assert_eq!(held_up(&bank).await, 0);
    bank.stop().await;
}

#[tokio::test]
async fn an_unknown_user_is_answered_like_a_wrong_password_and_both_wait_after_five() {
    let bank = TestBank::start().await;
    let nobody = bank.anonymous();
    let url = format!("{}/auth/login", bank.url(CUSTOMER));
    for attempt in 1..=7 {
        let mut replies = Vec::new();
        for username in ["carol-customer", "nobody-at-all"] {
            let login = json!({"username": username, "password": "not-the-password"});
            let reply = nobody.send(Method::POST, &url, None, Some(&login)).await;
            let mut reply = reply.unwrap();
            let status = if attempt <= 5 { 401 } else { 429 };
            assert_eq!(reply.status.as_u16(), status, "{attempt}: {}", reply.body);
            reply.body["request_id"] = json!(null);
            if status == 429 {
                assert!(!reply.header("retry-after").is_empty());
                reply.body["detail"] = json!(null);
            }
            replies.push(reply.body);
        }
        assert_eq!(replies[0], replies[1]);
    }
    // Somebody else is not held up.
    bank.actor("bob-customer").await;
    bank.stop().await;
}

#[tokio::test]
async fn no_other_origin_is_let_in_by_any_service() {
    let bank = TestBank::start().await;
    let alice = bank.alice().await;
    for (service, path) in SERVICES
        .into_iter()
        .zip(["/customers", "/accounts", "/transfers"])
    {
        for (method, path) in [
            (Method::OPTIONS, path),
            (Method::POST, path),
            (Method::GET, "/health"),
        ] {
            let request = alice
                .request(method.clone(), &format!("{}{path}", bank.url(service)))
                .header("origin", "https://evil.example")
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", "authorization");
            let reply = answer(request).await.unwrap();
            let allowed = reply
                .headers
                .keys()
                .find(|name| name.as_str().starts_with("access-control"));
            assert_eq!(allowed, None, "{service} {method} {path}");
        }
    }
    bank.stop().await;
}
