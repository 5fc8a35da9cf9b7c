//! The steps, their answers, and every fault at every step over banks in memory.

use std::collections::BTreeMap;

use saga::memory::MemoryPerformer;
use saga::testing::{Subject, Trials};
use types::{AccountId, TransactionId};

use super::*;
use crate::record::PlacedLeg;

const REFUSED: Option<StepAnswer> = Some(StepAnswer::Refused {
    code: Code::AccountFrozen,
});
const NOT_NOW: Option<StepAnswer> = Some(StepAnswer::NotNow {
    code: Code::AccountLocked,
});
const DONE: Option<StepAnswer> = Some(StepAnswer::Done);

fn verdict(answers: &[Option<StepAnswer>]) -> (saga::Verdict, bool) {
    let (verdict, state) = together(answers).split();
    (verdict, state.is_some())
}

#[test]
fn several_answers_come_to_one() {
    use saga::Verdict::{Done, NotNow, Refused, RefusedInPart, Unknown};
    let frozen = || Reason::fixed("account_frozen");
    let locked = || Reason::fixed("account_locked");
    let silent = || saga::executor::NO_ANSWER;
    for (answers, expected) in [
        (&[DONE, DONE][..], Done),
        (&[DONE, NOT_NOW], NotNow(locked())),
        (&[None, NOT_NOW], Unknown(silent())),
        (&[DONE, None], Unknown(silent())),
        (&[REFUSED], Refused(frozen())),
        (&[REFUSED, REFUSED], Refused(frozen())),
        (&[REFUSED, DONE], RefusedInPart(frozen())),
        (&[None, REFUSED], RefusedInPart(frozen())),
        (&[NOT_NOW, REFUSED], RefusedInPart(frozen())),
    ] {
        assert_eq!(verdict(answers), (expected, false), "{answers:?}");
    }
}

fn leg(bank: &str, amount: &str) -> PlacedLeg {
    PlacedLeg {
        account_id: AccountId::generate(),
        change: amount.parse().expect("a change"),
        transfer_index: 0,
        participant: Some(bank.parse().expect("a bank")),
    }
}

/// From two accounts of bank-1 to one of bank-2 and one of bank-3.
fn transaction() -> NewTransaction {
    NewTransaction {
        transaction_id: TransactionId::generate(),
        currency: Some("EUR".parse().expect("a currency")),
        legs: vec![
            leg("bank-1", "-3"),
            leg("bank-2", "4"),
            leg("bank-1", "-2"),
            leg("bank-3", "1"),
        ],
        descriptions: vec![None],
        linked: false,
        protocol: types::views::Protocol::Saga,
        debits_owned_by: None,
        request_id: String::new(),
        created_at: chrono::Utc::now(),
        refused: None,
    }
}

fn state() -> Transfer {
    let begun = begin(&transaction()).expect("a saga");
    serde_json::from_str(&begun.record.state).expect("its state")
}

/// What each bank has: in transit, reserved, released; by step and bank.
type Ledger = BTreeMap<(&'static str, String), i32>;

#[derive(Default)]
struct Memory(BTreeMap<ParticipantId, MemoryPerformer<Ledger>>);

impl Perform for Memory {
    async fn perform(&self, step: StepKind, call: Call<Transfer>) -> Answer<Transfer> {
        let mut answers = Vec::new();
        for (bank, _) in call.state.messages(step, &call) {
            let performer = self.0.get(&bank).expect("a bank");
            let change = if call.undoes.is_some() { -1 } else { 1 };
            let answer = performer.perform::<Transfer>(&call, |ledger| {
                *ledger.entry((step.as_str(), bank.to_string())).or_default() += change;
                Answer::Done
            });
            answers.push(match answer.await.split().0 {
                saga::Verdict::Done => DONE,
                saga::Verdict::Refused(_) => REFUSED,
                _ => None,
            });
        }
        together(&answers)
    }
}

struct ThreeBanks;

impl Subject for ThreeBanks {
    type State = Transfer;
    type World = Memory;

    async fn world(&self) -> Memory {
        let banks = ["bank-1", "bank-2", "bank-3"];
        let bank = |name: &str| (name.parse().expect("a bank"), MemoryPerformer::default());
        Memory(banks.map(bank).into())
    }

    fn definition(&self, world: &Arc<Memory>) -> Definition<Transfer> {
        definition(Options::default(), world).expect("a definition")
    }

    fn state(&self) -> Transfer {
        state()
    }

    async fn check(&self, world: &Memory, _: SagaId, ended: saga::Status) -> Result<(), String> {
        let mut all = Ledger::new();
        for performer in world.0.values() {
            all.extend(performer.world().await);
        }
        all.retain(|_, times| *times != 0);
        let mut expected = Ledger::new();
        if ended == saga::Status::Committed {
            expected.insert(("debit", "bank-1".to_owned()), 1);
            for step in ["credit", "release"] {
                for bank in ["bank-1", "bank-2", "bank-3"] {
                    expected.insert((step, bank.to_owned()), 1);
                }
            }
        }
        if all == expected {
            Ok(())
        } else {
            Err(format!("{all:?}"))
        }
    }
}

#[tokio::test]
async fn every_fault_at_every_step_over_three_banks_ends_clean() {
    let report = Trials::new(ThreeBanks).run().await;
    report.assert_clean();
}

#[test]
fn what_begins_is_what_the_definition_would_begin() {
    let definition = definition(Options::default(), &Arc::new(Memory::default()));
    let definition = definition.expect("a definition");
    assert_eq!(definition.shape(), SHAPE);
    let transaction = transaction();
    let begun = begin(&transaction).expect("a saga");
    let state = serde_json::from_str(&begun.record.state).expect("its state");
    let again = definition.begin(begun.saga_id, &state).expect("a saga");
    assert_eq!(begun, again);
    assert_eq!(begun.saga_id.uuid(), transaction.transaction_id.uuid());
}

#[test]
fn only_banks_with_debits_are_asked_to_debit_and_every_bank_for_the_rest() {
    let state = state();
    let call = Call {
        saga_id: SagaId::generate(),
        operation_id: saga::OperationId::from_uuid(uuid::Uuid::from_u128(1)),
        undoes: None,
        attempt: 1,
        state: Arc::new(state.clone()),
    };
    let banks = |step| {
        let messages = state.messages(step, &call).into_iter();
        messages
            .map(|(bank, _)| bank.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(banks(StepKind::Debit), ["bank-1"]);
    assert_eq!(banks(StepKind::Credit), ["bank-1", "bank-2", "bank-3"]);
    assert_eq!(banks(StepKind::Release), ["bank-1", "bank-2", "bank-3"]);
    let debit = &state.messages(StepKind::Debit, &call)[0].1;
    assert_eq!(debit.legs.len(), 2);
    assert_eq!(debit.shares.len(), 3);
    assert_eq!(debit.transaction_id.uuid(), call.saga_id.uuid());
}

#[test]
fn a_write_of_the_log_decides_the_transfer_where_the_release_is_asked_for_or_it_turns_back() {
    let write = |events: &[Event]| LogWrite {
        saga_id: SagaId::generate(),
        epoch: 1,
        after: 1,
        snapshot: saga::Snapshot::new(SHAPE),
        state: None,
        attempts: 1,
        entries: events
            .iter()
            .map(|event| saga::store::Entry {
                sequence: 2,
                event: event.clone(),
            })
            .collect(),
    };
    let turned = |reason| Event::TurnedBack {
        reason: Reason::fixed(reason),
    };
    let aborted = |code| Some((Status::Aborted, Some(code)));
    for (events, decided, settled) in [
        (vec![Event::ActionStarted { step: 1 }], None, false),
        (
            vec![
                Event::ActionDone { step: 1 },
                Event::ActionStarted { step: 2 },
            ],
            Some((Status::Committed, None)),
            false,
        ),
        (vec![Event::Committed], None, true),
        (
            vec![turned("insufficient_funds"), Event::Compensated],
            aborted(Code::InsufficientFunds),
            true,
        ),
        (
            vec![turned("saga_timed_out")],
            aborted(Code::ParticipantUnavailable),
            false,
        ),
    ] {
        let read = meaning(&write(&events));
        assert_eq!(
            (read.decided, read.settled),
            (decided, settled),
            "{events:?}"
        );
    }
}
