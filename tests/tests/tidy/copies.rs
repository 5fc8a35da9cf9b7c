//! Tables that several databases have. Migrations never change once they are released; so they are
//! copies, and compared.

use std::fs;

use super::root;

/// Each database has these.
#[test]
fn every_service_has_the_tables_that_the_kit_keeps_keys_in() {
    let kit = fs::read_to_string(root().join("shared/service-kit/src/auth/tables.sql")).unwrap();
    for service in ["customer", "accounts", "transactions", "orders"] {
        let migration = format!("migrations/{service}/0003_keys.sql");
        let own = fs::read_to_string(root().join(&migration)).unwrap();
        assert!(own.contains(kit.trim()), "{migration}");
    }
}

#[test]
fn every_service_that_keeps_sagas_has_the_tables_of_their_log() {
    let tables = fs::read_to_string(root().join("shared/saga-postgres/src/tables.sql")).unwrap();
    for (service, migration) in [
        ("transactions", "0006_sagas.sql"),
        ("orders", "0002_sagas.sql"),
    ] {
        let migration = format!("migrations/{service}/{migration}");
        let own = fs::read_to_string(root().join(&migration)).unwrap();
        assert!(own.contains(tables.trim()), "{migration}");
    }
}
