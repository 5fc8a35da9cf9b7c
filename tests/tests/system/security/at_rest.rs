//! What lies on the disk and in the databases.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sqlx::{Connection, PgConnection};
use tests::{ACCOUNTS, ACCOUNTS_2, CUSTOMER, TRANSACTIONS, TestBank};

const SERVICES: [&str; 4] = [CUSTOMER, ACCOUNTS, ACCOUNTS_2, TRANSACTIONS];

async fn refusal(url: &str, statement: &str) -> Option<String> {
    let mut connection = match PgConnection::connect(url).await {
        Ok(connection) => connection,
        Err(error) => return Some(error.to_string()),
    };
    let statement = sqlx::AssertSqlSafe(statement.to_owned());
    let result = sqlx::raw_sql(statement).execute(&mut connection).await;
    result.err().map(|error| error.to_string())
}

#[tokio::test]
async fn each_service_has_a_role_without_any_right_on_the_others_databases() {
    let bank = TestBank::start_with_own_postgres(2).await;
    for own in SERVICES {
        let url = bank.bank.service_database_url(own).unwrap();
        assert_eq!(refusal(&url, "SELECT 1").await, None, "{own}");
        let power = "SELECT 1 / (CASE WHEN rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls
                         THEN 0 ELSE 1 END) FROM pg_roles WHERE rolname = current_user";
        assert_eq!(
            refusal(&url, power).await,
            None,
            "{own} has more power than it needs"
        );
        let others = SERVICES.into_iter().filter(|other| *other != own);
        let others = others.map(|other| bank.bank.service_database_url(other).unwrap());
        let others = others.map(|url| url.rsplit('/').next().unwrap().to_owned());
        for other in others.chain(["postgres".to_owned(), "template1".to_owned()]) {
            let stranger = stack::databases::readdress(&url, None, &other).unwrap();
            let words = refusal(&stranger, "SELECT 1").await.unwrap_or_default();
            assert!(
                words.contains("permission denied"),
                "{own} at {other}: {words}"
            );
        }
        let (user, rest) = url.rsplit_once('@').unwrap();
        let wrong = format!("{}:wrong@{rest}", user.rsplit_once(':').unwrap().0);
        let words = refusal(&wrong, "SELECT 1").await.unwrap_or_default();
        assert!(
            words.contains("password authentication failed"),
            "{own}: {words}"
        );
    }
    for accounts in [ACCOUNTS, ACCOUNTS_2] {
        let url = bank.bank.service_database_url(accounts).unwrap();
        for statement in [
            "UPDATE ledger_entries SET change = change",
            "DELETE FROM ledger_entries",
            "TRUNCATE ledger_entries",
        ] {
            let words = refusal(&url, statement).await.unwrap_or_default();
            assert!(words.contains("permission denied"), "{statement}: {words}");
        }
    }
    bank.stop().await;
}

/// All files below a folder; what PostgreSQL keeps is PostgreSQL's own business.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() && !path.join("PG_VERSION").exists() {
            found.extend(files(&path));
        } else if path.is_file() {
            found.push(path);
        }
    }
    found
}

#[tokio::test]
async fn files_with_secrets_are_their_owners_alone() {
    let bank = TestBank::start_with_own_postgres(1).await;
    let passwords: Vec<_> = [CUSTOMER, ACCOUNTS, TRANSACTIONS]
        .into_iter()
        .map(|service| {
            let url = bank.bank.service_database_url(service).unwrap();
            let user = url.rsplit_once('@').unwrap().0.to_owned();
            user.rsplit_once(':').unwrap().1.to_owned()
        })
        .collect();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let mut secret = 0;
    for path in files(bank.bank.data().root()) {
        let text = fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&text);
        if passwords.iter().any(|password| text.contains(password)) {
            assert_eq!(mode(&path), 0o600, "{}", path.display());
            secret += 1;
        }
    }
    assert!(secret > 0, "the passwords are kept somewhere");
    let state = bank.bank.data().state_file();
    assert_eq!(mode(&state), 0o600, "it has a superuser's URL");
    bank.stop().await;
}

#[tokio::test]
async fn passwords_are_kept_as_argon2id_and_refresh_tokens_as_digests() {
    let bank = TestBank::start().await;
    let alice = bank.alice().await;
    let database = bank.database(CUSTOMER).await;
    let hashes: Vec<String> = sqlx::query_scalar("SELECT password_hash FROM logins")
        .fetch_all(&database)
        .await
        .unwrap();
    assert!(hashes.len() >= 6);
    for hash in &hashes {
        // OWASP's least for argon2id: 19 MiB, two passes.
        assert!(hash.starts_with("$argon2id$v=19$m="), "{hash}");
        let cost = hash.split('$').nth(3).unwrap();
        let of = |name: &str| -> u32 {
            let mut parts = cost.split(',').filter_map(|part| part.strip_prefix(name));
            parts.next().unwrap().parse().unwrap()
        };
        assert!(of("m=") >= 19_456 && of("t=") >= 2, "{cost}");
    }
    let salts: std::collections::BTreeSet<_> = hashes.iter().collect();
    assert_eq!(salts.len(), hashes.len(), "each has a salt of its own");
    let everything: String = sqlx::query_scalar(
        "SELECT string_agg(query_to_xml('SELECT * FROM ' || quote_ident(tablename), true, false, '')::text, '')
         FROM pg_tables WHERE schemaname = 'public'",
    )
    .fetch_one(&database)
    .await
    .unwrap();
    assert!(everything.contains("alice-customer"));
    for secret in ["banking-dev", alice.token().unwrap()] {
        assert!(!everything.contains(secret));
    }
    bank.stop().await;
}
