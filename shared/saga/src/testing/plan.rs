//! Which trials there are for a saga of a given shape.

use super::script::{Fault, Mishap};
use super::trial::Trial;
use super::tripwire::{Crash, Manner, When};
use crate::ids::Direction;
use crate::machine::{Shape, Status};

const CRASHES: [(When, Manner); 4] = [
    (When::Before, Manner::Dies),
    (When::After, Manner::Dies),
    (When::Before, Manner::Sleeps),
    (When::After, Manner::Sleeps),
];

fn action(step: usize, mishap: Mishap, times: u32) -> Fault {
    Fault {
        step,
        direction: Direction::Action,
        mishap,
        times,
    }
}

fn compensation(step: usize, mishap: Mishap, times: u32) -> Fault {
    Fault {
        step,
        direction: Direction::Compensation,
        mishap,
        times,
    }
}

fn trial(family: &'static str, faults: Vec<Fault>, ends: Status) -> Trial {
    Trial {
        family,
        faults,
        ends: Some(ends),
        ..Trial::default()
    }
}

/// The trials without a crash: each step and each way in which it can go wrong. `retries` are those
/// of the saga's options, `undoable` says which steps have a compensation.
pub(super) fn without_crash(shape: Shape, retries: u32, undoable: &[bool]) -> Vec<Trial> {
    use Mishap::{AnswerLost, Late, NotNow, Refused, RequestLost, Twice};
    let for_ever = Fault::FOR_EVER;
    // Whoever takes such a pivot over is in doubt about it, and asks until it is done.
    let until_given_up = |step| action(step, NotNow, retries.saturating_add(1));
    let given_up = |trial| Trial {
        depends_on_crashes: true,
        ..trial
    };
    let mut trials = vec![trial("nothing goes wrong", Vec::new(), Status::Committed)];
    for (step, undoable) in undoable.iter().copied().enumerate() {
        let is_pivot = shape.pivot == Some(step);
        let is_after = shape.pivot.is_some_and(|pivot| step > pivot);
        let done = |family, mishap, times| {
            trial(family, vec![action(step, mishap, times)], Status::Committed)
        };
        trials.push(done("an action performed twice", Twice, 1));
        trials.push(done("an answer lost", AnswerLost, 1));
        trials.push(done("a request lost", RequestLost, 1));
        trials.push(done("a step that has no time", NotNow, 1));
        let undone = |family, mishap| {
            let ends = if is_after {
                Status::Committed
            } else {
                Status::Compensated
            };
            Trial {
                gets_stuck: is_after,
                ..trial(family, vec![action(step, mishap, for_ever)], ends)
            }
        };
        trials.push(undone("a step refused", Refused));
        if is_pivot {
            // It is asked for until somebody knows: longer than any other step.
            for mishap in [AnswerLost, RequestLost] {
                trials.push(done("a pivot in doubt", mishap, retries.saturating_add(5)));
            }
            if undoable {
                trials.push(given_up(trial(
                    "a pivot that has no time",
                    vec![until_given_up(step)],
                    Status::Compensated,
                )));
            }
        } else {
            trials.push(undone("a step that never has time", NotNow));
            trials.push(undone("requests lost for ever", RequestLost));
            if undoable || is_after {
                trials.push(undone("answers lost for ever", AnswerLost));
            }
            if undoable && !is_after {
                trials.push(undone("an action after its compensation", Late));
            }
        }
        if undoable && !is_after {
            // A pivot is undone only while it surely has not happened.
            let with = |family, fault| {
                if is_pivot {
                    let faults = vec![until_given_up(step), fault];
                    given_up(trial(family, faults, Status::Compensated))
                } else {
                    let faults = vec![action(step, AnswerLost, for_ever), fault];
                    trial(family, faults, Status::Compensated)
                }
            };
            trials.push(with(
                "a compensation performed twice",
                compensation(step, Twice, 1),
            ));
            for mishap in [AnswerLost, RequestLost, NotNow, Late] {
                trials.push(with(
                    "a compensation that fails, then works",
                    compensation(step, mishap, 1),
                ));
            }
            for mishap in [NotNow, Refused] {
                let stuck = with(
                    "a compensation that keeps failing",
                    compensation(step, mishap, for_ever),
                );
                trials.push(Trial {
                    gets_stuck: true,
                    ..stuck
                });
            }
        }
    }
    trials
}

/// The same trial, with its process dying or sleeping at each of its writes.
pub(super) fn with_crashes(base: &Trial, writes: usize) -> impl Iterator<Item = Trial> + '_ {
    (0..writes).flat_map(move |write| {
        CRASHES.into_iter().filter_map(move |(when, manner)| {
            let before_the_beginning = write == 0 && when == When::Before;
            if before_the_beginning && manner == Manner::Sleeps {
                return None;
            }
            Some(Trial {
                family: match manner {
                    Manner::Dies => "a crash at each write of the log",
                    Manner::Sleeps => "two executors at each write of the log",
                },
                crashes: vec![Crash {
                    write,
                    when,
                    manner,
                }],
                // What never began has nothing to be undone, and nobody to get stuck.
                ends: if before_the_beginning {
                    Some(Status::Compensated)
                } else {
                    base.ends.filter(|_| !base.depends_on_crashes)
                },
                gets_stuck: base.gets_stuck && !before_the_beginning,
                ..base.clone()
            })
        })
    })
}

/// A trial that nobody has thought of. The same number makes the same trial.
pub(super) fn random(shape: Shape, numbers: &mut Numbers) -> Trial {
    const MISHAPS: [Mishap; 6] = [
        Mishap::Refused,
        Mishap::NotNow,
        Mishap::RequestLost,
        Mishap::AnswerLost,
        Mishap::Twice,
        Mishap::Late,
    ];
    let faults = (0..=numbers.below(3)).map(|_| {
        let direction = [Direction::Action, Direction::Compensation][numbers.below(2)];
        let step = numbers.below(shape.steps);
        let mishap = MISHAPS[numbers.below(MISHAPS.len())];
        let times = 1 + u32::try_from(numbers.below(15)).unwrap_or(0);
        Fault {
            step,
            direction,
            mishap,
            times,
        }
    });
    let faults = faults.collect();
    let crashes = (0..numbers.below(4)).map(|_| {
        let (when, manner) = CRASHES[numbers.below(CRASHES.len())];
        Crash {
            write: 1 + numbers.below(4),
            when,
            manner,
        }
    });
    Trial {
        family: "random faults",
        faults,
        crashes: crashes.collect(),
        ..Trial::default()
    }
}

/// Numbers that only look random: `SplitMix64` (Steele, Lea and Flood 2014).
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let bound = u64::try_from(bound.max(1)).unwrap_or(1);
        usize::try_from(mixed % bound).unwrap_or(0)
    }
}
