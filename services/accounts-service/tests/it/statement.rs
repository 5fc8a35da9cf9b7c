//! Statements: pages and files.

use reqwest::Method;
use serde_json::json;

use crate::bank::{ALICE_1, Bank, CAROL_1, send};

#[tokio::test]
async fn a_statement_is_read_page_by_page_newest_first() {
    let bank = Bank::start().await;
    let (teller, path) = (bank.teller(), format!("/accounts/{CAROL_1}"));
    for amount in 1..=4 {
        let cash = json!({"amount": amount});
        teller.post(&format!("{path}/deposits"), &cash).await;
    }
    let (mut seen, mut query) = (Vec::new(), "limit=2".to_owned());
    loop {
        let page = teller.get(&format!("{path}/entries?{query}")).await;
        let items = page.body["items"].as_array().expect("items").clone();
        seen.extend(items.iter().map(|entry| entry["version"].clone()));
        match page.body["next_cursor"].as_str() {
            Some(cursor) => query = format!("limit=2&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(json!(seen), json!([5, 4, 3, 2, 1]));
    let bad = teller.get(&format!("{path}/entries?cursor=x")).await;
    assert_eq!(bad.refusal(), (422, "invalid_parameter"));
}

#[tokio::test]
async fn a_statement_can_be_had_as_a_file_that_no_spreadsheet_executes() {
    let bank = Bank::start().await;
    let deposits = format!("/accounts/{ALICE_1}/deposits");
    let formula = json!({"amount": "5", "description": "=HYPERLINK(\"http://x\")"});
    bank.teller().post(&deposits, &formula).await;
    let path = format!("/accounts/{ALICE_1}/entries");
    let request = bank.alice().request(Method::GET, &path);
    let reply = send(request.header("accept", "text/csv")).await;
    assert_eq!(reply.status, 200);
    assert!(reply.header("content-type").starts_with("text/csv"));
    assert!(reply.header("content-disposition").contains("attachment"));
    let text = String::from_utf8(reply.bytes).expect("UTF-8");
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!(lines.len(), 4, "{text}");
    assert!(lines[0].starts_with("entry_id,account_id,version,"));
    assert!(lines[1].contains(",deposit,5.00,1005.00,\"'=HYPERLINK(\"\"http://x\"\")\","));
    assert!(lines[2].contains(",opening,1000.00,1000.00,,"));
}

#[tokio::test]
async fn a_long_statement_is_sent_whole() {
    let bank = Bank::start().await;
    let list: Vec<_> = (0..1_200)
        .map(|_| crate::bank::transfer(ALICE_1, CAROL_1, "0.5"))
        .collect();
    let ids: Vec<_> = list.iter().map(|wish| wish.transaction_id).collect();
    bank.participant.prepare(list).await;
    let commits = ids
        .iter()
        .map(|id| (*id, two_phase::message::Outcome::Commit));
    bank.participant.decide(commits.collect()).await;
    let path = format!("/accounts/{CAROL_1}/entries");
    let request = bank.teller().request(Method::GET, &path);
    let reply = send(request.header("accept", "text/csv;q=0.9, */*;q=0.1")).await;
    let text = String::from_utf8(reply.bytes).expect("UTF-8");
    assert_eq!(text.lines().count(), 1 + 1_201);
    bank.assert_at_rest().await;
}
