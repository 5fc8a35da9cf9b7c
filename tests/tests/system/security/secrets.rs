//! What must not get out: into logs, errors, measurements, documents.

use std::fs;
use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{ACCOUNTS, CUSTOMER, TRANSACTIONS, TestBank, answer};

use crate::seed::{ALICE, BOB};

const SERVICES: [&str; 3] = [CUSTOMER, ACCOUNTS, TRANSACTIONS];

/// Everything in the files of a folder, which must be JSON lines.
fn log_lines(folder: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of logs") {
        let path = entry.expect("a readable folder").path();
        // PostgreSQL writes in a form of its own.
        if path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("postgres"))
        {
            continue;
        }
        let text = fs::read_to_string(&path).expect("text");
        for line in text.lines() {
            let event: Value = serde_json::from_str(line)
                .unwrap_or_else(|error| panic!("{}: {error}: {line}", path.display()));
            assert!(event["event"].is_string(), "{line}");
            lines.push(line.to_owned());
        }
    }
    lines
}

#[tokio::test]
async fn no_log_and_no_measurement_holds_a_secret_or_a_second_line() {
    let bank = TestBank::start_with(|options| options.setting("BANK_LOG", "debug")).await;
    let (nobody, teller) = (bank.anonymous(), bank.teller().await);
    let mut secrets: Vec<String> = Vec::new();
    let url = |service: &str, path: &str| format!("{}{path}", bank.url(service));

    let login = url(CUSTOMER, "/auth/login");
    let good = json!({"username": "alice-customer", "password": "banking-dev"});
    let pair = nobody.send(Method::POST, &login, None, Some(&good)).await;
    let pair = pair.unwrap().expect(200);
    let refresh = json!({"refresh_token": pair["refresh_token"]});
    let renewed = url(CUSTOMER, "/auth/refresh");
    let renewed = nobody
        .send(Method::POST, &renewed, None, Some(&refresh))
        .await;
    for pair in [&pair, &renewed.unwrap().expect(200)] {
        let access = pair["access_token"].as_str().unwrap();
        secrets.push(access.rsplit('.').next().unwrap().to_owned());
        secrets.push(pair["refresh_token"].as_str().unwrap().to_owned());
    }
    let wrong = json!({"username": "bob-customer\nFORGED", "password": "wr0ng-passw0rd"});
    nobody
        .send(Method::POST, &login, None, Some(&wrong))
        .await
        .unwrap();

    let customer = json!({"name": "Secretive Somebody", "address": "99 Hidden Lane",
        "contact_info": {"email": "hidden@example.com", "phone": "+1 555 0188"}});
    let customers = url(CUSTOMER, "/customers");
    let made = teller
        .send(Method::POST, &customers, None, Some(&customer))
        .await;
    let id = made.unwrap().expect(201)["customer_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let logins = url(CUSTOMER, &format!("/customers/{id}/logins"));
    let new =
        json!({"username": "secretive-user", "password": "another-g00d-one", "role": "customer"});
    teller
        .send(Method::POST, &logins, None, Some(&new))
        .await
        .unwrap()
        .expect(201);

    let alice = nobody.with_token(pair["access_token"].as_str().unwrap());
    let body = json!({"source_account_id": ALICE, "destination_account_id": BOB, "amount": "1",
        "description": "for the private matter"});
    let transfers = url(TRANSACTIONS, "/transfers");
    let request = alice.request(Method::POST, &transfers).json(&body);
    // Taken over where it is well formed, so it is the nearest to a line that a client can get.
    let request = request.header("x-request-id", "id%0AFORGED");
    assert_eq!(answer(request).await.unwrap().status, 201);
    for service in SERVICES {
        // Refused and broken requests are logged too.
        let odd = url(service, "/FORGED%0A/x?access_token=FORGED-TOKEN");
        nobody.send(Method::GET, &odd, None, None).await.unwrap();
        let odd = nobody
            .with_token("FORGED-TOKEN")
            .request(Method::GET, &transfers);
        answer(odd).await.unwrap();
    }

    let mut seen = Vec::new();
    for service in SERVICES {
        let text = nobody.request(Method::GET, &url(service, "/metrics"));
        seen.push(text.send().await.unwrap().text().await.unwrap());
        let database = bank.bank.service_database_url(service).unwrap();
        if let Some((_, password)) = database
            .split('@')
            .next()
            .and_then(|user| user.rsplit_once(':'))
        {
            secrets.push(password.to_owned());
        }
    }
    secrets.extend(
        [
            "banking-dev",
            "wr0ng-passw0rd",
            "another-g00d-one",
            "Secretive",
            "99 Hidden Lane",
            "hidden@example.com",
            "555 0188",
            "secretive-user",
            "alice-customer",
            "bob-customer",
            "private matter",
            "FORGED",
        ]
        .map(str::to_owned),
    );
    let logs = bank.bank.data().logs().to_path_buf();
    // Ended in good order, everything that was logged is in the files.
    for service in SERVICES {
        bank.bank.kill(service, stack::Signal::TERM).unwrap();
        bank.bank.wait_exit(service).await.unwrap();
    }
    let lines = log_lines(&logs);
    assert!(
        lines
            .iter()
            .any(|line| line.contains("TRANSACTION_COMMITTED"))
    );
    seen.extend(lines);
    for text in &seen {
        for secret in &secrets {
            let at = text.find(secret.as_str());
            // A request id is the client's own word, kept in its own field and escaped.
            let own = text.contains("\"request_id\":\"id%0AFORGED\"") && secret == "FORGED";
            assert!(at.is_none() || own, "{secret} is in: {text}");
        }
    }
    bank.stop().await;
}

#[tokio::test]
async fn a_fault_of_ours_says_nothing_of_the_inside() {
    let bank = TestBank::start().await;
    let admin = bank.admin().await;
    let customer = "550e8400-e29b-41d4-a716-446655440001";
    for (service, tables, path) in [
        (CUSTOMER, "customers", format!("/customers/{customer}")),
        (ACCOUNTS, "accounts", format!("/accounts/{ALICE}")),
        (TRANSACTIONS, "transactions", "/transfers".to_owned()),
    ] {
        let database = bank.database(service).await;
        let away = format!("ALTER TABLE {tables} RENAME TO gone");
        sqlx::raw_sql(sqlx::AssertSqlSafe(away))
            .execute(&database)
            .await
            .unwrap();
        let url = format!("{}{path}", bank.url(service));
        let reply = admin.send(Method::GET, &url, None, None).await.unwrap();
        assert_eq!(
            (reply.status.as_u16(), reply.code()),
            (500, "internal_error"),
            "{url}"
        );
        assert_eq!(reply.header("content-type"), "application/problem+json");
        let words = reply.body.to_string().to_lowercase();
        for inside in [
            "relation",
            "sql",
            "select",
            "postgres",
            tables,
            "panic",
            ".rs",
            "backtrace",
        ] {
            let instance = words.replace(&reply.body["type"].to_string(), "");
            assert!(!instance.contains(inside), "{inside} in {words}");
        }
        let members: Vec<_> = reply.body.as_object().unwrap().keys().collect();
        assert_eq!(
            members,
            ["code", "detail", "request_id", "status", "title", "type"]
        );
    }
    bank.stop().await;
}
