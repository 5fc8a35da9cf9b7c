//! Which transfers there were in the old days: who paid whom, in closed form, so that every row of
//! every table can be written at once, in the order of time, and no two tables disagree.
//!
//! - Every hundredth transfer pays account 0, the *busy* one. The payers are a few *partners* in turn.
//! - All others happen in rounds. In a round every one of the remaining accounts takes part once, in
//!   pairs of an even and an odd one that are scattered by a multiplication and differ from round to
//!   round; the even one pays in even rounds and the odd one in odd rounds.
//!
//! So an account's version and balance after each transfer follow from the transfer's number. The SQL
//! in `benches/sql/large` computes the same from the same numbers.

use crate::accounts::OPENING;

/// What every old transfer moved, in cents.
const CENTS: &str = "0.01";

/// Of this many transfers one pays the busy account.
pub const BUSY_EVERY: u64 = 100;

/// Old transfers between accounts of one bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// So many transfers.
    pub transfers: u64,
    /// Who pay the busy account: the numbers from 1 to this.
    partners: u64,
    /// Pairs in a round.
    pairs: u64,
    /// Scatters the pairs of a round; has an inverse modulo the accounts in it.
    scatter: u64,
    inverse: u64,
}

impl Schedule {
    /// So many transfers between so many accounts; `None` for fewer than four accounts.
    pub fn of(transfers: u64, accounts: u64) -> Option<Self> {
        let partners = (accounts / 10).clamp(1, 1_000);
        let pairs = accounts.checked_sub(1 + partners)? / 2;
        if pairs == 0 {
            return None;
        }
        // Near the golden section, where multiples lie farthest apart.
        let around = pairs * 2;
        let first = around * 618 / 1_000;
        let scatter = (first..).find(|number| greatest_common_divisor(*number, around) == 1)?;
        Some(Self {
            transfers,
            partners,
            pairs,
            scatter,
            inverse: inverse(scatter, around)?,
        })
    }

    /// How many of them pay the busy account.
    pub const fn busy(self) -> u64 {
        self.transfers.div_ceil(BUSY_EVERY)
    }

    /// Full rounds, and the pairs of the one that was begun.
    const fn rounds(self) -> (u64, u64) {
        let others = self.transfers - self.busy();
        (others / self.pairs, others % self.pairs)
    }

    /// Puts the numbers into a statement.
    pub fn fill(self, sql: &str) -> String {
        let (rounds, begun) = self.rounds();
        [
            ("{opening}", OPENING.to_owned()),
            ("{amount}", CENTS.to_owned()),
            ("{transfers}", self.transfers.to_string()),
            ("{every}", BUSY_EVERY.to_string()),
            ("{busy}", self.busy().to_string()),
            ("{partners}", self.partners.to_string()),
            ("{pairs}", self.pairs.to_string()),
            ("{around}", (self.pairs * 2).to_string()),
            ("{scatter}", self.scatter.to_string()),
            ("{inverse}", self.inverse.to_string()),
            ("{rounds}", rounds.to_string()),
            ("{begun}", begun.to_string()),
        ]
        .iter()
        .fold(sql.to_owned(), |sql, (name, value)| {
            sql.replace(name, value)
        })
    }
}

const fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// What a number has to be multiplied with to give 1 (extended Euclid); `None` when there is none.
fn inverse(number: u64, modulus: u64) -> Option<u64> {
    let modulus = i64::try_from(modulus).ok()?;
    let (mut a, mut b) = (i64::try_from(number).ok()? % modulus, modulus);
    let (mut x, mut y) = (1, 0);
    while b != 0 {
        let quotient = a / b;
        (a, b) = (b, a - quotient * b);
        (x, y) = (y, x - quotient * y);
    }
    (a == 1).then(|| x.rem_euclid(modulus).cast_unsigned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_scatters_can_be_undone() {
        for accounts in [4, 5, 100, 20_000, 10_000_000] {
            let schedule = Schedule::of(1_000, accounts).expect("enough accounts");
            let around = schedule.pairs * 2;
            let product = u128::from(schedule.scatter) * u128::from(schedule.inverse);
            assert_eq!(product % u128::from(around), 1, "{accounts}");
            assert!(1 + schedule.partners + around <= accounts, "{accounts}");
        }
        assert_eq!(Schedule::of(1_000, 3), None);
    }

    #[test]
    fn every_transfer_is_in_a_round_or_pays_the_busy_account() {
        let schedule = Schedule::of(1_001, 100).expect("enough accounts");
        assert_eq!(schedule.busy(), 11);
        let (rounds, begun) = schedule.rounds();
        assert_eq!(rounds * schedule.pairs + begun + schedule.busy(), 1_001);
    }
}
