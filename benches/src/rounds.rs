//! Round after round, everything in turn.

use std::collections::BTreeMap;

use indicatif::ProgressBar;

use crate::failure::Failure;
use crate::measure::{Bound, Line};
use crate::memory::Watch;
use crate::probe::{Probe, Reading, Stand};

/// What the rounds gave.
pub struct Read {
    pub rounds: Vec<Vec<Reading>>,
    /// Peak PSS of each process while random transfers were measured, in kB.
    peaks: BTreeMap<String, u64>,
}

/// Warms everything up, then measures it so many times.
///
/// # Errors
/// When something cannot be measured, or too little was committed.
pub async fn read(
    stand: &Stand,
    probes: &[Probe],
    rounds: usize,
    bar: &ProgressBar,
) -> Result<Read, Failure> {
    // Caches fill, tables get their first pages, connections are opened.
    let mut half = 100.0;
    for probe in probes {
        bar.set_message(format!("warming up: {probe:?}"));
        let reading = stand.read(*probe, half).await?;
        note_half(&mut half, &reading);
        bar.inc(1);
    }
    let mut read = Read {
        rounds: Vec::with_capacity(rounds),
        peaks: BTreeMap::new(),
    };
    for round in 1..=rounds {
        let mut readings = Vec::with_capacity(probes.len());
        for probe in probes {
            bar.set_message(format!("round {round}: {probe:?}"));
            let watch = (*probe == Probe::Transfers).then(|| Watch::begin(processes(stand)));
            let reading = stand.read(*probe, half).await?;
            for (name, peak) in watch.map(Watch::end).unwrap_or_default() {
                let highest = read.peaks.entry(name).or_default();
                *highest = peak.max(*highest);
            }
            note_half(&mut half, &reading);
            // Also where there is no terminal to draw a bar on.
            let (value, drained) = (reading.value, reading.drained);
            bar.suspend(|| eprintln!("  round {round}: {probe:?} {value:.2}{}", after(drained)));
            readings.push(reading);
            bar.inc(1);
        }
        read.rounds.push(readings);
    }
    Ok(read)
}

impl Read {
    /// M1, for each service.
    pub fn memory_lines(&self) -> Vec<Line> {
        let line = |(name, peak): (&String, &u64)| {
            let peak = *peak as f64 / 1024.0;
            let what = format!("highest PSS of {name} under T1");
            Line::of("M1", &what, "MB", &[peak], Bound::AtMost(64.0))
        };
        self.peaks.iter().filter_map(line).collect()
    }
}

/// What is said of a load that took long to be written off.
fn after(drained: f64) -> String {
    match drained > 100.0 {
        true => format!(", of its time {drained:.0} ms after the last answer"),
        false => String::new(),
    }
}

fn note_half(half: &mut f64, reading: &Reading) {
    if reading.probe == Probe::Transfers {
        *half = reading.value / 2.0;
    }
}

fn processes(stand: &Stand) -> Vec<(String, u32)> {
    let names = stand.bank.bank.names();
    let services = names
        .into_iter()
        .filter(|name| name != stack::bank::POSTGRES);
    services
        .filter_map(|name| {
            let pid = stand.bank.bank.process(&name).ok()?.pid?;
            Some((name, pid))
        })
        .collect()
}
