//! Random sequences of saga steps, in any order, repeated, late and contradictory, told to a bank
//! over PostgreSQL and to a few rules written down from the barrier's table and the steps' meaning
//! alone. They must agree on every answer and on every balance and reservation.
//!
//! `SEQUENCES_SEED` repeats a run.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use two_phase::steps::{Step, StepAnswer, StepKind};
use types::Code;

use crate::bank::{ALICE, BOB, Bank, transfer};
use crate::sagas::{Credit, DONE, Debit, Release, Saga, not_now, refused};

const SEQUENCES: usize = 150;
const SAGAS: usize = 4;
const ACCOUNTS: usize = 3;
/// What each account has in the beginning: enough for some of the sagas.
const OPENING: i64 = 10;

/// One message: which saga, which step, and whether it undoes it.
type Message = (usize, StepKind, bool);

#[derive(Debug, Clone)]
struct Story {
    /// From, to and amount of each saga.
    sagas: Vec<(usize, usize, i64)>,
    lists: Vec<Vec<Message>>,
}

fn stories() -> impl Strategy<Value = Story> {
    let saga = (0..ACCOUNTS, 1..ACCOUNTS, 3..12_i64)
        .prop_map(|(from, step, amount)| (from, (from + step) % ACCOUNTS, amount));
    let step = proptest::sample::select(vec![Debit, Debit, Credit, Credit, Release]);
    let undoes = proptest::sample::select(vec![false, false, true]);
    let message = (0..SAGAS, step, undoes);
    (vec(saga, SAGAS), vec(vec(message, 1..4), 4..14))
        .prop_map(|(sagas, lists)| Story { sagas, lists })
}

/// What the rules know. Nothing of it is the service's.
struct Rules<'a> {
    story: &'a Story,
    /// Booked on, and reserved on each account.
    accounts: [(i64, i64); ACCOUNTS],
    /// The answer to each operation that is over.
    over: BTreeMap<(usize, &'static str, bool), Over>,
    /// Which of its steps stand on the accounts.
    stands: [Stands; SAGAS],
}

#[derive(Clone, Copy, PartialEq)]
enum Over {
    Done,
    Refused(Code),
    Closed,
}

#[derive(Clone, Copy, PartialEq)]
enum Stands {
    Nothing,
    Debit,
    DebitAndCredit,
    All,
    GivenUp,
}

const CONTRADICTED: StepAnswer = not_now(Code::Hazard);

impl<'a> Rules<'a> {
    const fn new(story: &'a Story) -> Self {
        Self {
            story,
            accounts: [(OPENING, 0); ACCOUNTS],
            over: BTreeMap::new(),
            stands: [Stands::Nothing; SAGAS],
        }
    }

    fn tell(&mut self, (saga, step, undoes): Message) -> StepAnswer {
        let operation = (saga, step.as_str(), undoes);
        match self.over.get(&operation) {
            Some(Over::Done) => return DONE,
            Some(Over::Refused(code)) => return refused(*code),
            Some(Over::Closed) => return refused(Code::OperationClosed),
            None => {}
        }
        let answer = if undoes {
            self.undo(saga, step)
        } else {
            self.act(saga, step)
        };
        match answer {
            StepAnswer::Done => self.over.insert(operation, Over::Done),
            StepAnswer::Refused { code } => self.over.insert(operation, Over::Refused(code)),
            StepAnswer::NotNow { .. } => None,
        };
        answer
    }

    fn act(&mut self, saga: usize, step: StepKind) -> StepAnswer {
        let (from, to, amount) = self.story.sagas[saga];
        match (step, self.stands[saga]) {
            (_, Stands::GivenUp) => return refused(Code::OperationClosed),
            (Debit, Stands::Nothing) => {
                let (balance, reserved) = self.accounts[from];
                if balance - reserved < amount {
                    return refused(Code::InsufficientFunds);
                }
                self.accounts[from].0 -= amount;
                self.stands[saga] = Stands::Debit;
            }
            (Credit, Stands::Debit) => {
                self.accounts[to].0 += amount;
                self.accounts[to].1 += amount;
                self.stands[saga] = Stands::DebitAndCredit;
            }
            (Release, Stands::DebitAndCredit) => {
                self.accounts[to].1 -= amount;
                self.stands[saga] = Stands::All;
            }
            _ => return CONTRADICTED,
        }
        DONE
    }

    fn undo(&mut self, saga: usize, step: StepKind) -> StepAnswer {
        let (from, to, amount) = self.story.sagas[saga];
        let action = (saga, step.as_str(), false);
        match (step, self.over.get(&action).copied(), self.stands[saga]) {
            (Release, ..) => return CONTRADICTED,
            (_, None, _) => {
                self.over.insert(action, Over::Closed);
            }
            (_, Some(Over::Refused(_) | Over::Closed), _) => {}
            (Credit, Some(Over::Done), Stands::DebitAndCredit) => {
                self.accounts[to].0 -= amount;
                self.accounts[to].1 -= amount;
                self.stands[saga] = Stands::Debit;
            }
            (Debit, Some(Over::Done), Stands::Debit) => {
                self.accounts[from].0 += amount;
                self.stands[saga] = Stands::GivenUp;
            }
            _ => return CONTRADICTED,
        }
        DONE
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_sequences_of_steps_are_answered_as_the_rules_say() {
    let seed = std::env::var("SEQUENCES_SEED").ok();
    let seed = seed.map_or_else(
        || uuid::Uuid::new_v4().as_fields().0,
        |text| text.parse().expect("a number"),
    );
    println!("SEQUENCES_SEED={seed}");
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let bank = Bank::start().await;
    let stories = stories();
    let mut met = BTreeMap::new();
    for _ in 0..SEQUENCES {
        let story = stories.new_tree(&mut runner).expect("a sequence").current();
        tell(&bank, &story, &mut met).await;
    }
    bank.assert_sound().await;
    // Sequences that never meet a case say nothing about it.
    for answer in ["Done", "InsufficientFunds", "OperationClosed", "Hazard"] {
        let times = met.get(answer).copied().unwrap_or(0);
        assert!(times > 10, "{answer} was answered {times} times: {met:?}");
    }
}

async fn tell(bank: &Bank, story: &Story, met: &mut BTreeMap<String, usize>) {
    let opening = OPENING.to_string();
    let mut accounts = Vec::with_capacity(ACCOUNTS);
    for owner in [ALICE, BOB, ALICE] {
        accounts.push(bank.open(owner, &opening, "escrow").await);
    }
    let sagas: Vec<Saga> = story
        .sagas
        .iter()
        .map(|(from, to, amount)| {
            Saga(transfer(
                &accounts[*from],
                &accounts[*to],
                &amount.to_string(),
            ))
        })
        .collect();
    let mut rules = Rules::new(story);
    for list in &story.lists {
        let steps: Vec<Step> = list
            .iter()
            .map(|(saga, step, undoes)| match undoes {
                false => sagas[*saga].step(*step),
                true => sagas[*saga].undo(*step),
            })
            .collect();
        let expected: Vec<_> = list
            .iter()
            .map(|message| Some(rules.tell(*message)))
            .collect();
        let answers = bank.participant.perform(steps).await;
        assert_eq!(answers, expected, "{list:?} of {story:?}");
        for answer in expected.into_iter().flatten() {
            let word = match answer {
                StepAnswer::Done => "Done".to_owned(),
                StepAnswer::Refused { code } | StepAnswer::NotNow { code } => format!("{code:?}"),
            };
            *met.entry(word).or_default() += 1;
        }
    }
    for (account, (balance, reserved)) in accounts.iter().zip(rules.accounts) {
        let found = bank.reserved(account).await;
        let expected = (format!("{balance}.00"), format!("{reserved}.00"));
        assert_eq!((found.0, found.1), expected, "{account} after {story:?}");
    }
}
