//! Which fault, on whom, when, how long: drawn from the seed before anything begins.

use std::time::Duration;

use super::fault::{CLOCKED, Fault, Kind, LINKS, PROCESSES, SERVERS, Weather};
use super::random::Random;

/// One fault with its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// When it begins, after the load has begun.
    pub at: Duration,
    /// How long it lasts.
    pub lasts: Duration,
    /// What it is.
    pub fault: Fault,
}

/// The load runs undisturbed so long.
const UNDISTURBED: u64 = 2_000;

/// The faults of a run of this length. Alone or up to three at a time; between two such episodes the
/// bank has a few seconds, so that it can be seen how long it takes to recover. The same seed,
/// length and mix give the same faults.
#[must_use]
pub fn schedule(seed: u64, length: Duration, mix: &[Kind]) -> Vec<Planned> {
    let mut random = Random::new(seed);
    let mut planned = Vec::new();
    let end = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
    let mut now = UNDISTURBED;
    if mix.is_empty() {
        return planned;
    }
    loop {
        let episode = episode(&mut random, mix, now);
        let last = episode.iter().map(|one| one.at + one.lasts).max();
        let over = last.map_or(now, |last| u64::try_from(last.as_millis()).unwrap_or(end));
        if over > end {
            return planned;
        }
        planned.extend(episode);
        now = over + random.between(2_500, 5_500);
    }
}

fn episode(random: &mut Random, mix: &[Kind], start: u64) -> Vec<Planned> {
    let count = match random.below(10) {
        0..=5 => 1,
        6..=8 => 2,
        _ => 3,
    };
    let mut episode: Vec<Planned> = Vec::new();
    for _ in 0..count {
        let kind = random.choose(mix);
        let fault = draw(random, kind);
        let at = if episode.is_empty() {
            start
        } else {
            start + random.below(2_000)
        };
        let lasts = lasts(random, &fault);
        if !episode.iter().any(|other| other.fault.excludes(&fault)) {
            episode.push(Planned {
                at: Duration::from_millis(at),
                lasts: Duration::from_millis(lasts),
                fault,
            });
        }
    }
    episode
}

fn draw(random: &mut Random, kind: Kind) -> Fault {
    match kind {
        Kind::Kill => Fault::Kill(random.choose(&PROCESSES)),
        Kind::Stop => Fault::Stop(random.choose(&PROCESSES)),
        Kind::Network if random.chance(15) => Fault::Isolate(random.choose(&PROCESSES[..4])),
        Kind::Network => {
            let (from, to) = random.choose(&LINKS);
            let weather = match random.below(7) {
                0 => Weather::Cut,
                1 => Weather::Late(random.between(50, 1_500)),
                2 => Weather::LosesThere,
                3 => Weather::LosesBack,
                4 => Weather::Hangs,
                5 => Weather::Resets(u8::try_from(random.between(5, 40)).unwrap_or(5)),
                _ => Weather::Flaps(random.between(200, 1_000)),
            };
            Fault::Link(from, to, weather)
        }
        Kind::Postgres if random.chance(50) => Fault::KillPostgres(random.choose(&SERVERS)),
        Kind::Postgres => Fault::StopPostgres(random.choose(&SERVERS)),
        Kind::Disk => Fault::FullDisk(random.choose(&SERVERS)),
        Kind::Clock => {
            let seconds = i64::try_from(random.between(60, 5_400)).unwrap_or(60);
            let by = if random.chance(50) { seconds } else { -seconds };
            if random.chance(50) {
                Fault::PostgresClock(random.choose(&SERVERS), by)
            } else {
                Fault::ServiceClock(random.choose(&CLOCKED), by)
            }
        }
    }
}

/// Milliseconds. Most are about as long as a lease or a deadline of the bank under test, which is
/// where it matters who is first; some are much shorter, some much longer.
fn lasts(random: &mut Random, fault: &Fault) -> u64 {
    let (least, most) = match random.below(10) {
        0..=2 => (100, 900),
        3..=8 => (900, 4_000),
        _ => (4_000, 9_000),
    };
    let time = random.between(least, most);
    match fault.kind() {
        // A server that is killed needs a while to come back at all.
        Kind::Postgres | Kind::Disk => time.min(6_000),
        _ => time,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const MINUTES_10: Duration = Duration::from_secs(600);

    #[test]
    fn the_same_seed_means_the_same_faults() {
        let one = schedule(7, MINUTES_10, &Kind::ALL);
        assert_eq!(one, schedule(7, MINUTES_10, &Kind::ALL));
        assert_ne!(one, schedule(8, MINUTES_10, &Kind::ALL));
        // Reports name seeds, so what a seed means must not change from one version to the next.
        let first = &one[0];
        assert_eq!(first.at, Duration::from_millis(UNDISTURBED));
    }

    #[test]
    fn a_longer_run_begins_like_a_shorter_one() {
        let long = schedule(7, MINUTES_10, &Kind::ALL);
        let short = schedule(7, MINUTES_10 / 4, &Kind::ALL);
        assert!(!short.is_empty() && short.len() < long.len());
        assert_eq!(short, long[..short.len()]);
    }

    #[test]
    fn every_fault_is_over_before_the_end() {
        for seed in 0..50 {
            for planned in schedule(seed, Duration::from_secs(60), &Kind::ALL) {
                assert!(planned.at + planned.lasts <= Duration::from_secs(60));
            }
        }
    }

    #[test]
    fn a_mix_has_all_of_its_kinds_and_no_others() {
        let kinds = |mix: &[Kind]| -> BTreeSet<Kind> {
            let planned = schedule(3, MINUTES_10, mix);
            planned.iter().map(|one| one.fault.kind()).collect()
        };
        assert_eq!(kinds(&Kind::ALL), Kind::ALL.into_iter().collect());
        let some = [Kind::Disk, Kind::Stop];
        assert_eq!(kinds(&some), some.into_iter().collect());
        assert!(schedule(3, MINUTES_10, &[]).is_empty());
    }

    #[test]
    fn faults_overlap_but_never_undo_each_other() {
        let mut overlapping = 0;
        for seed in 0..50 {
            let planned = schedule(seed, MINUTES_10, &Kind::ALL);
            for (place, one) in planned.iter().enumerate() {
                for two in &planned[place + 1..] {
                    if two.at < one.at + one.lasts {
                        overlapping += 1;
                        assert!(!one.fault.excludes(&two.fault), "{one:?} and {two:?}");
                    }
                }
            }
        }
        assert!(overlapping > 0);
    }
}
