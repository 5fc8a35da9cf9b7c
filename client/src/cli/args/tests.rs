use clap::CommandFactory;

use super::*;

const ACCOUNT: &str = "660e8400-e29b-41d4-a716-446655440001";
const OTHER: &str = "660e8400-e29b-41d4-a716-446655440002";

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split_whitespace())
}

#[test]
fn the_arguments_make_sense_to_clap() {
    Cli::command().debug_assert();
}

#[test]
fn every_line_of_the_contract_parses() {
    let transaction = OTHER;
    for line in [
        "login -u alice-customer -r customer".to_owned(),
        "logout".to_owned(),
        "bench --connections 4 --seconds 1 --protocol saga --hot".to_owned(),
        "whoami".to_owned(),
        "profile".to_owned(),
        "accounts".to_owned(),
        format!("balance -a {ACCOUNT}"),
        format!("transfer -f {ACCOUNT} -t {OTHER} -a 100"),
        format!(
            "transfer -f {ACCOUNT} -t {OTHER} -a 100 --protocol 2pc --idempotency-key K -d text"
        ),
        format!("transfer -f {ACCOUNT} -t {OTHER} -a 100 --protocol saga"),
        "history".to_owned(),
        format!("history -a {ACCOUNT} --limit 5"),
        format!("status {transaction}"),
        format!("timeline {transaction}"),
        "customers list".to_owned(),
        format!("customers show {ACCOUNT}"),
        "customers create --name Dora --address Here --email d@example.com".to_owned(),
        format!("accounts open --customer {ACCOUNT}"),
        format!("accounts show {ACCOUNT}"),
        format!("accounts freeze -a {ACCOUNT}"),
        format!("accounts unfreeze {ACCOUNT}"),
        format!("accounts close {ACCOUNT}"),
        format!("accounts statement {ACCOUNT}"),
        format!("deposit -a {ACCOUNT} --amount 5"),
        format!("withdraw -a {ACCOUNT} --amount 5"),
        "health".to_owned(),
        "tokens".to_owned(),
        "admin in-doubt".to_owned(),
        format!("admin resolve {transaction} --participant bank-1 --outcome commit --reason why"),
        format!("admin confirm {transaction} {transaction}"),
        format!("admin audit {transaction}"),
        format!("admin acknowledge {transaction} -p bank-1 --hazard h --reason why"),
        "admin in-doubt --acknowledged".to_owned(),
        "admin in-doubt --at-participant bank-2".to_owned(),
        "admin in-doubt --at-participant http://127.0.0.1:3012".to_owned(),
        format!("admin resolve {transaction} --at-participant bank-2 --outcome abort --reason why"),
        format!("admin confirm {transaction} {transaction} --at-participant bank-2"),
        format!("admin audit {transaction} --at-participant bank-2"),
        format!("admin acknowledge {transaction} --at-participant bank-2 --hazard h -r why"),
        "admin ledger-check".to_owned(),
        "admin rotate-keys".to_owned(),
        "demo --race-condition".to_owned(),
        "demo --concurrent".to_owned(),
        "demo --two-phase-commit".to_owned(),
        "demo --two-phase-commit-vs-saga".to_owned(),
        "demo --crash".to_owned(),
        "demo --crash --point before_ack --action pause".to_owned(),
        "demo --all".to_owned(),
        "interactive".to_owned(),
        "completions bash".to_owned(),
    ] {
        for extra in ["", " --output json --quiet"] {
            let typed = format!("banking-cli {line}{extra}");
            assert!(
                parse(&typed).is_ok(),
                "{typed}: {}",
                parse(&typed).unwrap_err()
            );
        }
    }
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_sent() {
    for line in [
        format!("transfer -f {ACCOUNT} -t {OTHER} -a ten"),
        format!("transfer -f {ACCOUNT} -t nobody -a 10"),
        format!("transfer -f {ACCOUNT} -t {OTHER} -a 10 --protocol 3pc"),
        "balance".to_owned(),
        format!("balance {ACCOUNT} -a {ACCOUNT}"),
        "demo".to_owned(),
        "demo --crash --point nowhere".to_owned(),
        "demo --crash --action explode".to_owned(),
        format!("admin resolve {OTHER} --outcome abort --reason why"),
        format!(
            "admin resolve {OTHER} -p bank-1 --at-participant bank-1 --outcome abort --reason why"
        ),
        "admin in-doubt --at-participant ftp://bank".to_owned(),
        "history --limit 0".to_owned(),
        "history --from yesterday".to_owned(),
    ] {
        assert!(parse(&format!("banking-cli {line}")).is_err(), "{line}");
    }
}

#[test]
fn an_amount_that_only_the_bank_can_judge_is_left_to_the_bank() {
    for amount in ["0", "-5", "1.23456", "1000000000000000"] {
        let line = format!("banking-cli transfer -f {ACCOUNT} -t {OTHER} -a {amount}");
        assert!(parse(&line).is_ok(), "{amount}");
    }
}
