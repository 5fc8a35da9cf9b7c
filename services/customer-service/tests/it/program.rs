//! The program as an operator runs it: its log files, and stopping it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use service_kit::client;
use service_kit::testing::TestDatabase;

/// A running program and its log folder; both are gone when it is dropped.
struct Program {
    child: Child,
    folder: PathBuf,
    url: String,
}

impl Program {
    async fn start(database: &TestDatabase) -> Self {
        let folder = std::env::temp_dir().join(format!("bank-logs-{}", uuid::Uuid::new_v4()));
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let program = || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_customer-service"));
            command
                .env_clear()
                .env("CUSTOMER_DATABASE_URL", database.url().reveal())
                .env("CUSTOMER_PORT", port.to_string())
                .env("BANK_LOG_DIR", &folder)
                .env("BANK_LOG", "debug")
                .stdout(Stdio::null());
            command
        };
        assert!(program().arg("--seed").status().expect("it runs").success());
        let child = program().spawn().expect("it runs");
        let url = format!("http://127.0.0.1:{port}");
        let started = Self { child, folder, url };
        started.wait_until_ready().await;
        started
    }

    async fn wait_until_ready(&self) {
        let client = client::plain_http_client(Duration::from_secs(2));
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        for _ in 0..1_000 {
            tick.tick().await;
            let reply = client.get(format!("{}/ready", self.url)).send().await;
            if reply.is_ok_and(|reply| reply.status() == 200) {
                return;
            }
        }
        panic!("the service is not ready after 20 s");
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let client = client::plain_http_client(Duration::from_secs(5));
        let reply = client
            .post(format!("{}{path}", self.url))
            .json(&body)
            .send();
        let reply = reply.await.expect("a reply").json().await;
        reply.unwrap_or(Value::Null)
    }

    /// Sends SIGTERM and waits for the end.
    fn terminate(&mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        let killed = Command::new("kill").args(["-TERM", &id]).status();
        assert!(killed.expect("kill runs").success());
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

fn lines(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_json_lines_that_hold_no_secret_and_sigterm_ends_the_service() {
    let database = TestDatabase::create().await;
    let mut program = Program::start(&database).await;
    let login =
        |username: &str, password: &str| json!({"username": username, "password": password});
    let pair = program
        .post("/auth/login", login("alice-customer", "banking-dev"))
        .await;
    program
        .post(
            "/auth/login",
            login("bob-customer\nINJECTED", "wr0ng-passw0rd"),
        )
        .await;
    let refresh_token = pair["refresh_token"].as_str().expect("a token").to_owned();
    let access_token = pair["access_token"].as_str().expect("a token").to_owned();
    program
        .post("/auth/logout", json!({"refresh_token": refresh_token}))
        .await;
    assert_eq!(program.terminate(), Some(0));

    let lines = lines(&program.folder.join("customers.log"));
    let mut events = BTreeSet::new();
    for line in &lines {
        let value: Value = serde_json::from_str(line).expect("one JSON object per line");
        let names: Vec<_> = value.as_object().expect("an object").keys().collect();
        assert_eq!(
            names,
            [
                "details",
                "event",
                "level",
                "request_id",
                "service_name",
                "timestamp",
                "trace_id",
                "transaction_id"
            ]
        );
        assert_eq!(value["service_name"], "customer-service");
        events.insert(value["event"].as_str().expect("text").to_owned());
    }
    for event in [
        "SERVICE_STARTED",
        "LOGIN_SUCCEEDED",
        "LOGIN_FAILED",
        "LOGGED_OUT",
        "SERVICE_STOPPED",
    ] {
        assert!(events.contains(event), "{event} in {events:?}");
    }
    let all = lines.join("\n");
    for secret in [
        "banking-dev",
        "wr0ng-passw0rd",
        &refresh_token,
        &access_token,
        "alice-customer",
        "INJECTED",
        "@example.com",
    ] {
        assert!(!all.contains(secret), "{secret} is in the log");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_a_service_from_starting_is_in_the_error_log() {
    let database = TestDatabase::create().await;
    let program = Program::start(&database).await;
    let port = program.url.rsplit(':').next().expect("a port").to_owned();
    let second = Command::new(env!("CARGO_BIN_EXE_customer-service"))
        .env_clear()
        .env("CUSTOMER_DATABASE_URL", database.url().reveal())
        .env("CUSTOMER_PORT", port)
        .env("BANK_LOG_DIR", &program.folder)
        .output()
        .expect("it runs");
    assert!(!second.status.success());
    assert!(String::from_utf8_lossy(&second.stderr).contains("in use"));
    let errors = lines(&program.folder.join("error.log"));
    assert_eq!(errors.len(), 1);
    let error: Value = serde_json::from_str(&errors[0]).expect("JSON");
    assert_eq!(
        (&error["event"], &error["level"]),
        (&json!("SERVICE_NOT_STARTED"), &json!("error"))
    );
}
