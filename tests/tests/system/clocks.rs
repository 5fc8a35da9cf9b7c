//! Clocks that jump, and messages from another time.

use stack::{ClusterChoice, Options};
use tests::{ACCOUNTS, CUSTOMER, Clock, Failpoint, Flow, ORDERS, TRANSACTIONS, TestBank};

use crate::seed::{ALICE, BOB};

const HOUR: i64 = 3_600;
const SERVICES: [&str; 3] = [CUSTOMER, ACCOUNTS, TRANSACTIONS];

/// A bank that lives by two clocks: its services by one, their database by the other.
pub(crate) struct Clocks {
    services: Clock,
    database: Clock,
}

impl Clocks {
    pub(crate) fn find() -> Option<Self> {
        Some(Self {
            services: Clock::find()?,
            database: Clock::find()?,
        })
    }

    pub(crate) fn wind(&self, mut options: Options) -> Options {
        options.cluster = ClusterChoice::Private;
        let orders = options.orders.then_some(ORDERS);
        for service in SERVICES.into_iter().chain(orders) {
            for (name, value) in self.services.environment() {
                options = options.setting_for(service, &name, value);
            }
        }
        for (name, value) in self.database.environment() {
            options = options.setting_for("postgres", &name, value);
        }
        options
    }

    /// Sets both, in seconds beside the true time.
    pub(crate) fn set(&self, services: i64, database: i64) {
        self.services.ahead(services);
        self.database.ahead(database);
    }
}

/// One transfer of 10 is undecided while the clocks jump; the coordinator then goes on, or dies, or
/// fails and has to notice by itself.
async fn jump(bank: &TestBank, clocks: &Clocks, to: (i64, i64), then: &str) -> bool {
    let key = format!("{then}-{}-{}", to.0, to.1);
    let (alice, sent_key) = (bank.alice().await, key.clone());
    let action = if then == "fails" {
        Failpoint::Fail
    } else {
        Failpoint::Pause
    };
    if then == "fails" {
        // It begins under the clocks as they are then.
        clocks.set(to.0, to.1);
        bank.log_in_anew();
    }
    let alice = if then == "fails" {
        bank.alice().await
    } else {
        alice
    };
    bank.arm(TRANSACTIONS, "before_decide", action).await;
    let mut sent = tokio::spawn({
        let alice = alice.clone();
        async move { alice.transfer(ALICE, BOB, "10", &sent_key).await }
    });
    if then != "fails" {
        let reached = bank.waits_at(TRANSACTIONS, "before_decide");
        tokio::select! {
            () = reached => {}
            answer = &mut sent => panic!("{key}: {:?}", answer.unwrap()),
        }
        clocks.set(to.0, to.1);
        // Tokens of an hour ago, or of the future, are nobody's any more.
        bank.log_in_anew();
    }
    match then {
        "dies" => {
            bank.kill(TRANSACTIONS).await;
            bank.restart(TRANSACTIONS).await;
        }
        "goes-on" => bank.disarm(TRANSACTIONS, "before_decide").await,
        _ => {}
    }
    let answer = sent.await.unwrap();
    bank.settles().await;
    let again = bank.alice().await.transfer(ALICE, BOB, "10", &key).await;
    let again = again.unwrap();
    let committed = again.body["status"] == "committed";
    assert!(
        committed || again.body["transaction_status"] == "aborted",
        "{key}: {}",
        again.body
    );
    let said = answer.map(|answer| answer.body["status"] == "committed");
    assert!(
        committed || said.is_ok_and(|said| !said) || then == "dies",
        "{key}"
    );
    // A new transfer works under the new clocks.
    let key = format!("after-{key}");
    let after = bank
        .alice()
        .await
        .transfer(ALICE, BOB, "10", &key)
        .await
        .unwrap();
    assert_eq!(after.body["status"], "committed", "{key}: {}", after.body);
    committed
}

/// Both directions, together and apart.
const JUMPS: [(i64, i64); 6] = [
    (HOUR, HOUR),
    (0, 0),
    (0, HOUR),
    (0, -HOUR),
    (HOUR, 0),
    (-HOUR, 0),
];

async fn every_jump(then: &str) {
    let Some(clocks) = Clocks::find() else {
        return;
    };
    let bank = TestBank::start_with(|options| clocks.wind(options)).await;
    let mut moved = 0;
    for to in JUMPS {
        moved += 1 + i64::from(jump(&bank, &clocks, to, then).await);
    }
    bank.settles().await;
    let teller = bank.teller().await;
    assert_eq!(
        teller.balance(ALICE).await,
        format!("{}.00", 1_000 - 10 * moved)
    );
    bank.stop().await;
}

#[tokio::test]
async fn case_53_clocks_that_jump_an_hour_change_no_outcome() {
    every_jump("goes-on").await;
}

#[tokio::test]
async fn case_53_recovery_works_after_clocks_have_jumped_an_hour() {
    every_jump("dies").await;
}

#[tokio::test]
async fn case_53_a_transfer_whose_driver_failed_is_found_whatever_the_clocks_say() {
    every_jump("fails").await;
}

#[tokio::test]
async fn case_43_a_message_that_is_ten_minutes_old_has_no_effect() {
    let Some(clocks) = Clocks::find() else {
        return;
    };
    let bank = TestBank::start_with_proxies(|options| clocks.wind(options)).await;
    let alice = bank.alice().await;
    alice
        .transfer(ALICE, BOB, "1", "before")
        .await
        .unwrap()
        .expect(201);
    bank.settles().await;
    let link = bank.network().link(TRANSACTIONS, ACCOUNTS);
    let (reached, _) = link.carried();
    link.there(Flow::Hold);
    let refused = alice.transfer(ALICE, BOB, "100", "old").await.unwrap();
    assert_eq!(
        refused.code(),
        "participant_unavailable",
        "{}",
        refused.body
    );
    let id = refused.transaction_id().to_owned();
    assert_eq!(bank.branch(ACCOUNTS, &id).await, None);
    assert_eq!(link.carried().0, reached, "the PREPARE is still on its way");
    clocks.set(600, 600);
    bank.log_in_anew();
    link.heal();
    bank.settles().await;
    let branch = bank.branch(ACCOUNTS, &id).await;
    assert_eq!(branch.as_deref(), Some("ABORTED"));
    assert_eq!(bank.teller().await.balance(ALICE).await, "999.00");
    bank.stop().await;
}
