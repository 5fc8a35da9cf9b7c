use std::time::{Duration, Instant};

use crate::program::{ACCOUNT, Home, NOBODY, OTHER};
use crate::stand_in::{StandIn, problem};

#[test]
fn what_needs_a_login_exits_4_without_one() {
    let home = Home::new(NOBODY);
    for line in [
        "whoami".to_owned(),
        "logout".to_owned(),
        "profile".to_owned(),
        "accounts".to_owned(),
        format!("balance -a {ACCOUNT}"),
        format!("transfer -f {ACCOUNT} -t {OTHER} -a 1"),
        "history".to_owned(),
        format!("status {OTHER}"),
        format!("timeline {OTHER}"),
        "customers list".to_owned(),
        format!("accounts freeze {ACCOUNT}"),
        format!("deposit -a {ACCOUNT} --amount 1"),
        "tokens".to_owned(),
        "admin in-doubt".to_owned(),
        "admin ledger-check".to_owned(),
    ] {
        let run = home.run(&line);
        assert_eq!(run.code, 4, "{line}: {}", run.err);
        assert!(run.out.is_empty(), "{line}: {}", run.out);
        assert!(run.err.contains("Not logged in"), "{line}: {}", run.err);
    }
}

#[test]
fn a_bank_that_is_not_there_exits_3() {
    let home = Home::new(NOBODY);
    let run = home.run_with("login -u alice-customer", "BANKING_PASSWORD", "banking-dev");
    assert_eq!(run.code, 3, "{}", run.err);
    assert!(run.err.contains("cannot be reached"), "{}", run.err);
    let run = home.run("health --output json");
    assert_eq!(run.code, 3);
    assert_eq!(run.error()["code"], "incomplete");
    for line in ["demo --race-condition", "tokens --all"] {
        assert_eq!(home.run(line).code, 3, "{line}");
    }
}

#[test]
fn wrong_usage_exits_2_in_words_or_as_json() {
    let home = Home::new(NOBODY);
    for line in [
        "",
        "pay",
        "balance",
        "transfer -f x",
        "history --limit none",
    ] {
        assert_eq!(home.run(line).code, 2, "{line}");
    }
    let run = home.run("--output json transfer -f x");
    assert_eq!((run.code, run.out.as_str()), (2, ""));
    assert_eq!(run.error()["code"], "usage");
    let run = home.run("whoami --url-customer nowhere");
    assert_eq!(run.code, 2, "{}", run.err);
}

#[test]
fn a_login_without_a_terminal_and_without_a_password_fails_at_once_with_a_hint() {
    let home = Home::new(NOBODY);
    let begun = Instant::now();
    let run = home.run("login -u alice-customer -r customer");
    assert_eq!(run.code, 2);
    assert!(run.err.contains("BANKING_PASSWORD"), "{}", run.err);
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn menus_without_a_terminal_say_so() {
    let run = Home::new(NOBODY).run("interactive");
    assert_eq!(run.code, 2);
    assert!(run.err.contains("terminal"), "{}", run.err);
}

#[test]
fn a_refusal_exits_1_and_is_the_banks_own_problem_as_json() {
    let bank = StandIn::new(|_| problem(401, "invalid_credentials"));
    let home = Home::new(&bank.url);
    let run = home.run_with(
        "login -u alice-customer --output json",
        "BANKING_PASSWORD",
        "wrong",
    );
    assert_eq!(run.code, 1);
    assert_eq!(run.error()["code"], "invalid_credentials");
    assert!(run.out.is_empty());
}

#[test]
fn what_answers_but_is_no_bank_exits_3() {
    let stranger = StandIn::new(|_| (200, serde_json::json!("hello")));
    let home = Home::new(&stranger.url);
    let run = home.run_with("login -u alice-customer", "BANKING_PASSWORD", "secret");
    assert_eq!(run.code, 3, "{}", run.err);
}

#[test]
fn development_tokens_are_refused_in_production() {
    let run = Home::new(NOBODY).run_with("tokens --all", "BANK_ENV", "production");
    assert_eq!(run.code, 1);
    assert!(run.err.contains("production"), "{}", run.err);
}

#[test]
fn a_crash_demonstration_needs_a_bank_on_this_machine() {
    let home = Home::new(NOBODY);
    let nowhere = home.folder.path().join("nothing");
    let line = format!("demo --crash --data-dir {}", nowhere.display());
    let run = home.run(&line);
    assert_ne!(run.code, 0);
    assert_eq!(home.run("demo --crash --point nowhere").code, 2);
}
