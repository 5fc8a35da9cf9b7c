//! Looking back: lists, filters, pages, and who may see what.

use serde_json::Value;
use tests::{Actor, TestBank};

use crate::seed::{ALICE, ALICE_2, BOB, CAROL};

async fn list(actor: &Actor, query: &str) -> Value {
    actor
        .get_transactions(&format!("/transfers{query}"))
        .await
        .expect(200)
}

fn ids(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap().iter();
    items
        .map(|item| item["transaction_id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn everybody_sees_their_own_history_in_pages_and_tellers_see_all() {
    let bank = TestBank::start().await;
    let (alice, bob) = (bank.alice().await, bank.actor("bob-customer").await);
    let (carol, teller) = (bank.actor("carol-customer").await, bank.teller().await);
    let mut made = Vec::new();
    for number in 0..5 {
        let done = alice
            .transfer(ALICE, BOB, "1", &format!("a{number}"))
            .await
            .unwrap();
        made.insert(
            0,
            done.expect(201)["transaction_id"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    let own = alice
        .transfer(ALICE, ALICE_2, "1", "own")
        .await
        .unwrap()
        .expect(201);
    made.insert(0, own["transaction_id"].as_str().unwrap().to_owned());
    let refused = bob.transfer(BOB, CAROL, "100000", "refused").await.unwrap();
    made.insert(0, refused.transaction_id().to_owned());
    bank.settles().await;

    assert_eq!(ids(&list(&teller, "").await), made, "newest first");
    assert_eq!(ids(&list(&alice, "").await), made[1..]);
    assert_eq!(
        ids(&list(&bob, "").await),
        [&made[..1], &made[2..]].concat()
    );
    assert_eq!(ids(&list(&carol, "").await), made[..1]);
    let committed = format!("?account_id={BOB}&status=committed");
    assert_eq!(ids(&list(&teller, &committed).await), made[2..]);
    assert_eq!(ids(&list(&teller, "?status=aborted").await), made[..1]);
    let none = list(&carol, &format!("?account_id={ALICE}")).await;
    assert!(
        ids(&none).is_empty(),
        "an account of somebody else shows nothing of theirs"
    );

    let at = list(&teller, &format!("?account_id={ALICE_2}")).await["items"][0]["created_at"]
        .as_str()
        .unwrap()
        .to_owned();
    let since = ids(&list(&teller, &format!("?from={at}")).await);
    assert_eq!(since, made[..2]);
    assert_eq!(ids(&list(&teller, &format!("?to={at}")).await), made[2..]);

    let mut pages = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = list(&teller, &format!("?limit=3{cursor}")).await;
        pages.extend(ids(&page));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(pages, made, "the pages are the list");
    for bad in [
        "?limit=-1",
        "?limit=0",
        "?limit=1000000000",
        "?cursor=x",
        "?status=done",
        "?x=1",
    ] {
        let answer = teller.get_transactions(&format!("/transfers{bad}")).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code()),
            (422, "invalid_parameter"),
            "{bad}"
        );
    }
    let braced = teller
        .get_transactions("/transfers?account_id=%7B%7D")
        .await;
    assert_eq!(braced.status, 400);
    bank.stop().await;
}
