//! Production over PostgreSQL. Many sequences are told at once, each with accounts of its own, so
//! that what arrives in one step forms lists as long as those of a busy bank.

use std::collections::HashMap;

use accounts_service::participant::Participant;
use accounts_service::participant::force::{NotForced, Order};
use accounts_service::store::check;
use rust_decimal::Decimal;
use sqlx::PgPool;
use two_phase::message::{Leg, Outcome, Prepare, Share};
use two_phase::{Acknowledgement, BranchState, Vote};
use types::{
    AccountId, Balance, Change, CustomerId, LegId, ParticipantId, ResolutionId, TransactionId,
};
use uuid::{NoContext, Timestamp, Uuid};

use super::story::{ACCOUNTS, FORGOTTEN, Message, Reply, Story, TRANSACTIONS};
use super::{Ending, Figures};
use crate::bank::{bank_1, bank_2};

/// The ids that one sequence's numbers stand for.
#[derive(Debug, Clone)]
pub struct Names {
    /// In the order of the numbers; the last one is of an account that nobody has opened.
    pub accounts: Vec<AccountId>,
    pub customers: Vec<CustomerId>,
    pub transactions: Vec<TransactionId>,
}

impl Names {
    pub fn with(base: Uuid, transaction: impl Fn(usize) -> TransactionId) -> Self {
        let id = |number: usize| Uuid::from_u128(base.as_u128() & !0xFF | number as u128 | 0x10);
        Self {
            accounts: (0..=ACCOUNTS.len())
                .map(|n| AccountId::from_uuid(id(n)))
                .collect(),
            customers: (0..2).map(|n| CustomerId::from_uuid(id(n))).collect(),
            transactions: (0..TRANSACTIONS).map(transaction).collect(),
        }
    }

    fn fresh() -> Self {
        let long_ago = || {
            let now = chrono::Utc::now().timestamp();
            let then = u64::try_from(now).expect("after 1970") - 8 * 24 * 60 * 60;
            Uuid::new_v7(Timestamp::from_unix(NoContext, then, 0))
        };
        Self::with(Uuid::new_v4(), |number| {
            if number == FORGOTTEN {
                TransactionId::from_uuid(long_ago())
            } else {
                TransactionId::generate()
            }
        })
    }
}

/// Money of the service's kind.
pub fn balance(amount: i64) -> Balance {
    Balance::try_from(Decimal::from(amount)).expect("a balance")
}

fn prepare(transaction_id: TransactionId, currency: &str, legs: Vec<Leg>, own: i64) -> Prepare {
    let share = |participant: ParticipantId, net: i64| Share {
        participant,
        net: balance(net),
    };
    let mut shares = vec![share(bank_1(), own)];
    if own != 0 {
        shares.push(share(bank_2(), -own));
    }
    Prepare {
        transaction_id,
        currency: currency.parse().expect("a currency"),
        legs,
        debits_owned_by: None,
        shares,
        descriptions: Vec::new(),
    }
}

fn leg(account_id: AccountId, change: i64, transfer_index: u16) -> Leg {
    Leg {
        account_id,
        change: Change::try_from(Decimal::from(change)).expect("a change"),
        transfer_index,
    }
}

/// The PREPARE of a transaction, in one of its two versions.
pub fn content(story: &Story, names: &Names, id: usize, variant: usize) -> Prepare {
    let content = &story.contents[id][variant];
    let legs = content.legs.iter();
    let net: i64 = content.legs.iter().map(|leg| leg.change).sum();
    let own = net + i64::from(content.is_unbalanced);
    let legs = legs.map(|l| leg(names.accounts[l.account], l.change, l.transfer_index));
    Prepare {
        debits_owned_by: content.debits_owned_by.map(|owner| names.customers[owner]),
        ..prepare(names.transactions[id], "USD", legs.collect(), own)
    }
}

/// Opens the accounts of all sequences; money comes from the other bank.
async fn open(participant: &Participant, names: &[Names]) {
    let pool = participant.pool();
    let all = || {
        names
            .iter()
            .flat_map(|names| ACCOUNTS.iter().zip(&names.accounts))
    };
    let ids: Vec<Uuid> = all().map(|(_, id)| id.uuid()).collect();
    let owners: Vec<Uuid> = names
        .iter()
        .flat_map(|names| ACCOUNTS.map(|account| names.customers[account.owner].uuid()))
        .collect();
    let currencies: Vec<&str> = all().map(|(account, _)| account.currency).collect();
    let exclusive: Vec<bool> = all().map(|(account, _)| account.is_exclusive).collect();
    let overdrafts: Vec<i64> = all().map(|(account, _)| account.overdraft).collect();
    sqlx::query(
        "INSERT INTO accounts (account_id, customer_id, currency, locking, overdraft_limit)
         SELECT id, owner, currency,
                (CASE WHEN exclusive THEN 'exclusive' ELSE 'escrow' END)::account_locking, overdraft
         FROM UNNEST($1::uuid[], $2::uuid[], $3::text[], $4::bool[], $5::bigint[])
              AS n(id, owner, currency, exclusive, overdraft)",
    )
    .bind(&ids)
    .bind(&owners)
    .bind(&currencies)
    .bind(&exclusive)
    .bind(&overdrafts)
    .execute(pool)
    .await
    .expect("accounts");
    let funded: Vec<Prepare> = all()
        .filter(|(account, _)| account.opening != 0)
        .map(|(account, id)| {
            let legs = vec![leg(*id, account.opening, 0)];
            let id = TransactionId::generate();
            prepare(id, account.currency, legs, account.opening)
        })
        .collect();
    let ids: Vec<TransactionId> = funded.iter().map(|item| item.transaction_id).collect();
    let votes = participant.prepare(funded).await;
    assert_eq!(votes, vec![Some(Vote::Yes); ids.len()]);
    let commits = ids.iter().map(|id| (*id, Outcome::Commit)).collect();
    let answers = participant.decide(commits).await;
    assert_eq!(answers, vec![Some(Acknowledgement::Done); ids.len()]);
    let frozen: Vec<Uuid> = all()
        .filter(|(account, _)| account.is_frozen)
        .map(|(_, id)| id.uuid())
        .collect();
    sqlx::query("UPDATE accounts SET status = 'frozen' WHERE account_id = ANY($1)")
        .bind(&frozen)
        .execute(pool)
        .await
        .expect("frozen accounts");
}

/// Cuts a long list of answers into those of each sequence.
fn deal<T>(
    replies: &mut [Vec<Reply>],
    lengths: &[(usize, usize)],
    answers: Vec<T>,
    reply: fn(Vec<T>) -> Reply,
) {
    let mut answers = answers.into_iter();
    for (sequence, length) in lengths {
        let own: Vec<T> = answers.by_ref().take(*length).collect();
        assert_eq!(own.len(), *length, "an answer is missing");
        replies[*sequence].push(reply(own));
    }
}

/// Sends a list again for as long as nothing is known of it, as a coordinator does: on a busy
/// machine a database connection may be too late.
async fn answered<T, F: Future<Output = Vec<Option<T>>>>(send: impl Fn() -> F) -> Vec<T> {
    for _ in 0..20 {
        let answers = send().await;
        if answers.iter().any(Option::is_some) || answers.is_empty() {
            let answers = answers.into_iter();
            return answers.map(|one| one.expect("an answer")).collect();
        }
    }
    panic!("the database does not answer");
}

/// One step of all sequences: a list of each kind.
async fn step(
    participant: &Participant,
    stories: &[Story],
    names: &[Names],
    step: usize,
    replies: &mut [Vec<Reply>],
) {
    let (mut prepares, mut prepared) = (Vec::new(), Vec::new());
    let (mut decisions, mut decided) = (Vec::new(), Vec::new());
    let (mut questions, mut asked) = (Vec::new(), Vec::new());
    for (sequence, story) in stories.iter().enumerate() {
        let names = &names[sequence];
        match story.messages.get(step) {
            None => {}
            Some(Message::Prepare(list)) => {
                let items = list.iter();
                prepares.extend(items.map(|(id, variant)| content(story, names, *id, *variant)));
                prepared.push((sequence, list.len()));
            }
            Some(Message::Decide(list)) => {
                let items = list.iter();
                decisions.extend(items.map(|(id, outcome)| (names.transactions[*id], *outcome)));
                decided.push((sequence, list.len()));
            }
            Some(Message::Terminate(list)) => {
                questions.extend(list.iter().map(|id| names.transactions[*id]));
                asked.push((sequence, list.len()));
            }
            Some(Message::Force(id, outcome)) => {
                let state = force(participant, names.transactions[*id], *outcome).await;
                replies[sequence].push(Reply::Forced(state));
            }
        }
    }
    let votes = answered(|| participant.prepare(prepares.clone())).await;
    deal(replies, &prepared, votes, Reply::Votes);
    let answers = answered(|| participant.decide(decisions.clone())).await;
    deal(replies, &decided, answers, Reply::Acknowledgements);
    let states = participant
        .terminate(questions.clone())
        .await
        .expect("states");
    let states = questions.iter().map(|id| states.get(id).copied()).collect();
    deal(replies, &asked, states, Reply::States);
}

async fn force(
    participant: &Participant,
    transaction_id: TransactionId,
    outcome: Outcome,
) -> Option<BranchState> {
    let order = Order {
        resolution_id: ResolutionId::generate(),
        transaction_id,
        outcome,
        expected_state: Some(BranchState::Prepared),
        evidence: String::new(),
        confirmed_here: false,
        proposed_by: "one".to_owned(),
        confirmed_by: "another".to_owned(),
        reason: "told to".to_owned(),
    };
    match participant.force(order).await {
        Ok(state) => Some(state),
        Err(NotForced::EvidenceChanged(_) | NotForced::NotPrepared) => None,
        Err(error) => panic!("{error}"),
    }
}

/// Tells sequences to one bank, and reads what has become of each.
pub async fn run(participant: &Participant, stories: &[Story]) -> Vec<Ending> {
    let names: Vec<Names> = stories.iter().map(|_| Names::fresh()).collect();
    open(participant, &names).await;
    let mut replies: Vec<Vec<Reply>> = vec![Vec::new(); stories.len()];
    let longest = stories.iter().map(|story| story.messages.len()).max();
    for number in 0..longest.unwrap_or(0) {
        step(participant, stories, &names, number, &mut replies).await;
    }
    let accounts = accounts(participant.pool(), &names).await;
    let transactions = names.iter().flat_map(|names| names.transactions.clone());
    let transactions: Vec<TransactionId> = transactions.collect();
    let states = participant
        .states(transactions.clone())
        .await
        .expect("states");
    let hazards = hazards(participant.pool(), &transactions).await;
    let endings = names.iter().zip(replies);
    endings
        .map(|(names, replies)| Ending {
            replies,
            accounts: names.accounts[..ACCOUNTS.len()]
                .iter()
                .map(|id| accounts.get(id).map(|row| row.shown(*id, names)))
                .collect(),
            branches: names
                .transactions
                .iter()
                .map(|id| states.get(id).copied())
                .collect(),
            hazards: names
                .transactions
                .iter()
                .enumerate()
                .flat_map(|(number, id)| {
                    let kinds = hazards.get(id).cloned().unwrap_or_default();
                    kinds.into_iter().map(move |kind| (number, kind))
                })
                .collect(),
        })
        .collect()
}

struct Row {
    figures: [i64; 3],
    lock: Option<Uuid>,
    version: i64,
}

impl Row {
    fn shown(&self, id: AccountId, names: &Names) -> Figures {
        let holder = self.lock.map(|lock| {
            let mut transactions = names.transactions.iter();
            let holder = transactions.position(|name| LegId::derive(*name, id).uuid() == lock);
            holder.expect("a lock of this sequence")
        });
        let [balance, held_debits, held_credits] = self.figures;
        Figures {
            balance,
            held_debits,
            held_credits,
            lock: holder,
            entries: self.version,
        }
    }
}

async fn accounts(pool: &PgPool, names: &[Names]) -> HashMap<AccountId, Row> {
    let ids = names.iter().flat_map(|names| &names.accounts);
    let ids: Vec<Uuid> = ids.map(|id| id.uuid()).collect();
    let rows: Vec<(Uuid, i64, i64, i64, Option<Uuid>, i64)> = sqlx::query_as(
        "SELECT account_id, balance::bigint, pending_debits::bigint, pending_credits::bigint,
                transaction_lock, version
         FROM accounts WHERE account_id = ANY($1)",
    )
    .bind(&ids)
    .fetch_all(pool)
    .await
    .expect("accounts");
    rows.into_iter()
        .map(|(id, balance, debits, credits, lock, version)| {
            let figures = [balance, debits, credits];
            let row = Row {
                figures,
                lock,
                version,
            };
            (AccountId::from_uuid(id), row)
        })
        .collect()
}

async fn hazards(pool: &PgPool, ids: &[TransactionId]) -> HashMap<TransactionId, Vec<String>> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows: Vec<(Uuid, String)> = sqlx::query_as(
        "SELECT transaction_id, kind FROM hazards WHERE transaction_id = ANY($1) ORDER BY 1, 2",
    )
    .bind(&ids)
    .fetch_all(pool)
    .await
    .expect("hazards");
    let mut hazards: HashMap<TransactionId, Vec<String>> = HashMap::new();
    for (id, kind) in rows {
        hazards
            .entry(TransactionId::from_uuid(id))
            .or_default()
            .push(kind);
    }
    hazards
}

/// I1 to I7, over everything that was told.
pub async fn assert_sound(pool: &PgPool) {
    let mut connection = pool.acquire().await.expect("a connection");
    let found = [
        check::sums(&mut connection).await,
        check::balances(&mut connection).await,
        check::limits(&mut connection).await,
        check::holds(&mut connection).await,
        check::branches(&mut connection).await,
        check::uniqueness(&mut connection).await,
        check::versions(&mut connection).await,
    ];
    for (number, found) in (1..).zip(found) {
        assert_eq!(found.expect("a check"), [""; 0], "I{number}");
    }
}
