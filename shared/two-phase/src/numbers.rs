//! Numbers by which two databases notice that one of them has lost its last commits.
//!
//! The database of the coordinator and that of each participant keep, for one another, two rows of
//! numbers: `own`, raised by one in every database transaction that the other side will act upon,
//! and `seen`, the highest of the other's numbers that is on record here. A number is on record
//! on the other side only after it is durable here, so in two sound databases `own` here is never
//! below `seen` there. It falls below when one of them is put back to an earlier state.
//!
//! A row has several lanes, so that lists that are written side by side raise different ones.

use serde::{Deserialize, Serialize};

/// The highest number in each lane. A lane that is not there stands at 0.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Lanes(Vec<u64>);

impl Lanes {
    /// Numbers as a database keeps them; what is negative counts as 0.
    #[must_use]
    pub fn from_row(row: &[i64]) -> Self {
        Self(row.iter().map(|n| u64::try_from(*n).unwrap_or(0)).collect())
    }

    /// The numbers as a database keeps them.
    #[must_use]
    pub fn row(&self) -> Vec<i64> {
        let number = |n: &u64| i64::try_from(*n).unwrap_or(i64::MAX);
        self.0.iter().map(number).collect()
    }

    /// The number of one lane.
    #[must_use]
    pub fn get(&self, lane: usize) -> u64 {
        self.0.get(lane).copied().unwrap_or(0)
    }

    /// Raises one lane to at least `number`. Never lowers it.
    pub fn raise(&mut self, lane: usize, number: u64) {
        if self.0.len() <= lane {
            self.0.resize(lane + 1, 0);
        }
        self.0[lane] = self.0[lane].max(number);
    }

    /// Raises every lane to at least what `other` says. In whatever order messages arrive, the
    /// result is the same.
    pub fn merge(&mut self, other: &Self) {
        for (lane, number) in other.0.iter().enumerate() {
            self.raise(lane, *number);
        }
    }

    /// Whether no lane of `other` is ahead.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let mut lanes = other.0.iter().enumerate();
        lanes.all(|(lane, number)| self.get(lane) >= *number)
    }
}

/// How two databases stand to each other, as one of them sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Neither has lost anything that the other knows of.
    InStep,
    /// The other one has lost numbers that are on record here.
    TheyAreBehind,
    /// This one has lost numbers that are on record there.
    WeAreBehind,
}

/// Compares what two databases say of themselves and of each other.
///
/// It is exact only if it is told things in order: `seen` was read before the other side made its
/// statement (`theirs`, `they_saw`), and `own` after it. Numbers only grow, so a statement that
/// crossed with others on the way is then never mistaken for a loss. Where both are behind, our own
/// loss is the answer: it is the one we can be sure of.
#[must_use]
pub fn compare(own: &Lanes, they_saw: &Lanes, theirs: &Lanes, seen: &Lanes) -> Standing {
    if !own.covers(they_saw) {
        Standing::WeAreBehind
    } else if !theirs.covers(seen) {
        Standing::TheyAreBehind
    } else {
        Standing::InStep
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lanes(numbers: &[i64]) -> Lanes {
        Lanes::from_row(numbers)
    }

    #[test]
    fn whoever_has_less_than_the_other_saw_is_behind() {
        use Standing::{InStep, TheyAreBehind, WeAreBehind};
        for (own, they_saw, theirs, seen, standing) in [
            (&[5, 5][..], &[5, 5][..], &[7][..], &[7][..], InStep),
            (&[5, 5], &[4, 3], &[9], &[7], InStep),
            (&[], &[], &[], &[], InStep),
            (&[5], &[5, 0], &[7], &[7, 0, 0], InStep),
            (&[5, 5], &[5, 6], &[7], &[7], WeAreBehind),
            (&[9, 5], &[5, 6], &[7], &[7], WeAreBehind),
            (&[5, 5], &[5, 5], &[6], &[7], TheyAreBehind),
            (&[5, 5], &[5, 5], &[9], &[7, 1], TheyAreBehind),
            (&[5], &[6], &[6], &[7], WeAreBehind),
        ] {
            let (own, they_saw, theirs, seen) =
                (lanes(own), lanes(they_saw), lanes(theirs), lanes(seen));
            assert_eq!(compare(&own, &they_saw, &theirs, &seen), standing);
            let mirrored = match standing {
                TheyAreBehind => WeAreBehind,
                WeAreBehind if theirs.covers(&seen) => TheyAreBehind,
                other => other,
            };
            assert_eq!(compare(&theirs, &seen, &own, &they_saw), mirrored);
        }
    }

    /// One thing that happens between two databases: a commit here in a lane that reaches the
    /// other side or not, or the same there.
    #[derive(Debug, Clone, Copy)]
    struct Step {
        ours: bool,
        lane: usize,
        arrives: bool,
    }

    #[derive(Debug, Clone, Default)]
    struct Side {
        own: Lanes,
        seen: Lanes,
    }

    fn step() -> impl Strategy<Value = Step> {
        (any::<bool>(), 0..3_usize, any::<bool>()).prop_map(|(ours, lane, arrives)| Step {
            ours,
            lane,
            arrives,
        })
    }

    fn happen(here: &mut Side, there: &mut Side, step: Step) {
        let (from, to) = if step.ours {
            (here, there)
        } else {
            (there, here)
        };
        from.own.raise(step.lane, from.own.get(step.lane) + 1);
        if step.arrives {
            to.seen.merge(&from.own.clone());
        }
    }

    proptest! {
        #[test]
        fn sound_databases_are_in_step_and_a_loss_the_other_saw_is_always_noticed(
            before in prop::collection::vec(step(), 0..20),
            after in prop::collection::vec(step(), 0..20),
        ) {
            let (mut here, mut there) = (Side::default(), Side::default());
            for step in before {
                happen(&mut here, &mut there, step);
            }
            let copy = here.clone();
            for step in after {
                happen(&mut here, &mut there, step);
            }
            prop_assert_eq!(
                compare(&here.own, &there.seen, &there.own, &here.seen),
                Standing::InStep
            );
            let noticed = compare(&copy.own, &there.seen, &there.own, &copy.seen);
            let other_side = compare(&there.own, &copy.seen, &copy.own, &there.seen);
            if copy.own.covers(&there.seen) {
                prop_assert_eq!(noticed, Standing::InStep);
                prop_assert_eq!(other_side, Standing::InStep);
            } else {
                prop_assert_eq!(noticed, Standing::WeAreBehind);
                prop_assert_eq!(other_side, Standing::TheyAreBehind);
            }
        }

        #[test]
        fn the_order_of_messages_makes_no_difference(
            a in prop::collection::vec(0..100_i64, 0..5),
            b in prop::collection::vec(0..100_i64, 0..5),
        ) {
            let (mut one, mut other) = (lanes(&a), lanes(&b));
            one.merge(&lanes(&b));
            other.merge(&lanes(&a));
            prop_assert!(one.covers(&other) && other.covers(&one));
            prop_assert!(one.covers(&lanes(&a)) && one.covers(&lanes(&b)));
        }
    }
}
