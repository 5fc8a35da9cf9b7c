//! Random sequences of messages, told to three participants: one written down from the protocol's
//! tables alone, the pure functions that production runs, and production itself over PostgreSQL.
//! They must agree on every answer, and on every branch, hold, lock, balance and hazard.
//!
//! `SEQUENCES_SEED` repeats a run; a sequence that fails is made as short as it can be and printed.

mod pure;
mod real;
mod reference;
mod story;

use std::fmt;

use futures_util::{StreamExt, stream};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use service_kit::database::{self, ByKey};
use service_kit::testing::{TestDatabase, run_alone};

use accounts_service::MIGRATIONS;
use accounts_service::participant::Participant;

use two_phase::planted::Bug;

use crate::bank::{bank_1, comparison};
use reference::Reference;
use story::{Reply, Story};

/// What stands on an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    pub balance: i64,
    pub held_debits: i64,
    pub held_credits: i64,
    /// Which transaction has it for itself.
    pub lock: Option<usize>,
    pub entries: i64,
}

/// What one sequence has led to: all answers, and everything that stands at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    pub replies: Vec<Reply>,
    /// By account.
    pub accounts: Vec<Option<Figures>>,
    /// By transaction.
    pub branches: Vec<Option<two_phase::BranchState>>,
    /// Transaction and kind of what was raised.
    pub hazards: Vec<(usize, String)>,
}

const SEQUENCES: usize = 10_000;

/// So many are told to the database side by side: their messages of one kind are one list.
const SIDE_BY_SIDE: usize = 250;

fn seed() -> u64 {
    let seed = std::env::var("SEQUENCES_SEED").ok();
    let seed = seed.map_or_else(rand_seed, |text| text.parse().expect("a number"));
    println!("SEQUENCES_SEED={seed}");
    seed
}

fn rand_seed() -> u64 {
    u64::from(uuid::Uuid::new_v4().as_fields().0)
}

fn runner(seed: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    TestRunner::new_with_rng(Config::default(), rng)
}

/// As a service does with the same setting.
fn plant() {
    if let Ok(name) = std::env::var("ACCOUNTS_PLANTED_BUG") {
        two_phase::planted::plant(Some(name.parse().expect("a planted bug")));
    }
}

type Tree = Box<dyn ValueTree<Value = Story>>;

fn trees(seed: u64) -> impl Iterator<Item = Tree> {
    let (mut runner, stories) = (runner(seed), story::stories().boxed());
    (0..SEQUENCES).map(move |_| stories.new_tree(&mut runner).expect("a sequence"))
}

/// Simplifies a sequence for as long as it still fails, then tells both endings.
fn shrink(mut tree: Tree, mut differs: impl FnMut(&Story) -> Option<String>) -> String {
    let mut shortest = None;
    let mut attempts = 0;
    loop {
        let story = tree.current();
        let goes_on = if let Some(difference) = differs(&story) {
            shortest = Some(format!("{story}\n{difference}"));
            tree.simplify()
        } else {
            tree.complicate()
        };
        attempts += 1;
        if !goes_on || attempts == 500 {
            return shortest.unwrap_or_else(|| "does not fail alone".to_owned());
        }
    }
}

/// What is not as the rules say, in a few lines.
fn difference(expected: &Ending, found: &Ending) -> Option<String> {
    fn unlike<T: PartialEq + fmt::Debug>(what: &str, rules: &[T], found: &[T]) -> String {
        let pairs = rules.iter().zip(found).enumerate();
        let unlike = pairs.filter(|(_, (rules, found))| rules != found);
        let lines = unlike.map(|(number, (rules, found))| {
            format!("{what} {number}: {found:?}, by the rules {rules:?}\n")
        });
        let lines: String = lines.collect();
        if lines.is_empty() && rules != found {
            return format!("{what}: {found:?}, by the rules {rules:?}\n");
        }
        lines
    }
    (expected != found).then(|| {
        [
            unlike("reply", &expected.replies, &found.replies),
            unlike("account", &expected.accounts, &found.accounts),
            unlike("branch", &expected.branches, &found.branches),
            unlike("hazard", &expected.hazards, &found.hazards),
        ]
        .concat()
    })
}

#[test]
fn random_messages_do_to_the_pure_participant_what_the_rules_say() {
    plant();
    let seed = seed();
    let differs = |story: &Story| difference(&Reference::run(story), &pure::run(story));
    for tree in trees(seed) {
        if differs(&tree.current()).is_some() {
            panic!("SEQUENCES_SEED={seed}\n{}", shrink(tree, differs));
        }
    }
}

#[test]
fn random_messages_do_to_the_database_what_the_rules_say() {
    plant();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let (database, pool) = runtime.block_on(async {
        let database = TestDatabase::create().await;
        let pool = database.pool().await;
        database::migrate(&pool, &MIGRATIONS).await.expect("tables");
        (database, pool)
    });
    let participant = {
        let _runtime = runtime.enter();
        Participant::new(ByKey::beside(&pool), bank_1())
    };
    let first = comparison(&bank_1(), &[], &[]);
    let compared = runtime.block_on(participant.compare(first));
    assert!(compared.expect("a comparison").session.is_some());
    let seed = seed();
    let mut trees: Vec<Tree> = trees(seed).collect();
    let stories: Vec<Story> = trees.iter().map(|tree| tree.current()).collect();
    // Two lists at a time, as two cores would have it, on the same clearing accounts.
    let groups: Vec<Vec<Story>> = stories
        .chunks(SIDE_BY_SIDE)
        .map(<[Story]>::to_vec)
        .collect();
    let tell = |group: Vec<Story>| {
        let participant = participant.clone();
        tokio::spawn(async move { real::run(&participant, &group).await })
    };
    let endings: Vec<Vec<Ending>> = runtime.block_on(async {
        let tellings = stream::iter(groups).map(tell).buffered(2);
        tellings
            .map(|group| group.expect("no panic"))
            .collect()
            .await
    });
    let endings: Vec<Ending> = endings.into_iter().flatten().collect();
    for (index, ending) in endings.iter().enumerate() {
        if difference(&Reference::run(&stories[index]), ending).is_some() {
            let tell_again = |story: &Story| {
                let story = std::slice::from_ref(story);
                let found = runtime.block_on(real::run(&participant, story));
                difference(&Reference::run(&story[0]), &found[0])
            };
            let shortest = shrink(trees.swap_remove(index), tell_again);
            panic!("SEQUENCES_SEED={seed}\n{shortest}");
        }
    }
    runtime.block_on(real::assert_sound(&pool));
    drop(database);
}

/// The pure test once more, in a process of its own for each mistake, which it must find.
#[test]
fn random_messages_find_the_planted_bugs_of_the_pure_participant() {
    for bug in [
        Bug::NoTombstone,
        Bug::ContradictionAccepted,
        Bug::HazardAcknowledged,
        Bug::MixedNotTold,
        Bug::UncommittedCreditSpendable,
        Bug::DebitWithoutHold,
        Bug::ReleaseForgetsHold,
        Bug::LockNotChecked,
        Bug::VersionRaisedOnce,
        Bug::ChangesNotSummed,
    ] {
        let check = "sequences::random_messages_do_to_the_pure_participant_what_the_rules_say";
        let (passed, printed) = run_alone(check, Some(("ACCOUNTS_PLANTED_BUG", bug.name())));
        assert!(!passed, "{bug:?} went unnoticed");
        // A mistake may also keep a promised branch from being finished.
        let words = ["by the rules", "it was promised"];
        let seen = words.iter().any(|words| printed.contains(words));
        assert!(seen, "{bug:?}: {}", printed);
    }
}
