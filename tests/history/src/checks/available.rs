//! What could be spent: a refusal for want of money must fit some balance that was current while
//! the request was under way, less what others may have held then; and what a reader is shown as
//! available must be a balance less such holds.
//!
//! When a hold is taken and given back is not written down. It is taken after its transfer was
//! sent; it is gone when somebody was told that the transaction is settled. Between the two it may
//! or may not be there.

use std::collections::{BTreeMap, HashMap, HashSet};

use types::AccountId;
use types::views::Status;

use super::reads::seen;
use crate::digest::{Digest, Group, Ledger, NEVER, transfers_of};
use crate::finding::{Reason, Verdict};
use crate::format::{Leg, Reply, Request, What};
use crate::units::{Units, of_balance, of_change, written};

const NO_MONEY: &str = "insufficient_funds";

pub(super) fn check(digest: &Digest<'_>, verdict: &mut Verdict) {
    let holds = Holds::of(digest);
    let spans = spans(digest);
    for group in 0..digest.groups.len() {
        refusals(digest, group, &holds, &spans, verdict);
    }
    for operation in 0..digest.operations.len() {
        shown(digest, operation, &holds, verdict);
    }
}

/// Debits that may have been held, by account.
struct Holds {
    by_account: HashMap<AccountId, Held>,
    /// The transfers that are counted: group, and place in its request.
    counted: HashSet<(usize, usize)>,
    /// Sagas reserve credits too, which is not in a history.
    has_sagas: bool,
}

#[derive(Default)]
struct Held {
    /// From when on, and the sum of all up to here.
    taken: Vec<(u64, Units)>,
    /// By when, and the sum of all up to here.
    given_back: Vec<(u64, Units)>,
}

impl Holds {
    fn of(digest: &Digest<'_>) -> Self {
        let mut items: HashMap<(usize, usize), usize> = HashMap::new();
        for (at, transaction) in digest.transactions.iter().enumerate() {
            items.extend(transaction.group.map(|place| (place, at)));
        }
        let mut by_account: HashMap<AccountId, Held> = HashMap::new();
        let mut counted = HashSet::new();
        for (at, group) in digest.groups.iter().enumerate() {
            for (item, legs) in transfers_of(group.request).iter().enumerate() {
                let debits = debits(legs);
                let transaction = items.get(&(at, item)).map(|at| &digest.transactions[*at]);
                let record = transaction.and_then(|found| found.record);
                // Who asks for one debit and is refused it has held nothing.
                let never_held = record.is_some_and(|record| {
                    record.status == Status::Aborted
                        && record.reason.as_deref() == Some(NO_MONEY)
                        && debits.len() == 1
                });
                if never_held {
                    continue;
                }
                counted.insert((at, item));
                let end = transaction.map_or(NEVER, |found| found.settled);
                for (account, amount) in debits {
                    let held = by_account.entry(account).or_default();
                    held.taken.push((group.start, amount));
                    held.given_back.push((end, amount));
                }
            }
        }
        for held in by_account.values_mut() {
            for list in [&mut held.taken, &mut held.given_back] {
                list.sort_unstable();
                let mut sum = 0;
                for (_, amount) in list {
                    sum += *amount;
                    *amount = sum;
                }
            }
        }
        let mut requests = digest.groups.iter().map(|group| group.request);
        let has_sagas = requests
            .any(|one| matches!(one, Request::Transfer { protocol, .. } if protocol == "saga"));
        Self {
            by_account,
            counted,
            has_sagas,
        }
    }

    /// The most that can have been held at any moment between the two.
    fn most(&self, account: AccountId, from: u64, to: u64) -> Units {
        let Some(held) = self.by_account.get(&account) else {
            return 0;
        };
        let sum =
            |list: &[(u64, Units)], upto: usize| upto.checked_sub(1).map_or(0, |last| list[last].1);
        let taken = held.taken.partition_point(|(at, _)| *at <= to);
        let given_back = held.given_back.partition_point(|(at, _)| *at < from);
        sum(&held.taken, taken) - sum(&held.given_back, given_back)
    }
}

/// What a transaction takes from each account that it takes from, positive.
fn debits(legs: &[(u16, Leg)]) -> BTreeMap<AccountId, Units> {
    let mut net: BTreeMap<AccountId, Units> = BTreeMap::new();
    for (_, leg) in legs {
        *net.entry(leg.account).or_default() -= of_change(leg.change);
    }
    net.retain(|_, taken| *taken > 0);
    net
}

/// When each version of an account can have become current.
struct Span {
    /// Not before; never falls from one version to the next.
    begun: Vec<u64>,
    /// By then for certain; never falls either.
    certain: Vec<u64>,
}

impl Span {
    /// The versions that may have been current at some moment between the two.
    fn current(&self, from: u64, to: u64) -> std::ops::RangeInclusive<usize> {
        let oldest = self.certain.partition_point(|at| *at < from);
        let newest = self.begun.partition_point(|at| *at <= to);
        oldest.saturating_sub(1)..=newest.saturating_sub(1)
    }
}

fn spans(digest: &Digest<'_>) -> Vec<Span> {
    let span = |ledger: &Ledger<'_>| {
        let of_row = |row: &&crate::format::Entry| digest.transaction(row.transaction);
        let rows = ledger.rows.iter().map(of_row);
        let (begun, certain): (Vec<u64>, Vec<u64>) = rows
            .map(|found| found.map_or((0, NEVER), |found| (found.start, found.settled)))
            .unzip();
        Span {
            begun: [vec![0], begun].concat(),
            certain: [vec![0], certain].concat(),
        }
    };
    let mut spans: Vec<Span> = digest.ledgers.iter().map(span).collect();
    for start in &digest.history.header.accounts {
        if let Some(at) = digest.ledger_of.get(&start.account) {
            let known = usize::try_from(start.version).unwrap_or(0);
            for certain in spans[*at].certain.iter_mut().take(known + 1) {
                *certain = 0;
            }
        }
    }
    for operation in 0..digest.operations.len() {
        for seen in seen(digest, operation) {
            let (Some(at), Ok(version)) = (
                digest.ledger_of.get(&seen.account),
                usize::try_from(seen.version),
            ) else {
                continue;
            };
            let one = &digest.operations[operation];
            if let Some(certain) = spans[*at].certain.get_mut(version) {
                *certain = (*certain).min(one.completed);
            }
            if let Some(next) = spans[*at].begun.get_mut(version + 1) {
                *next = (*next).max(one.invoked);
            }
        }
    }
    for span in &mut spans {
        let mut latest = 0;
        for begun in &mut span.begun {
            latest = latest.max(*begun);
            *begun = latest;
        }
        let mut earliest = NEVER;
        for certain in span.certain.iter_mut().rev() {
            earliest = earliest.min(*certain);
            *certain = earliest;
        }
    }
    spans
}

/// The transfers under a key that were refused for want of money: which, what each wanted to take,
/// and when the first answer to say so was there.
fn wants(digest: &Digest<'_>, group: &Group<'_>) -> Vec<(usize, BTreeMap<AccountId, Units>, u64)> {
    let mut answered: BTreeMap<usize, u64> = BTreeMap::new();
    for at in &group.operations {
        let one = &digest.operations[*at];
        let refused: Vec<usize> = match one.outcome {
            Some(What::Fail { code, .. }) if code == NO_MONEY => vec![0],
            Some(What::Ok(Reply::Batch(results))) => {
                let results = results.iter().enumerate();
                results
                    .filter(|(_, result)| result.code.as_deref() == Some(NO_MONEY))
                    .map(|(item, _)| item)
                    .collect()
            }
            _ => Vec::new(),
        };
        for item in refused {
            let first = answered.entry(item).or_insert(one.completed);
            *first = (*first).min(one.completed);
        }
    }
    let asked: Vec<BTreeMap<AccountId, Units>> = match group.request {
        Request::Withdrawal {
            account, amount, ..
        } => vec![BTreeMap::from([(*account, of_change(amount.credit()))])],
        other => transfers_of(other)
            .iter()
            .map(|legs| debits(legs))
            .collect(),
    };
    answered
        .into_iter()
        .filter_map(|(item, at)| Some((item, asked.get(item)?.clone(), at)))
        .collect()
}

fn refusals(digest: &Digest<'_>, at: usize, holds: &Holds, spans: &[Span], verdict: &mut Verdict) {
    let group = &digest.groups[at];
    for (item, wanted, answered) in wants(digest, group) {
        let is_counted = holds.counted.contains(&(at, item));
        let lacks = |account: &AccountId, wanted: Units| {
            let Some(at) = digest.ledger_of.get(account) else {
                return true;
            };
            let ledger = &digest.ledgers[*at];
            let own = if is_counted { wanted } else { 0 };
            let others = holds.most(*account, group.start, answered) - own;
            let spare = of_balance(ledger.account.limit) - others - wanted;
            let mut current = spans[*at].current(group.start, answered);
            current.any(|version| balance_at(ledger, version) + spare < 0)
        };
        if wanted.is_empty()
            || wanted
                .iter()
                .any(|(account, amount)| lacks(account, *amount))
        {
            continue;
        }
        verdict.add(Reason::MoneyWasThere, || {
            let key = group.key;
            let wanted: Vec<String> = wanted
                .iter()
                .map(|(account, amount)| format!("{} from {account}", written(*amount)))
                .collect();
            format!(
                "{key} was refused {}, which was there all the time",
                wanted.join(", ")
            )
        });
    }
}

fn balance_at(ledger: &Ledger<'_>, version: usize) -> Units {
    let row = version.checked_sub(1).and_then(|at| ledger.rows.get(at));
    row.map_or(0, |row| of_balance(row.balance_after))
}

fn shown(digest: &Digest<'_>, operation: usize, holds: &Holds, verdict: &mut Verdict) {
    let one = &digest.operations[operation];
    for seen in seen(digest, operation) {
        let Some(ledger) = digest.ledger(seen.account) else {
            continue;
        };
        let most = of_balance(seen.balance) + of_balance(ledger.account.limit);
        let held = holds.most(seen.account, one.invoked, one.completed);
        let available = of_balance(seen.available);
        let least = if holds.has_sagas {
            0
        } else {
            (most - held).max(0)
        };
        if available > most || available < least {
            verdict.add(Reason::BelowLimit, || {
                let (who, id) = (digest.name(operation), seen.account);
                let (least, most) = (written(least), written(most));
                let available = written(available);
                format!("{who} saw {available} available on {id}; it was {least} to {most}")
            });
        }
    }
}
