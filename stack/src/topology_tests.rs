use super::*;

fn topology(banks: u16, coordinators: u16, settings: &[(&str, &str)]) -> Topology {
    let settings = settings
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()))
        .collect();
    Topology {
        banks,
        coordinators,
        orders: true,
        port_offset: 100,
        settings,
    }
}

fn services(topology: &Topology) -> Vec<Service> {
    topology.services(Path::new("/logs")).unwrap()
}

fn find<'a>(services: &'a [Service], name: &str) -> &'a Service {
    services
        .iter()
        .find(|service| service.name == name)
        .unwrap()
}

#[test]
fn processes_have_the_names_ports_and_logs_of_the_contract() {
    let all: Vec<_> = services(&topology(2, 2, &[]))
        .into_iter()
        .map(|service| {
            (
                service.name,
                service.port,
                service.log.display().to_string(),
            )
        })
        .collect();
    let expected = [
        ("customer-service", 3101, "/logs/customers.log"),
        ("accounts-service", 3102, "/logs/accounts.log"),
        ("accounts-service-2", 3112, "/logs/accounts-2.log"),
        ("transactions-service", 3103, "/logs/transactions.log"),
        ("transactions-service-2", 3113, "/logs/transactions-2.log"),
        ("orders-service", 3104, "/logs/orders.log"),
    ];
    let expected: Vec<_> = expected
        .into_iter()
        .map(|(name, port, log)| (name.into(), port, log.into()))
        .collect();
    assert_eq!(all, expected);
}

#[test]
fn every_bank_has_a_database_and_the_coordinators_share_one() {
    let topology = topology(2, 2, &[]);
    let names: Vec<_> = topology
        .databases()
        .into_iter()
        .map(|one| (one.database, one.role))
        .collect();
    let expected = [
        ("customer_db", "customer_service"),
        ("accounts_db", "accounts_service"),
        ("accounts_2_db", "accounts_2_service"),
        ("transactions_db", "transactions_service"),
        ("orders_db", "orders_service"),
        ("documents_db", "documents_service"),
    ];
    assert_eq!(
        names,
        expected.map(|(database, role)| (database.into(), role.into()))
    );
    assert_eq!(
        find(&services(&topology), "transactions-service-2").database,
        "transactions-service"
    );
    assert_eq!(topology.databases()[2].variable, "ACCOUNTS_2_DATABASE_URL");
}

#[test]
fn everyone_is_told_where_the_others_are() {
    let services = services(&topology(2, 2, &[]));
    let second = &find(&services, "accounts-service-2").environment;
    assert_eq!(second["ACCOUNTS_PARTICIPANT_ID"], "bank-2");
    assert_eq!(second["ACCOUNTS_PORT"], "3012");
    assert_eq!(second["ACCOUNTS_PEERS"], "bank-1=http://127.0.0.1:3102");
    assert_eq!(second["ACCOUNTS_CUSTOMER_URL"], "http://127.0.0.1:3101");
    assert_eq!(
        second["ACCOUNTS_COORDINATOR_URLS"],
        "http://127.0.0.1:3103,http://127.0.0.1:3113"
    );
    assert_eq!(
        find(&services, "transactions-service").environment["TRANSACTIONS_PARTICIPANTS"],
        "bank-1=http://127.0.0.1:3102,bank-2=http://127.0.0.1:3112"
    );
}

#[test]
fn documents_are_in_a_database_of_their_own_unless_somebody_gave_a_document_server() {
    let without = topology(1, 2, &[]);
    let orders = &services(&without)[4];
    assert_eq!(
        orders.beside,
        [(
            "ORDERS_DOCUMENTS_DATABASE_URL".into(),
            String::from("documents")
        )]
    );
    assert_eq!(
        orders.environment["ORDERS_TRANSACTIONS_URLS"],
        "http://127.0.0.1:3103,http://127.0.0.1:3113"
    );
    let with = topology(1, 1, &[("MONGODB_URL", "mongodb://h/d")]);
    let services = services(&with);
    let orders = find(&services, "orders-service");
    assert!(orders.beside.is_empty());
    assert_eq!(orders.environment["ORDERS_MONGODB_URL"], "mongodb://h/d");
    assert!(with.databases().iter().all(|one| one.name != "documents"));
    // It may hold a password.
    assert!(is_setting("MONGODB_URL"));
}

#[test]
fn a_setting_reaches_the_processes_it_is_for_and_no_other() {
    let topology = topology(
        2,
        1,
        &[
            ("BANK_LOG", "debug"),
            ("ACCOUNTS_IN_DOUBT_AFTER_MS", "500"),
            ("ACCOUNTS_2_IN_DOUBT_AFTER_MS", "900"),
            ("ACCOUNTS_PARTICIPANT_ID", "north"),
            ("ACCOUNTS_QUERY_CHECK_URL", "postgres://x"),
            ("TRANSACTIONS_LEASE_MS", "1000"),
        ],
    );
    let services = services(&topology);
    let first = &find(&services, "accounts-service").environment;
    let second = &find(&services, "accounts-service-2").environment;
    assert_eq!(first["BANK_LOG"], "debug");
    assert_eq!(first["ACCOUNTS_IN_DOUBT_AFTER_MS"], "500");
    assert_eq!(second["ACCOUNTS_IN_DOUBT_AFTER_MS"], "900");
    assert_eq!(first["ACCOUNTS_PARTICIPANT_ID"], "north");
    assert_eq!(second["ACCOUNTS_PARTICIPANT_ID"], "bank-2");
    assert!(
        first
            .keys()
            .all(|name| !name.starts_with("TRANSACTIONS") && !name.contains("_2_"))
    );
    assert!(!first.contains_key("ACCOUNTS_QUERY_CHECK_URL"));
}

#[test]
fn ports_of_ones_own_are_used_and_impossible_ones_refused() {
    let moved = topology(
        2,
        1,
        &[("ACCOUNTS_PORT", "4000"), ("ACCOUNTS_2_PORT", "5000")],
    );
    let ports: Vec<_> = services(&moved)
        .iter()
        .map(|service| service.port)
        .collect();
    assert_eq!(ports, [3101, 4100, 5100, 3103, 3104]);
    assert!(
        topology(1, 1, &[("CUSTOMER_PORT", "door")])
            .services(Path::new("/"))
            .is_err()
    );
    assert!(
        topology(1, 1, &[("CUSTOMER_PORT", "65500")])
            .services(Path::new("/"))
            .is_err()
    );
}
