//! Curves: throughput over connections, over the number of accounts, and over how many of the
//! transfers pay one hot account; the bank and its yardstick at every point.

use std::time::Duration;

use indicatif::ProgressBar;
use serde::Serialize;

use crate::accounts::Accounts;
use crate::failure::Failure;
use crate::load::Pace;
use crate::probe::Stand;
use crate::work::{Pairs, Transfers};
use crate::yardstick::Script;

/// Points of one thing over another.
#[derive(Debug, Clone, Serialize)]
pub struct Curve {
    /// Which plot it belongs to.
    pub plot: &'static str,
    /// What the points are of.
    pub name: &'static str,
    /// What is varied, and transfers per second.
    pub points: Vec<(f64, f64)>,
}

/// Measures all curves.
///
/// # Errors
/// When a point cannot be measured.
pub async fn draw(stand: &Stand, quick: bool, bar: &ProgressBar) -> Result<Vec<Curve>, Failure> {
    let length = Duration::from_secs(if quick { 3 } else { 15 });
    let mut curves = over_connections(stand, length, bar).await?;
    curves.extend(over_accounts(stand, length, bar).await?);
    Ok(curves)
}

async fn over_connections(
    stand: &Stand,
    length: Duration,
    bar: &ProgressBar,
) -> Result<Vec<Curve>, Failure> {
    let curve = |name| Curve {
        plot: "connections",
        name,
        points: Vec::new(),
    };
    let mut curves = [
        curve("two-phase commit"),
        curve("saga"),
        curve("two-phase commit, one hot account"),
        curve("pgbench"),
        curve("pgbench, one hot account"),
    ];
    for connections in [1_usize, 2, 4, 8, 16, 32, 64] {
        bar.set_message(format!("curve over connections: {connections}"));
        let random = Transfers::random(stand.bank.accounts);
        let works = [
            random.clone(),
            Transfers {
                protocol: "saga",
                ..random.clone()
            },
            Transfers {
                pairs: Pairs::ToOne,
                ..random
            },
        ];
        let at = connections as f64;
        for (curve, work) in curves.iter_mut().zip(works) {
            let measured = stand.run(work, connections, Pace::Closed, length).await?;
            curve.points.push((at, measured.rate()));
        }
        for (curve, script) in curves[3..]
            .iter_mut()
            .zip([Script::Statements, Script::Hot])
        {
            let speed = stand.yardstick.run(script, connections, length).await?;
            curve.points.push((at, speed.rate));
        }
    }
    Ok(curves.to_vec())
}

async fn over_accounts(
    stand: &Stand,
    length: Duration,
    bar: &ProgressBar,
) -> Result<Vec<Curve>, Failure> {
    let curve = |name| Curve {
        plot: "accounts",
        name,
        points: Vec::new(),
    };
    let mut curves = [curve("two-phase commit"), curve("pgbench")];
    for number in [2, 10, 100, 1_000, 10_000, 100_000] {
        if number > stand.bank.accounts.each {
            break;
        }
        bar.set_message(format!("curve over accounts: {number}"));
        let few = Transfers::random(Accounts { each: number });
        let all = stand.tokens.len();
        let measured = stand.run(few, all, Pace::Closed, length).await?;
        curves[0].points.push((number as f64, measured.rate()));
        let yardstick = stand.yardstick.among(number);
        let connections = stand.yardstick_connections;
        let speed = yardstick
            .run(Script::Statements, connections, length)
            .await?;
        curves[1].points.push((number as f64, speed.rate));
    }
    Ok(curves.to_vec())
}
