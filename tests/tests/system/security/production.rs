//! What every program refuses outside development, and what it shows of its configuration.

use std::process::{Command, Output};

/// Runs a service's program with nothing in its environment but these variables.
fn run(service: &str, arguments: &[&str], variables: &[(String, String)]) -> Output {
    let program = stack::options::binaries_beside_this_program().join(service);
    Command::new(&program)
        .args(arguments)
        .env_clear()
        .envs(variables.iter().cloned())
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}", program.display()))
}

fn words(output: &Output) -> String {
    let both = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8_lossy(&both).into_owned()
}

const SERVICES: [(&str, &str); 4] = [
    ("customer-service", "CUSTOMER"),
    ("accounts-service", "ACCOUNTS"),
    ("transactions-service", "TRANSACTIONS"),
    ("orders-service", "ORDERS"),
];

fn with_url(prefix: &str, url: &str, more: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut variables = vec![(format!("{prefix}_DATABASE_URL"), url.to_owned())];
    if prefix == "ORDERS" {
        variables.push(("ORDERS_DOCUMENTS_DATABASE_URL".to_owned(), url.to_owned()));
    }
    variables.extend(
        more.iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );
    variables
}

#[test]
fn no_program_shows_a_password_with_its_configuration() {
    for (service, prefix) in SERVICES {
        for url in [
            "postgres://bank:a-long-s3cret-word@127.0.0.1:1/db",
            "postgres://bank:a%2Dlong%2Ds3cret@127.0.0.1:1/db",
            "postgres://bank@127.0.0.1:1/db?password=a-long-s3cret-word",
            "postgres://bank:s3cret@s3cret@127.0.0.1:1/db",
        ] {
            let shown = run(service, &["--print-config"], &with_url(prefix, url, &[]));
            assert!(
                !words(&shown).contains("s3cret"),
                "{service} {url}: {}",
                words(&shown)
            );
        }
        let broken = with_url(prefix, "mysql://bank:s3cret@host/db", &[]);
        let refused = run(service, &[], &broken);
        assert!(!refused.status.success());
        assert!(!words(&refused).contains("s3cret"), "{}", words(&refused));
    }
}

#[test]
fn no_program_starts_in_production_with_what_is_for_development() {
    let production = ("BANK_ENV", "production");
    let good = "postgres://bank:a-long-s3cret-word@127.0.0.1:1/db";
    for (service, prefix) in SERVICES {
        let shown = run(
            service,
            &["--print-config"],
            &with_url(prefix, good, &[production]),
        );
        assert!(shown.status.success(), "{service}: {}", words(&shown));
        for url in [
            "postgres://bank:short@127.0.0.1/db",
            "postgres://bank:banking-dev@127.0.0.1/db",
            "postgres://bank:b%61nking-dev@127.0.0.1/db",
            "postgres://bank@127.0.0.1/db?password=short",
            "postgres://bank:a-long-s3cret-word@db.example/db",
        ] {
            let refused = run(service, &[], &with_url(prefix, url, &[production]));
            assert!(!refused.status.success(), "{service} {url}");
            assert!(
                words(&refused).contains("configuration"),
                "{}",
                words(&refused)
            );
        }
        for more in [
            ("BANK_FAILPOINTS", "after_begin=abort"),
            ("PGPASSWORD", "short"),
        ] {
            let url = "postgres://bank@127.0.0.1:1/db";
            let refused = run(service, &[], &with_url(prefix, url, &[production, more]));
            assert!(!refused.status.success(), "{service} {more:?}");
            assert!(
                words(&refused).contains("configuration"),
                "{}",
                words(&refused)
            );
        }
        let seeding = run(service, &["--seed"], &with_url(prefix, good, &[production]));
        assert!(
            words(&seeding).contains("seed data is for development"),
            "{}",
            words(&seeding)
        );
    }
    let planted = [
        production,
        ("TRANSACTIONS_PLANTED_BUG", "missing_vote_is_yes"),
    ];
    let refused = run(
        "transactions-service",
        &[],
        &with_url("TRANSACTIONS", good, &planted),
    );
    assert!(
        words(&refused).contains("planted bugs are for development"),
        "{}",
        words(&refused)
    );
}
