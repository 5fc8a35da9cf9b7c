use std::os::unix::fs::PermissionsExt;

use crate::program::Home;
use crate::stand_in::{Asked, StandIn, problem, profile, tokens};

/// A customer-service that logs in with tokens of `lifetime` seconds, knows the profile for
/// anybody whose token `accepts`, and has one refresh token to give a new pair for.
fn bank(lifetime: u64, accepts: fn(&str) -> bool) -> StandIn {
    let spent = std::sync::Mutex::new(false);
    StandIn::new(move |asked: &Asked| match asked.line.as_str() {
        "POST /auth/login" => (200, tokens("first", lifetime)),
        "POST /auth/refresh" => {
            let first = asked.body.contains("refresh-first");
            let mut spent = spent.lock().unwrap();
            if first && !*spent {
                *spent = true;
                (200, tokens("second", 900))
            } else {
                problem(401, "unauthenticated")
            }
        }
        "POST /auth/logout" => (200, serde_json::json!({})),
        _ if asked.bearer.as_deref().is_some_and(accepts) => (200, profile()),
        _ => problem(401, "unauthenticated"),
    })
}

fn logged_in(bank: &StandIn) -> Home {
    let home = Home::new(&bank.url);
    let run = home.run_with("login -u alice-customer", "BANKING_PASSWORD", "secret");
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(!run.out.contains("access-") && !run.out.contains("refresh-"));
    home
}

#[test]
fn the_session_file_can_be_read_by_its_owner_only() {
    let bank = bank(900, |_| true);
    let home = logged_in(&bank);
    let mode = home.session_file().metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(home.run("whoami").code, 0);
    assert_eq!(home.run("logout").code, 0);
    assert_eq!(bank.asked("POST /auth/logout").len(), 1);
    assert_eq!(home.run("whoami").code, 4);
}

#[test]
fn a_session_is_renewed_before_it_expires() {
    let bank = bank(5, |token| token == "access-second");
    let home = logged_in(&bank);
    for _ in 0..2 {
        let run = home.run("profile");
        assert_eq!(run.code, 0, "{}", run.err);
        assert!(run.err.is_empty(), "{}", run.err);
    }
    assert_eq!(bank.asked("POST /auth/refresh").len(), 1);
}

#[test]
fn a_session_is_renewed_when_its_token_is_refused() {
    let bank = bank(900, |token| token == "access-second");
    let home = logged_in(&bank);
    assert_eq!(home.run("profile").code, 0);
    assert_eq!(home.run("profile").code, 0);
    assert_eq!(bank.asked("POST /auth/refresh").len(), 1);
}

#[test]
fn commands_at_the_same_time_spend_the_refresh_token_once() {
    let bank = bank(5, |token| token == "access-second");
    let home = logged_in(&bank);
    let children: Vec<_> = (0..4)
        .map(|_| home.command("profile").spawn().unwrap())
        .collect();
    for mut child in children {
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
    assert_eq!(bank.asked("POST /auth/refresh").len(), 1);
}

#[test]
fn a_session_that_cannot_be_renewed_has_ended() {
    let bank = bank(900, |_| false);
    let home = logged_in(&bank);
    // The new token is refused as well, and then there is no third.
    assert_eq!(home.run("profile").code, 4);
    let run = home.run("profile");
    assert_eq!(run.code, 4, "{}", run.err);
}

#[test]
fn a_token_is_never_sent_to_another_bank() {
    let here = bank(900, |_| true);
    let there = bank(900, |_| true);
    let home = logged_in(&here);
    let run = home.run(&format!("profile --url-customer {}", there.url));
    assert_eq!(run.code, 4);
    let profile = "GET /customers/550e8400-e29b-41d4-a716-446655440001";
    assert!(there.asked(profile).is_empty());
}

#[test]
fn a_role_that_is_not_the_wanted_one_is_not_remembered() {
    let bank = bank(900, |_| true);
    let home = Home::new(&bank.url);
    let run = home.run_with(
        "login -u alice-customer -r teller",
        "BANKING_PASSWORD",
        "secret",
    );
    assert_eq!(run.code, 1, "{}", run.err);
    assert!(!home.session_file().exists());
    assert_eq!(bank.asked("POST /auth/logout").len(), 1);
}

#[test]
fn a_token_from_the_environment_stands_in_for_a_session() {
    let bank = bank(900, |token| token.starts_with("e30."));
    let home = Home::new(&bank.url);
    // {"iss":"customer-service","aud":"bank","sub":"1","role":"customer","exp":9999999999,
    //  "customer_id":"550e8400-e29b-41d4-a716-446655440001"}
    let payload = "eyJpc3MiOiJjdXN0b21lci1zZXJ2aWNlIiwiYXVkIjoiYmFuayIsInN1YiI6IjEiLCJyb2xlIjoiY3Vz\
                   dG9tZXIiLCJleHAiOjk5OTk5OTk5OTksImN1c3RvbWVyX2lkIjoiNTUwZTg0MDAtZTI5Yi00MWQ0LWE3\
                   MTYtNDQ2NjU1NDQwMDAxIn0";
    let token = format!("e30.{payload}.c2ln");
    let run = home.run_with("profile", "BANKING_TOKEN", &token);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.out.contains("Alice Johnson"));
    assert!(!home.session_file().exists());
    assert_eq!(
        home.run_with("profile", "BANKING_TOKEN", "nonsense").code,
        4
    );
}
