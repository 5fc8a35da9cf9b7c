//! The program: its configuration, seed data, and what production does without.

use std::process::{Command, Output};

use service_kit::testing::TestDatabase;

/// Runs the program with nothing in its environment but these variables.
fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_customer-service"))
        .args(arguments)
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .expect("the program runs")
}

fn words(output: &Output) -> String {
    let both = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8_lossy(&both).into_owned()
}

const SECRET_URL: &str = "postgres://bank:a-long-s3cret-word@127.0.0.1:1/customer_db";

#[test]
fn the_configuration_is_shown_without_its_secrets() {
    let output = run(
        &["--print-config"],
        &[
            ("CUSTOMER_DATABASE_URL", SECRET_URL),
            ("BANK_PORT_OFFSET", "100"),
        ],
    );
    assert!(output.status.success(), "{}", words(&output));
    let shown: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(shown["bank"]["port_offset"], 100);
    assert_eq!(shown["service"]["port"], 3001);
    assert!(!words(&output).contains("s3cret"));
}

#[test]
fn a_setting_that_nobody_knows_is_an_error() {
    for (name, value) in [
        ("BANK_PORT_OFSET", "1"),
        ("CUSTOMER_PROT", "1"),
        ("BANK_PORT_OFFSET", "many"),
        ("CUSTOMER_DATABASE_URL", "mysql://u:s3cret@h/d"),
        ("CUSTOMER_FAILED_LOGINS_PER_MINUTE", "0"),
    ] {
        let output = run(&["--print-config"], &[(name, value)]);
        assert!(!output.status.success(), "{name}");
        assert!(!words(&output).contains("s3cret"), "{name}");
    }
    let built_with = run(&["--print-config"], &[("CUSTOMER_QUERY_CHECK_URL", "x")]);
    assert!(built_with.status.success(), "{}", words(&built_with));
}

#[test]
fn a_file_stands_between_the_defaults_and_the_environment() {
    let path = std::env::temp_dir().join(format!("bank-{}.toml", std::process::id()));
    let file = path.to_str().expect("text");
    std::fs::write(
        &path,
        "[bank]\nlog = \"warn\"\nport_offset = 5\n[customer]\nport = 4001\n[accounts]\nport = 1\n",
    )
    .expect("a file");
    let output = run(
        &["--print-config", "--config", file],
        &[("BANK_PORT_OFFSET", "7")],
    );
    let shown: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(shown["bank"]["log"], "warn");
    assert_eq!(shown["bank"]["port_offset"], 7);
    assert_eq!(shown["service"]["port"], 4001);
    for bad in [
        "[bank]\nprot = 1\n",
        "[banks]\n",
        "[customer]\nurl = 1\n",
        "not toml",
    ] {
        std::fs::write(&path, bad).expect("a file");
        assert!(
            !run(&["--print-config", "--config", file], &[])
                .status
                .success(),
            "{bad}"
        );
    }
    std::fs::remove_file(&path).ok();
    assert!(
        !run(&["--print-config", "--config", file], &[])
            .status
            .success()
    );
}

#[test]
fn production_does_without_what_is_for_development() {
    let production = ("BANK_ENV", "production");
    let url = |url: &'static str| ("CUSTOMER_DATABASE_URL", url);
    let good = url(SECRET_URL);
    assert!(
        run(&["--print-config"], &[production, good])
            .status
            .success()
    );
    let short = url("postgres://bank:short@127.0.0.1/d");
    let well_known = url("postgres://bank:banking-dev@127.0.0.1/d");
    let plain_text = url("postgres://bank:a-long-s3cret-word@db.example/d");
    for variables in [
        vec![production, short],
        vec![production, well_known],
        vec![production, plain_text],
        vec![production, good, ("BANK_FAILPOINTS", "after_begin=abort")],
    ] {
        let output = run(&["--print-config"], &variables);
        assert!(!output.status.success(), "{variables:?}");
    }
    assert!(!run(&["--seed"], &[production, good]).status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn seeding_twice_changes_nothing() {
    let database = TestDatabase::create().await;
    let variables = [("CUSTOMER_DATABASE_URL", database.url().reveal())];
    let pool = database.pool().await;
    let mut contents = Vec::new();
    for _ in 0..2 {
        let output = run(&["--seed"], &variables);
        assert!(output.status.success(), "{}", words(&output));
        let rows: String = sqlx::query_scalar(
            "SELECT concat((SELECT json_agg(c ORDER BY c) FROM customers c),
                           (SELECT json_agg(l ORDER BY l.username) FROM logins l))",
        )
        .fetch_one(&pool)
        .await
        .expect("rows");
        contents.push(rows);
    }
    assert_eq!(contents[0], contents[1]);
    assert!(contents[0].contains("550e8400-e29b-41d4-a716-446655440003"));
}
