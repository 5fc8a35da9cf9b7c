//! What can be wrong with a history.

use std::collections::BTreeMap;
use std::fmt;

/// How many findings of a kind are told in words; the others are counted.
const TOLD: usize = 10;

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)+) => {
        /// Why a history cannot be. The numbers are those of the invariants in docs/faults.md.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason {
            $($(#[$doc])* $name,)+
        }

        impl Reason {
            /// Every reason there is.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The reason in a few words.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }
    };
}

reasons! {
    /// The ledgers of a bank do not sum to zero, or the banks' clearing accounts do not.
    DoesNotSumToZero = "I1 sums to zero";
    /// A balance is not the sum of the entries.
    DoesNotAddUp = "I2 balances add up";
    /// A customer's balance fell below its limit, or more was available than can have been.
    BelowLimit = "I3 limits are kept";
    /// An entry stands twice, or a key has two transactions.
    Twice = "I6 everything once";
    /// A version is missing or stands twice.
    VersionGap = "I7 versions without gaps";
    /// A status that was final is another one later.
    StatusChanged = "I8 a final status stays";
    /// One list shows a part of a transaction.
    SplitList = "I9 a list shows all of a transaction or nothing";
    /// A transaction is still pending at the end.
    NotFinal = "I10 nothing is left pending";
    /// A client was told that it happened, and it did not, or did otherwise.
    PromiseBroken = "I12 what was confirmed is booked";
    /// A client was told that it did not happen, and it did.
    RefusalBooked = "I12 what was refused is not booked";
    /// Something is booked that nobody asked for, or that was never decided.
    NobodyAsked = "I12 nothing is booked unasked";
    /// A client read a balance that is not that version's.
    NeverWas = "every balance that was read is in the ledger";
    /// A client read an older version than it had read before.
    WentBack = "no client reads backwards";
    /// Versions and real time contradict each other.
    Cycle = "one order fits all versions and real time";
    /// Refused for want of money that was there all the time.
    MoneyWasThere = "a refusal for want of money fits the balance";
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One contradiction, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which kind.
    pub reason: Reason,
    /// What contradicts what.
    pub detail: String,
}

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    pub(crate) found: BTreeMap<Reason, (usize, Vec<String>)>,
    /// How many requests were looked at.
    pub operations: usize,
    /// How many of them have no known outcome.
    pub unknown: usize,
    /// How many ledger entries were looked at.
    pub entries: usize,
}

impl Verdict {
    /// Nothing contradicts anything.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.found.is_empty()
    }

    /// How many findings of this kind there are.
    #[must_use]
    pub fn count(&self, reason: Reason) -> usize {
        self.found.get(&reason).map_or(0, |(count, _)| *count)
    }

    /// The findings, at most ten of each kind.
    pub fn findings(&self) -> impl Iterator<Item = Finding> {
        self.found.iter().flat_map(|(reason, (_, details))| {
            details.iter().map(|detail| Finding {
                reason: *reason,
                detail: detail.clone(),
            })
        })
    }

    /// Notes a finding. The words are made only while there is room for them.
    pub(crate) fn add(&mut self, reason: Reason, detail: impl FnOnce() -> String) {
        let (count, told) = self.found.entry(reason).or_default();
        *count += 1;
        if told.len() < TOLD {
            told.push(detail());
        }
    }
}

impl fmt::Display for Verdict {
    /// One line for each check, and below it what it found.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for reason in Reason::ALL {
            match self.found.get(reason) {
                None => writeln!(f, "  ok      {reason}")?,
                Some((count, told)) => {
                    writeln!(f, "  BROKEN  {reason} ({count})")?;
                    for detail in told {
                        writeln!(f, "            {detail}")?;
                    }
                    if *count > told.len() {
                        writeln!(f, "            and {} more", count - told.len())?;
                    }
                }
            }
        }
        Ok(())
    }
}
