//! A payment and its refund come in any order, or at once: in the end nothing is paid.

use serde_json::{Value, json};
use tests::{Failpoint, SECOND_COORDINATOR, TRANSACTIONS, TestBank, eventually};

use crate::desk::Desk;
use crate::seed::ALICE;

#[tokio::test]
async fn case_107_a_refund_that_overtakes_its_payment_leaves_nothing_to_pay() {
    let desk = Desk::start().await;
    desk.bank
        .arm(TRANSACTIONS, "before_begin", Failpoint::Pause)
        .await;
    let late = tokio::spawn(desk.pay(TRANSACTIONS, "late", "100"));
    desk.bank.waits_at(TRANSACTIONS, "before_begin").await;
    let closed = desk.close(TRANSACTIONS, "late").await.expect(200);
    let nothing = json!({"outcome": "closed", "transaction_id": null, "reversal_id": null});
    assert_eq!(closed, nothing);
    desk.bank.disarm(TRANSACTIONS, "before_begin").await;
    let refused = late.await.unwrap();
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (409, "operation_closed")
    );
    // Nor any later, whoever asks again.
    let again = desk.pay(TRANSACTIONS, "late", "100").await;
    assert_eq!(
        (again.status.as_u16(), again.code()),
        (409, "operation_closed")
    );
    assert_eq!(desk.close(TRANSACTIONS, "late").await.expect(200), nothing);
    assert_eq!(desk.transactions().await, 0);
    desk.balances_are("1000.00", "750.00").await;
    desk.shut().await;
}

#[tokio::test]
async fn case_107_a_payment_under_way_is_waited_for_and_then_taken_back() {
    let desk = Desk::start().await;
    for (point, known) in [("after_begin", "pending"), ("after_votes", "pending")] {
        desk.bank.arm(TRANSACTIONS, point, Failpoint::Pause).await;
        let payment = tokio::spawn(desk.pay(TRANSACTIONS, point, "100"));
        desk.bank.waits_at(TRANSACTIONS, point).await;
        let early = desk.close(TRANSACTIONS, point).await;
        assert_eq!(
            (early.status.as_u16(), early.code()),
            (409, "request_in_progress")
        );
        let (id, status) = desk.bank.newest_transaction().await.unwrap();
        assert_eq!(status, known);
        desk.bank.disarm(TRANSACTIONS, point).await;
        let paid = payment.await.unwrap();
        let closed = desk.closed(TRANSACTIONS, point).await;
        assert_eq!(closed["transaction_id"], id);
        let outcome = if paid.body["status"] == "committed" {
            "reversed"
        } else {
            "aborted"
        };
        assert_eq!(closed["outcome"], outcome, "{}", paid.body);
    }
    desk.balances_are("1000.00", "750.00").await;
    desk.shut().await;
}

#[tokio::test]
async fn case_107_fifty_payments_and_their_refunds_at_once_pay_nothing() {
    let two = async |with: &dyn Fn(stack::Options) -> stack::Options| {
        TestBank::start_patient(|mut options| {
            options.coordinators = 2;
            with(options)
        })
        .await
    };
    let desk = Desk::open(two).await;
    let coordinators = [TRANSACTIONS, SECOND_COORDINATOR];
    let sent: Vec<_> = (0..50)
        .map(|n| {
            let (one, other) = (coordinators[n % 2], coordinators[n / 2 % 2]);
            let key = format!("order-{n}");
            let payment = tokio::spawn(desk.pay(one, &key, "7"));
            let refund = tokio::spawn(desk.close(other, &key));
            (other, key, payment, refund)
        })
        .collect();
    let mut seen = std::collections::BTreeMap::new();
    for (coordinator, key, payment, refund) in sent {
        let paid = payment.await.unwrap();
        let first = refund.await.unwrap();
        assert!(
            [200, 409, 503].contains(&first.status.as_u16()),
            "{}",
            first.body
        );
        let closed = desk.closed(coordinator, &key).await;
        let outcome = closed["outcome"].as_str().unwrap().to_owned();
        match paid.status.as_u16() {
            201 | 202 => assert_eq!(outcome, "reversed", "{key}"),
            409 if paid.code() == "operation_closed" => assert_eq!(outcome, "closed", "{key}"),
            // Refused for good, or nobody knew: the closing knows.
            _ => assert!(paid.status.as_u16() >= 409, "{key}: {}", paid.body),
        }
        if first.status == 200 {
            assert_eq!(first.body, closed, "what was answered stays so");
        }
        *seen.entry(outcome).or_insert(0) += 1;
    }
    println!("{seen:?}");
    desk.balances_are("1000.00", "750.00").await;
    desk.shut().await;
}

#[tokio::test]
async fn a_payment_is_taken_back_once_however_often_it_is_asked_for() {
    let desk = Desk::start().await;
    let paid = desk.pay(TRANSACTIONS, "once", "100").await.expect(201);
    desk.balances_are("900.00", "850.00").await;
    let refunds: Vec<_> = (0..20)
        .map(|_| tokio::spawn(desk.close(TRANSACTIONS, "once")))
        .collect();
    for refund in refunds {
        let answer = refund.await.unwrap();
        assert!(
            matches!(answer.status.as_u16(), 200 | 409),
            "{}",
            answer.body
        );
    }
    let closed = desk.closed(TRANSACTIONS, "once").await;
    assert_eq!(closed["outcome"], "reversed");
    assert_eq!(closed["transaction_id"], paid["transaction_id"]);
    assert_eq!(desk.transactions().await, 2);
    desk.balances_are("1000.00", "750.00").await;
    // What was answered about the payment stays true: it was made.
    let again = desk.pay(TRANSACTIONS, "once", "100").await;
    assert_eq!(again.expect(201)["transaction_id"], paid["transaction_id"]);
    desk.balances_are("1000.00", "750.00").await;
    desk.shut().await;
}

#[tokio::test]
async fn a_reversal_that_was_refused_is_tried_again() {
    let desk = Desk::start().await;
    desk.pay(TRANSACTIONS, "frozen", "100").await.expect(201);
    let teller = desk.bank.teller().await;
    let status = async |status: &str| {
        let path = format!("/accounts/{ALICE}");
        let body = json!({"status": status});
        let url = format!("{}{path}", desk.bank.url(tests::ACCOUNTS));
        let request = teller.request(reqwest::Method::PATCH, &url).json(&body);
        tests::answer(request).await.unwrap().expect(200);
    };
    status("frozen").await;
    for _ in 0..3 {
        let refused = eventually("the payment is settled", || async {
            let answer = desk.close(TRANSACTIONS, "frozen").await;
            (answer.code() != "request_in_progress").then_some(answer)
        })
        .await;
        assert_eq!(
            (refused.status.as_u16(), refused.code()),
            (422, "account_frozen")
        );
    }
    status("active").await;
    let closed = desk.closed(TRANSACTIONS, "frozen").await;
    assert_eq!(closed["outcome"], "reversed");
    assert_eq!(
        desk.transactions().await,
        5,
        "the payment, three refusals and the reversal"
    );
    desk.balances_are("1000.00", "750.00").await;
    desk.shut().await;
}

#[tokio::test]
async fn a_payment_that_was_refused_is_closed_as_it_is() {
    let desk = Desk::start().await;
    let refused = desk.pay(TRANSACTIONS, "too-much", "5000").await;
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (422, "insufficient_funds")
    );
    let closed = desk.close(TRANSACTIONS, "too-much").await.expect(200);
    assert_eq!(closed["outcome"], "aborted");
    assert_eq!(closed["transaction_id"], refused.transaction_id());
    assert_eq!(closed["reversal_id"], Value::Null);
    // The key of the same name that Alice uses herself is another one.
    let alice = desk.bank.alice().await;
    let own = alice
        .transfer(ALICE, crate::seed::BOB, "1", "too-much")
        .await;
    own.unwrap().expect(201);
    desk.balances_are("999.00", "751.00").await;
    desk.shut().await;
}
