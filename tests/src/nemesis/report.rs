//! What a run came to.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use history::Verdict;

use super::fault::Kind;

/// Everything a reader needs to believe a run, or to repeat it.
pub struct Report {
    /// What it was drawn from.
    pub seed: u64,
    /// The kinds of faults that were made.
    pub mix: Vec<Kind>,
    /// The kinds that could not be made here, and why.
    pub skipped: Vec<String>,
    /// It was ended from outside.
    pub interrupted: bool,
    /// From the first request to the last.
    pub lasted: Duration,
    /// How many requests were sent.
    pub requests: u64,
    /// How many of each kind had which outcome.
    pub outcomes: BTreeMap<&'static str, BTreeMap<String, u64>>,
    /// How many faults of each kind were made.
    pub faults: BTreeMap<Kind, u64>,
    /// After which fault the bank took how long; `None` where the next came first.
    pub recoveries: Vec<(String, Option<Duration>)>,
    /// How long after the last fault everything was over; `None` when it was not within 30 s.
    pub at_rest: Option<Duration>,
    /// How often a bank was asked about its ledger while everything ran.
    pub live_checks: u64,
    /// Each invariant that was looked at, and what broke it.
    pub checks: Vec<(String, Vec<String>)>,
    /// What the history check says; `None` when there is no whole history.
    pub verdict: Option<Verdict>,
    /// Where the history is.
    pub history: PathBuf,
    /// Where the logs are, when they were kept.
    pub logs: Option<PathBuf>,
}

impl Report {
    /// Nothing was found.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.at_rest.is_some()
            && self.checks.iter().all(|(_, found)| found.is_empty())
            && self.verdict.as_ref().is_some_and(Verdict::is_good)
    }
}

fn seconds(time: Duration) -> String {
    format!("{}.{:02} s", time.as_secs(), time.subsec_millis() / 10)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mix: Vec<String> = self.mix.iter().map(Kind::to_string).collect();
        writeln!(f, "seed {}, mix {}", self.seed, mix.join(","))?;
        for skipped in &self.skipped {
            writeln!(f, "skipped {skipped}")?;
        }
        let ended = if self.interrupted {
            ", interrupted"
        } else {
            ""
        };
        let lasted = seconds(self.lasted);
        writeln!(f, "{} requests in {lasted}{ended}", self.requests)?;
        writeln!(f, "\nrequests by kind and outcome")?;
        for (kind, outcomes) in &self.outcomes {
            let all: Vec<String> = outcomes
                .iter()
                .map(|(outcome, count)| format!("{count} {outcome}"))
                .collect();
            writeln!(f, "  {kind:<22}{}", all.join(", "))?;
        }
        writeln!(f, "\nfaults by kind")?;
        for (kind, count) in &self.faults {
            writeln!(f, "  {kind:<10}{count:>4}")?;
        }
        self.write_recoveries(f)?;
        writeln!(f, "\ninvariants ({} checks while it ran)", self.live_checks)?;
        match self.at_rest {
            Some(time) => writeln!(
                f,
                "  ok      I10 everything is over {} after the last fault (at most 30 s)",
                seconds(time)
            )?,
            None => writeln!(f, "  BROKEN  I10 not everything was over within 30 s")?,
        }
        for (check, found) in &self.checks {
            let verdict = if found.is_empty() { "ok    " } else { "BROKEN" };
            writeln!(f, "  {verdict}  {check}")?;
            for one in found {
                writeln!(f, "            {one}")?;
            }
        }
        match &self.verdict {
            None => writeln!(f, "\nhistory: it could not be finished")?,
            Some(verdict) => {
                let (all, unknown) = (verdict.operations, verdict.unknown);
                let entries = verdict.entries;
                writeln!(
                    f,
                    "\nhistory: {all} requests ({unknown} unknown), {entries} entries"
                )?;
                write!(f, "{verdict}")?;
            }
        }
        writeln!(f, "\nhistory in {}", self.history.display())?;
        if let Some(logs) = &self.logs {
            writeln!(f, "logs in {}", logs.display())?;
        }
        let word = if self.is_good() {
            "nothing was found"
        } else {
            "SOMETHING IS WRONG"
        };
        writeln!(f, "{word}")
    }
}

impl Report {
    fn write_recoveries(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut measured: Vec<(&str, Duration)> = self
            .recoveries
            .iter()
            .filter_map(|(fault, time)| Some((fault.as_str(), (*time)?)))
            .collect();
        measured.sort_by_key(|(_, time)| std::cmp::Reverse(*time));
        writeln!(
            f,
            "\nrecovery: measured {} times; {} times the next fault came first",
            measured.len(),
            self.recoveries.len() - measured.len()
        )?;
        for (fault, time) in measured.iter().take(5) {
            writeln!(f, "  {:>8}  {fault}", seconds(*time))?;
        }
        Ok(())
    }
}
