//! Answers that are none: only a well-formed reply of the very bank that was asked is believed.

use serde_json::{Value, json};
use tests::{ACCOUNTS, ACCOUNTS_2, Asked, Impostor, Lie, TRANSACTIONS, eventually, http_answer};

use crate::pair::Pair;

/// `host:port` of a process.
fn server(pair: &Pair, name: &str) -> String {
    let url = pair.bank.url(name);
    url.trim_start_matches("http://").to_owned()
}

/// Puts a liar between the coordinator and the second bank.
async fn deceive(pair: &Pair, lie: Lie) -> Impostor {
    let impostor = Impostor::start(&server(pair, ACCOUNTS_2), lie).await;
    let link = pair.bank.network().link(TRANSACTIONS, ACCOUNTS_2);
    link.lead_to(impostor.address());
    link.reset();
    impostor
}

fn tell_the_truth(pair: &Pair) {
    let link = pair.bank.network().link(TRANSACTIONS, ACCOUNTS_2);
    link.lead_to(&server(pair, ACCOUNTS_2));
    link.reset();
}

const JSON: &str = "content-type: application/json\r\n";

/// YES to everything that is asked, and every decision acknowledged.
fn yes_to_all(asked: &Asked) -> String {
    let list: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
    let items = list["items"].as_array().cloned().unwrap_or_default();
    let said = items.iter().map(|item| match item {
        Value::String(id) => json!({"transaction_id": id, "acknowledgement": "done"}),
        other => json!({"transaction_id": other["transaction_id"], "vote": "yes"}),
    });
    json!({"participant": "bank-2", "items": said.collect::<Vec<_>>()}).to_string()
}

/// Nothing but lies until the deadline has passed: aborted, and the bank that was never asked is
/// told so in the end.
async fn is_never_a_vote(pair: &Pair, what: &str, lie: Lie) {
    let impostor = deceive(pair, lie).await;
    let refused = pair.send("100", what).await.unwrap().unwrap();
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (503, "participant_unavailable"),
        "{what}: {}",
        refused.body
    );
    assert!(impostor.lies() > 0, "{what} was never answered");
    let id = refused.transaction_id();
    let branch = pair.bank.branch(ACCOUNTS_2, id).await;
    assert_ne!(branch.as_deref(), Some("COMMITTED"), "{what}");
    tell_the_truth(pair);
    pair.bank.settles().await;
    assert!(!pair.committed(what, "100").await, "{what}");
}

#[tokio::test]
async fn case_42_another_services_answer_a_redirect_or_a_page_is_never_a_vote() {
    let pair = Pair::start(|options| options).await;
    let html = http_answer("200 OK", "content-type: text/html\r\n", "<h1>It works</h1>");
    is_never_a_vote(
        &pair,
        "a page",
        Lie::Instead(Box::new(move |_| html.clone())),
    )
    .await;
    let nobody = |asked: &Asked| http_answer("200 OK", JSON, &yes_to_all(asked));
    is_never_a_vote(&pair, "a stranger's yes", Lie::Instead(Box::new(nobody))).await;
    let other = |asked: &Asked| {
        let head = format!("{JSON}x-service-name: bank-1\r\n");
        http_answer("200 OK", &head, &yes_to_all(asked))
    };
    is_never_a_vote(&pair, "another bank's yes", Lie::Instead(Box::new(other))).await;
    // The right name at the door, and inside another participant answers.
    let inside = |asked: &Asked| {
        let head = format!("{JSON}x-service-name: bank-2\r\n");
        let body = yes_to_all(asked).replace("bank-2", "bank-1");
        http_answer("200 OK", &head, &body)
    };
    is_never_a_vote(&pair, "a yes for another", Lie::Instead(Box::new(inside))).await;
    // Followed, it would lead to the true bank, which would promise.
    let bank = pair.bank.url(ACCOUNTS_2);
    let redirect = move |asked: &Asked| {
        let path = asked.line.split(' ').nth(1).unwrap_or("/");
        let head = format!("location: {bank}{path}\r\nx-service-name: bank-2\r\n");
        http_answer("307 Temporary Redirect", &head, "")
    };
    is_never_a_vote(&pair, "a redirect", Lie::Instead(Box::new(redirect))).await;
    pair.has_moved(1).await;
    pair.bank.stop().await;
}

/// The bank does what it is asked, and the coordinator hears something else; then the truth.
async fn is_asked_again(pair: &Pair, what: &str, lie: Lie) {
    let impostor = deceive(pair, lie).await;
    let sent = pair.send("1", what);
    let id = eventually("the bank has promised, unheard", || async {
        let (id, _) = pair.bank.newest_transaction().await?;
        let branch = pair.bank.branch(ACCOUNTS_2, &id).await;
        (branch.as_deref() == Some("PREPARED") && impostor.lies() > 1).then_some(id)
    })
    .await;
    tell_the_truth(pair);
    let answer = sent.await.unwrap().unwrap();
    assert_eq!(
        answer.body["status"], "committed",
        "{what}: {}",
        answer.body
    );
    assert_eq!(answer.transaction_id(), id);
    pair.bank.settles().await;
    assert!(pair.committed(what, "1").await);
}

#[tokio::test]
async fn case_41_a_lost_answer_is_unknown_and_asked_for_again() {
    let pair = Pair::start(|options| {
        // Long enough to hear the truth, however busy the machine.
        options.setting("TRANSACTIONS_PREPARE_DEADLINE_MS", 20_000)
    })
    .await;
    is_asked_again(&pair, "cut off", Lie::CutOff).await;
    let html = http_answer("200 OK", "content-type: text/html\r\n", "<h1>Welcome</h1>");
    is_asked_again(&pair, "a page after success", Lie::After(html)).await;
    let fault = http_answer(
        "500 Internal Server Error",
        "x-service-name: bank-2\r\n",
        "",
    );
    is_asked_again(&pair, "500 after success", Lie::After(fault)).await;
    pair.has_moved(4).await;
    pair.bank.stop().await;
}

#[tokio::test]
async fn case_41_a_lost_acknowledgement_is_asked_for_again_and_books_once() {
    let pair = Pair::start(|options| options).await;
    let bank = &pair.bank;
    bank.arm(TRANSACTIONS, "after_decide", tests::Failpoint::Pause)
        .await;
    let sent = pair.send("1", "unheard");
    bank.waits_at(TRANSACTIONS, "after_decide").await;
    let fault = http_answer(
        "500 Internal Server Error",
        "x-service-name: bank-2\r\n",
        "",
    );
    let impostor = deceive(&pair, Lie::After(fault)).await;
    bank.disarm(TRANSACTIONS, "after_decide").await;
    let late = sent.await.unwrap().unwrap();
    assert_eq!(late.body["settled"], false, "{}", late.body);
    eventually("COMMIT was carried out twice, unheard", || async {
        (impostor.lies() > 1).then_some(())
    })
    .await;
    pair.branch_is(ACCOUNTS_2, late.transaction_id(), "COMMITTED")
        .await;
    pair.branch_is(ACCOUNTS, late.transaction_id(), "COMMITTED")
        .await;
    tell_the_truth(&pair);
    bank.settles().await;
    assert!(pair.committed("unheard", "1").await);
    pair.has_moved(2).await;
    pair.bank.stop().await;
}
