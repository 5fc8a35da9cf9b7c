//! A check that never fails proves nothing: with a bug planted, the checks of this harness must
//! fail.

use tests::TestBank;

use crate::seed::{ALICE, BOB};

#[tokio::test]
async fn a_missing_vote_that_counts_as_yes_is_caught() {
    let bank = TestBank::start_with(|options| {
        options.setting("TRANSACTIONS_PLANTED_BUG", "missing_vote_counts_as_yes")
    })
    .await;
    let alice = bank.alice().await;
    let answer = alice.transfer(ALICE, BOB, "100", "planted").await.unwrap();
    assert_ne!(
        answer.status, 201,
        "no bank has applied it: {}",
        answer.body
    );
    let bank = std::sync::Arc::new(bank);
    let checked = tokio::spawn({
        let bank = std::sync::Arc::clone(&bank);
        async move { bank.settles().await }
    });
    let noticed = checked
        .await
        .expect_err("the invariants notice")
        .into_panic();
    let words = noticed
        .downcast_ref::<String>()
        .cloned()
        .unwrap_or_default();
    assert!(words.contains("has not carried it out"), "{words}");
}
