//! `banking-cli interactive` in a terminal of 80 columns and 24 lines.

use tests::{ACCOUNTS, CUSTOMER, TRANSACTIONS, TestBank};

use crate::seed;
use crate::terminal::{BACKSPACE, CTRL_C, DOWN, ENTER, ESCAPE, Terminal};

/// Menus for whoever sits before `bank`.
fn menus(bank: &TestBank) -> Terminal {
    menus_at([CUSTOMER, ACCOUNTS, TRANSACTIONS].map(|service| bank.url(service)))
}

fn menus_at([customers, accounts, transactions]: [String; 3]) -> Terminal {
    let program = stack::Options::for_tests("unused")
        .binaries
        .join("banking-cli");
    let environment = [
        ("HOME", std::env::temp_dir().display().to_string()),
        (
            "BANKING_SESSION",
            format!("{}/none", std::env::temp_dir().display()),
        ),
        ("BANKING_URL_CUSTOMER", customers),
        ("BANKING_URL_ACCOUNTS", accounts),
        ("BANKING_URL_TRANSACTIONS", transactions),
    ];
    let terminal = Terminal::open(&program, &["interactive"], &environment);
    terminal.asks("Nobody is logged in");
    terminal
}

const ALICE_ASKS: &str = "alice-customer (customer):";

fn log_in(terminal: &mut Terminal, username: &str) {
    terminal.answer(ENTER, "Log in as");
    terminal.answer(&format!("{username}{ENTER}"), "Password of");
    let role = username.split('-').next_back().unwrap();
    terminal.answer(
        &format!("banking-dev{ENTER}"),
        &format!("{username} ({role}):"),
    );
}

async fn balance(bank: &TestBank, account: &str) -> String {
    bank.teller().await.balance(account).await
}

/// Waiting for a screen blocks a thread, which must not be one that the bank's harness needs.
async fn blocking(work: impl FnOnce() + Send + 'static) {
    tokio::task::spawn_blocking(work).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_moves_money_with_arrow_keys_and_only_after_a_yes() {
    let bank = TestBank::start().await;
    let mut terminal = menus(&bank);
    let before = balance(&bank, seed::ALICE_2).await;
    let mut terminal = tokio::task::spawn_blocking(move || {
        log_in(&mut terminal, "alice-customer");
        terminal.press(ENTER);
        let screen = terminal.shows("500.00");
        for shown in [seed::ALICE, "1000.00", "500.00"] {
            assert!(screen.contains(shown), "{screen}");
        }
        ask_for_a_transfer(&mut terminal);
        terminal.answer(ENTER, ALICE_ASKS);
        terminal
    })
    .await
    .unwrap();
    assert_eq!(balance(&bank, seed::ALICE_2).await, before);

    terminal = tokio::task::spawn_blocking(move || {
        ask_for_a_transfer(&mut terminal);
        terminal.press(&format!("y{ENTER}"));
        terminal.shows("Transfer committed");
        terminal.asks(ALICE_ASKS);
        terminal
    })
    .await
    .unwrap();
    assert_eq!(balance(&bank, seed::ALICE).await, "974.50");
    assert_eq!(balance(&bank, seed::ALICE_2).await, "525.50");

    blocking(move || {
        terminal.answer(&format!("History{ENTER}"), "Which transfer?");
        terminal.press(ENTER);
        terminal.shows("DECIDED_COMMIT");
        terminal.asks("Which transfer?");
        terminal.answer(ESCAPE, ALICE_ASKS);
        terminal.press(ESCAPE);
        assert_eq!(terminal.exit_code(), 0);
    })
    .await;
}

/// Up to the question whether the money is to move.
fn ask_for_a_transfer(terminal: &mut Terminal) {
    terminal.answer(&format!("Transfer{ENTER}"), "From which account?");
    terminal.answer(ENTER, "To which account?");
    terminal.answer(&format!("{DOWN}{ENTER}"), "How much?");
    terminal.press(&format!("many{ENTER}"));
    terminal.shows("Not an amount");
    terminal.answer(
        &format!("{}25.50{ENTER}", BACKSPACE.repeat(4)),
        "Description:",
    );
    let screen = terminal.answer(&format!("rent{ENTER}"), "Move 25.50 USD?");
    for line in ["From", "To", "Amount", "rent"] {
        assert!(screen.contains(line), "{screen}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_teller_creates_a_customer_opens_an_account_and_pays_cash_in() {
    let bank = TestBank::start().await;
    let mut terminal = menus(&bank);
    blocking(move || {
        log_in(&mut terminal, "tom-teller");
        terminal.answer(&format!("Customers{ENTER}"), "Customers:");
        terminal.answer(&format!("Create a cust{ENTER}"), "Full name:");
        terminal.answer(&format!("Dora Lee{ENTER}"), "Postal address:");
        terminal.answer(&format!("1 Main St{ENTER}"), "E-mail:");
        terminal.answer(&format!("dora@example.com{ENTER}"), "Phone:");
        terminal.answer(ENTER, "Create Dora Lee?");
        terminal.answer(&format!("y{ENTER}"), "Customers:");
        terminal.shows("dora@example.com");
        terminal.answer(ESCAPE, "tom-teller (teller):");
        terminal.answer(&format!("Accounts{ENTER}"), "Accounts:");
        terminal.answer(&format!("Open{ENTER}"), "e-mail or number:");
        terminal.answer(&format!("Dora{ENTER}"), "Customer:");
        terminal.answer(ENTER, "Currency (USD):");
        terminal.answer(ENTER, "Opening balance");
        terminal.answer(&format!("100{ENTER}"), "Locking:");
        terminal.answer(ENTER, "Open a USD account for Dora Lee?");
        let screen = terminal.answer(&format!("y{ENTER}"), "Accounts:");
        assert!(screen.contains("100.00 USD"), "{screen}");
        assert!(screen.contains("active"), "{screen}");
        terminal.press(CTRL_C);
        assert_eq!(terminal.exit_code(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_question_of_a_transfer_can_be_left() {
    let bank = TestBank::start().await;
    let mut terminal = menus(&bank);
    blocking(move || {
        log_in(&mut terminal, "alice-customer");
        let questions = [
            (ENTER.to_owned(), "To which account?"),
            (format!("{DOWN}{ENTER}"), "How much?"),
            (format!("1{ENTER}"), "Description:"),
            (ENTER.to_owned(), "Move 1.00 USD?"),
        ];
        for depth in 0..=questions.len() {
            terminal.answer(&format!("Transfer{ENTER}"), "From which account?");
            for (keys, question) in &questions[..depth] {
                terminal.answer(keys, question);
            }
            terminal.answer(ESCAPE, ALICE_ASKS);
        }
        terminal.press(CTRL_C);
        assert_eq!(terminal.exit_code(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_down_is_said_in_words_and_the_menu_comes_back() {
    let bank = TestBank::start().await;
    let mut terminal = menus(&bank);
    let mut terminal = tokio::task::spawn_blocking(move || {
        log_in(&mut terminal, "alice-customer");
        terminal
    })
    .await
    .unwrap();
    bank.kill(TRANSACTIONS).await;
    blocking(move || {
        terminal.press(&format!("History{ENTER}"));
        terminal.shows("cannot be reached");
        terminal.asks(ALICE_ASKS);
        terminal.press(&format!("Service{ENTER}"));
        let screen = terminal.shows("down");
        terminal.asks(ALICE_ASKS);
        assert!(screen.contains("customer-service"), "{screen}");
        terminal.press(ESCAPE);
        assert_eq!(terminal.exit_code(), 0);
    })
    .await;
}

#[test]
fn without_any_bank_the_menus_say_so_and_can_be_left() {
    let nowhere = "http://127.0.0.1:1".to_owned();
    let mut terminal = menus_at([nowhere.clone(), nowhere.clone(), nowhere]);
    terminal.answer(ENTER, "Log in as");
    terminal.answer(&format!("bob{ENTER}"), "Password of bob-customer");
    terminal.press(&format!("banking-dev{ENTER}"));
    terminal.shows("cannot be reached");
    terminal.asks("Nobody is logged in");
    terminal.answer(ENTER, "Log in as");
    terminal.answer(ESCAPE, "Nobody is logged in");
    terminal.press(ESCAPE);
    assert_eq!(terminal.exit_code(), 0);
}
