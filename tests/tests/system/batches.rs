//! Many transfers in one request.

use serde_json::{Value, json};
use tests::{ACCOUNTS, Failpoint, TRANSACTIONS, TestBank, eventually};

use crate::seed::{ALICE, ALICE_2, BOB};

fn transfer(source: &str, destination: &str, amount: &str) -> Value {
    json!({"source_account_id": source, "destination_account_id": destination, "amount": amount})
}

#[tokio::test]
async fn case_60_one_refusal_in_a_batch_of_fifty_leaves_the_others_alone() {
    let bank = TestBank::start().await;
    let (alice, teller) = (bank.alice().await, bank.teller().await);
    let mut transfers = vec![transfer(ALICE, BOB, "1"); 50];
    transfers[20] = transfer(ALICE_2, BOB, "100000");
    let answer = alice
        .batch(&transfers, false, "fifty")
        .await
        .unwrap()
        .expect(200);
    let results = answer["results"].as_array().unwrap();
    assert_eq!(results.len(), 50);
    for (index, result) in results.iter().enumerate() {
        assert_eq!(result["index"], index);
        if index == 20 {
            assert_eq!(result["status"], "aborted");
            assert_eq!(result["code"], "insufficient_funds");
        } else {
            assert_eq!(result["status"], "committed", "{result}");
        }
    }
    assert_eq!(teller.balance(ALICE).await, "951.00");
    let again = alice.batch(&transfers, false, "fifty").await.unwrap();
    assert!(again.replayed);
    assert_eq!(again.expect(200), answer);
    bank.settles().await;
    bank.stop().await;
}

#[tokio::test]
async fn case_61_killed_in_the_middle_of_a_batch_all_of_a_list_is_prepared_or_none() {
    let bank = TestBank::start().await;
    let (alice, teller) = (bank.alice().await, bank.teller().await);
    bank.arm(ACCOUNTS, "before_prepare_commit", Failpoint::Abort)
        .await;
    let asked = tokio::spawn({
        let alice = alice.clone();
        async move {
            alice
                .batch(&vec![transfer(ALICE, BOB, "1"); 50], false, "killed")
                .await
        }
    });
    bank.died(ACCOUNTS).await;
    let prepared: i64 = sqlx::query_scalar("SELECT count(*) FROM branches")
        .fetch_one(&bank.database(ACCOUNTS).await)
        .await
        .unwrap();
    assert_eq!(prepared, 0, "none of the list is durable");
    bank.restart(ACCOUNTS).await;
    drop(asked.await.unwrap());
    bank.settles().await;
    let again = alice
        .batch(&vec![transfer(ALICE, BOB, "1"); 50], false, "killed")
        .await
        .unwrap();
    let again = again.expect(200);
    let done = again["results"].as_array().unwrap().iter();
    let done = done
        .filter(|result| result["status"] == "committed")
        .count();
    assert_eq!(teller.balance(ALICE).await, format!("{}.00", 1000 - done));
    bank.stop().await;
}

#[tokio::test]
async fn a_linked_batch_is_all_or_none() {
    let bank = TestBank::start().await;
    let (alice, teller) = (bank.alice().await, bank.teller().await);
    let poor = vec![transfer(ALICE, BOB, "1"), transfer(ALICE_2, BOB, "100000")];
    let refused = alice.batch(&poor, true, "poor").await.unwrap();
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (422, "insufficient_funds")
    );
    let results = refused.body["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    assert_eq!(refused.body["transaction_id"], results[0]["transaction_id"]);
    assert_eq!(refused.body["transaction_status"], "aborted");
    assert_eq!(refused.body["retry"], "new_key");
    let again = alice.batch(&poor, true, "poor").await.unwrap();
    assert!(again.replayed);
    assert_eq!((again.status, again.body), (refused.status, refused.body));
    assert_eq!(teller.balance(ALICE).await, "1000.00");
    // On the net per account: the money may come from the batch itself.
    let carousel = vec![
        transfer(ALICE, ALICE_2, "900"),
        transfer(ALICE_2, ALICE, "1200"),
    ];
    let done = alice
        .batch(&carousel, true, "net")
        .await
        .unwrap()
        .expect(200);
    let ids: Vec<&Value> = done["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| &result["transaction_id"])
        .collect();
    assert_eq!(ids[0], ids[1], "one transaction");
    bank.settles().await;
    assert_eq!(teller.balance(ALICE).await, "1300.00");
    assert_eq!(teller.balance(ALICE_2).await, "200.00");
    bank.stop().await;
}

#[tokio::test]
async fn case_105_a_linked_batch_killed_at_each_point_is_all_or_none() {
    let bank = TestBank::start_two_banks().await;
    let (alice, teller) = (bank.alice().await, bank.second_teller().await);
    let there = teller.open_account("0", json!({})).await;
    let first = bank.teller().await;
    let mut expected = 0;
    for point in ["after_begin", "after_votes", "after_decide", "after_acks"] {
        let transfers = vec![transfer(ALICE, &there, "1"), transfer(ALICE_2, BOB, "1")];
        bank.arm(TRANSACTIONS, point, Failpoint::Abort).await;
        assert!(alice.batch(&transfers, true, point).await.is_err());
        bank.died(TRANSACTIONS).await;
        bank.restart(TRANSACTIONS).await;
        bank.settles().await;
        let again = alice.batch(&transfers, true, point).await.unwrap();
        assert!(again.replayed, "{point}");
        if again.status == 200 {
            expected += 1;
        } else {
            assert_eq!(again.code(), "aborted_by_recovery", "{point}");
        }
        assert_eq!(
            teller.balance(&there).await,
            format!("{expected}.00"),
            "{point}"
        );
        assert_eq!(
            first.balance(BOB).await,
            format!("{}.00", 750 + expected),
            "{point}"
        );
    }
    assert_eq!(
        expected, 2,
        "committed after the decision, aborted before it"
    );
    bank.stop().await;
}

#[tokio::test]
async fn case_115_a_batch_killed_and_repeated_under_its_key_has_the_same_results() {
    let bank = TestBank::start().await;
    let (alice, teller) = (bank.alice().await, bank.teller().await);
    let mut transfers = vec![transfer(ALICE, BOB, "1"); 30];
    transfers[3] = transfer(ALICE_2, BOB, "100000");
    transfers[4] = transfer(BOB, ALICE, "1");
    bank.arm(TRANSACTIONS, "before_client_reply", Failpoint::Abort)
        .await;
    assert!(alice.batch(&transfers, false, "killed").await.is_err());
    bank.died(TRANSACTIONS).await;
    bank.restart(TRANSACTIONS).await;
    let results = eventually("the repetition is answered", || async {
        let answer = alice.batch(&transfers, false, "killed").await.ok()?;
        (answer.status == 200).then_some(answer.body)
    })
    .await;
    bank.settles().await;
    let again = alice
        .batch(&transfers, false, "killed")
        .await
        .unwrap()
        .expect(200);
    assert_eq!(again, results);
    assert_eq!(results["results"][3]["code"], "insufficient_funds");
    assert_eq!(results["results"][4]["code"], "account_not_found");
    assert_eq!(results["results"][4]["transaction_id"], Value::Null);
    let done = results["results"].as_array().unwrap().iter();
    let done = done
        .filter(|result| result["status"] == "committed")
        .count();
    assert_eq!(done, 28);
    assert_eq!(teller.balance(ALICE).await, "972.00");
    bank.stop().await;
}

#[tokio::test]
async fn a_thousand_transfers_with_long_descriptions_fit_even_many_at_once() {
    let bank = TestBank::start_patient(|options| options).await;
    let (alice, teller) = (bank.alice().await, bank.teller().await);
    let mut wish = transfer(ALICE, BOB, "0.01");
    // 200 characters of four bytes each.
    wish["description"] = Value::from("\u{1f4b6}".repeat(200));
    let batch = vec![wish; 1_000];
    let asked = ["one", "two", "three"].map(|key| {
        let (alice, batch) = (alice.clone(), batch.clone());
        tokio::spawn(async move { alice.batch(&batch, true, key).await })
    });
    for asked in asked {
        asked.await.unwrap().unwrap().expect(200);
    }
    let done = alice.batch(&batch, false, "large").await.unwrap();
    let done = done.expect(200);
    let mut results = done["results"].as_array().unwrap().iter();
    assert!(results.all(|result| result["status"] == "committed"));
    let short = alice.batch(&batch[..0], false, "none").await.unwrap();
    assert_eq!((short.status.as_u16(), short.code()), (422, "invalid_body"));
    let long = vec![transfer(ALICE, BOB, "0.01"); 1_001];
    let long = alice.batch(&long, false, "too-many").await.unwrap();
    assert_eq!((long.status.as_u16(), long.code()), (422, "invalid_body"));
    bank.settles().await;
    assert_eq!(teller.balance(ALICE).await, "960.00");
    bank.stop().await;
}
