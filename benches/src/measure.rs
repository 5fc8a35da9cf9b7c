//! From readings to what has to hold: ratios of things that were read in the same round.

use serde::Serialize;

use crate::probe::{Probe, Reading};

/// What has to be, by `docs/performance.md`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    AtLeast(f64),
    AtMost(f64),
    /// Only shown.
    Reported,
}

impl Bound {
    /// Whether it holds; a thing that is only shown always does.
    pub fn holds(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
            Self::Reported => true,
        }
    }
}

/// One line of the table.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    pub name: &'static str,
    pub what: String,
    /// The bank's own figure, the median of the rounds.
    pub ours: f64,
    pub unit: &'static str,
    /// What stands beside it.
    pub beside: Option<f64>,
    /// The median of the rounds' ratios, or the figure that has to hold.
    pub ratio: f64,
    /// The ratios themselves.
    pub ratios: Vec<f64>,
    pub bound: Bound,
    pub holds: bool,
}

impl Line {
    /// A figure that has to hold by itself; `None` when nothing was measured.
    pub fn of(
        name: &'static str,
        what: &str,
        unit: &'static str,
        values: &[f64],
        bound: Bound,
    ) -> Option<Self> {
        let value = median(values)?;
        Some(Self {
            name,
            what: what.to_owned(),
            ours: value,
            unit,
            beside: None,
            ratio: value,
            ratios: values.to_vec(),
            bound,
            holds: bound.holds(value),
        })
    }
}

struct Ratio {
    name: &'static str,
    what: &'static str,
    ours: Probe,
    beside: Probe,
    unit: &'static str,
    bound: Bound,
    /// What the yardstick's figure is turned into before the division.
    allowance: fn(f64) -> f64,
}

const fn same(value: f64) -> f64 {
    value
}

const RATIOS: [Ratio; 15] = [
    ratio(
        "T1",
        "transfers, 64 connections : pgbench",
        Probe::Transfers,
        Probe::Statements,
        Bound::AtLeast(1.0),
    ),
    ratio(
        "T1",
        "the same : one stored function",
        Probe::Transfers,
        Probe::Function,
        Bound::Reported,
    ),
    ratio(
        "T2",
        "batches of 500 : pgbench",
        Probe::Batches,
        Probe::Statements,
        Bound::AtLeast(3.0),
    ),
    ratio(
        "T2",
        "the same : one set-based statement of 500",
        Probe::Batches,
        Probe::SetBased,
        Bound::Reported,
    ),
    ratio(
        "T3",
        "all pay one account : T1",
        Probe::Hot,
        Probe::Transfers,
        Bound::AtLeast(0.8),
    ),
    ratio(
        "T3",
        "the same : pgbench paying one account",
        Probe::Hot,
        Probe::StatementsHot,
        Bound::Reported,
    ),
    ratio(
        "T4",
        "sagas, 64 connections : T1",
        Probe::Sagas,
        Probe::Transfers,
        Bound::AtLeast(0.5),
    ),
    ratio(
        "PEER",
        "the bank : the peer",
        Probe::Transfers,
        Probe::Peer,
        Bound::Reported,
    ),
    ratio(
        "PEER",
        "the bank's sagas : the peer",
        Probe::Sagas,
        Probe::Peer,
        Bound::Reported,
    ),
    ratio(
        "S2",
        "two banks, all crossing : T1",
        Probe::Crossing,
        Probe::Transfers,
        Bound::AtLeast(0.5),
    ),
    ratio(
        "S2",
        "the same : pgbench",
        Probe::Crossing,
        Probe::Statements,
        Bound::Reported,
    ),
    ratio(
        "S1",
        "T1's load on the large bank : T1",
        Probe::Large,
        Probe::Transfers,
        Bound::AtLeast(0.8),
    ),
    ratio(
        "S1",
        "the same : pgbench of the same size",
        Probe::Large,
        Probe::StatementsLarge,
        Bound::Reported,
    ),
    Ratio {
        name: "L1",
        what: "p50 alone : 4 × pgbench alone + 2 ms",
        ours: Probe::Alone,
        beside: Probe::StatementsAlone,
        unit: "ms",
        bound: Bound::AtMost(1.0),
        allowance: |alone| 4.0 * alone + 2.0,
    },
    Ratio {
        name: "L2",
        what: "p99 at half of T1 : p50 alone",
        ours: Probe::HalfLoad,
        beside: Probe::Alone,
        unit: "ms",
        bound: Bound::AtMost(10.0),
        allowance: same,
    },
];

const fn ratio(
    name: &'static str,
    what: &'static str,
    ours: Probe,
    beside: Probe,
    bound: Bound,
) -> Ratio {
    Ratio {
        name,
        what,
        ours,
        beside,
        unit: "/s",
        bound,
        allowance: same,
    }
}

/// The lines that these rounds give; what was not read gives none.
pub fn lines(rounds: &[Vec<Reading>]) -> Vec<Line> {
    RATIOS
        .iter()
        .filter_map(|ratio| line(ratio, rounds))
        .collect()
}

fn line(ratio: &Ratio, rounds: &[Vec<Reading>]) -> Option<Line> {
    let find = |round: &[Reading], probe| {
        let reading = round.iter().find(|reading| reading.probe == probe);
        reading.map(|reading| reading.value)
    };
    let pairs: Vec<(f64, f64)> = rounds
        .iter()
        .filter_map(|round| Some((find(round, ratio.ours)?, find(round, ratio.beside)?)))
        .collect();
    let ratios: Vec<f64> = pairs
        .iter()
        .map(|(ours, beside)| ours / (ratio.allowance)(*beside))
        .collect();
    let value = median(&ratios)?;
    Some(Line {
        name: ratio.name,
        what: ratio.what.to_owned(),
        ours: median(&pairs.iter().map(|pair| pair.0).collect::<Vec<_>>())?,
        unit: ratio.unit,
        beside: median(&pairs.iter().map(|pair| pair.1).collect::<Vec<_>>()),
        ratio: value,
        ratios,
        bound: ratio.bound,
        holds: ratio.bound.holds(value),
    })
}

/// The middle one; of an even number the mean of the two in the middle.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        length if length % 2 == 1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(probe: Probe, value: f64) -> Reading {
        Reading {
            probe,
            value,
            percentiles: Vec::new(),
            transfers: 0,
            drained: 0.0,
        }
    }

    #[test]
    fn the_median_of_the_pairs_counts_and_not_the_pair_of_the_medians() {
        let round = |ours, beside| {
            vec![
                reading(Probe::Transfers, ours),
                reading(Probe::Statements, beside),
            ]
        };
        let rounds = [round(100.0, 100.0), round(300.0, 100.0), round(120.0, 60.0)];
        let line = &lines(&rounds)[0];
        assert!((line.ratio - 2.0).abs() < 1e-9, "{line:?}");
        assert!(line.holds);
    }

    #[test]
    fn a_latency_may_be_as_high_as_its_allowance() {
        let round = vec![
            reading(Probe::Alone, 6.0),
            reading(Probe::StatementsAlone, 1.0),
        ];
        let lines = lines(&[round]);
        assert!((lines[0].ratio - 1.0).abs() < 1e-9, "{lines:?}");
    }
}
