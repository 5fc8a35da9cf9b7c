//! What is measured in this run.

use crate::failure::Failure;
use crate::probe::{ALL, Probe};

/// Everything, or what was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Measured in every round, in this order.
    pub probes: Vec<Probe>,
    /// R1.
    pub recovery: bool,
    /// B1.
    pub start: bool,
    /// S1, for which another bank is made.
    pub large: bool,
    /// The curves over connections and accounts.
    pub curves: bool,
}

impl Plan {
    /// What the names in `only` need; all of it when there are none. A quick run draws no curves
    /// and makes no large bank unless it is told to.
    ///
    /// # Errors
    /// A name that is none.
    pub fn of(only: &[String], quick: bool) -> Result<Self, Failure> {
        if only.is_empty() {
            return Ok(Self {
                probes: ALL.to_vec(),
                recovery: true,
                start: true,
                large: !quick,
                curves: !quick,
            });
        }
        let mut plan = Self {
            probes: Vec::new(),
            recovery: false,
            start: false,
            large: false,
            curves: false,
        };
        let mut probes = Vec::new();
        for name in only {
            let needed: &[Probe] = match name.to_uppercase().as_str() {
                "T1" | "M1" => &[Probe::Statements, Probe::Transfers, Probe::Function],
                "T2" => &[Probe::Statements, Probe::Batches, Probe::SetBased],
                "T3" => &[Probe::Transfers, Probe::Hot, Probe::StatementsHot],
                "T4" => &[Probe::Transfers, Probe::Sagas],
                "S1" => {
                    plan.large = true;
                    &[Probe::Statements, Probe::Transfers]
                }
                "S2" => &[Probe::Statements, Probe::Transfers, Probe::Crossing],
                "PEER" => &[Probe::Statements, Probe::Transfers, Probe::Peer],
                "L1" => &[Probe::StatementsAlone, Probe::Alone],
                "L2" => &[Probe::Transfers, Probe::Alone, Probe::HalfLoad],
                "R1" => {
                    plan.recovery = true;
                    &[]
                }
                "B1" => {
                    plan.start = true;
                    &[]
                }
                // The bank's own load alone, to be looked at with a profiler.
                "LOAD" => &[Probe::Transfers],
                "CURVES" => {
                    plan.curves = true;
                    &[]
                }
                other => return Err(Failure::new(format!("there is no measure {other}"))),
            };
            probes.extend(needed);
        }
        plan.probes = ALL
            .into_iter()
            .filter(|probe| probes.contains(probe))
            .collect();
        Ok(plan)
    }

    /// The same without one of its probes.
    #[must_use]
    pub fn without(mut self, probe: Probe) -> Self {
        self.probes.retain(|other| *other != probe);
        self
    }

    /// How many readings the rounds take, the warm-up included.
    pub fn steps(&self, rounds: usize) -> usize {
        (rounds + 1) * self.probes.len()
    }

    /// Whether two banks are needed.
    pub fn crosses(&self) -> bool {
        self.probes.contains(&Probe::Crossing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measure_brings_its_yardstick_along() {
        let plan = Plan::of(&["l1".to_owned(), "R1".to_owned()], true).expect("known");
        assert_eq!(plan.probes, [Probe::StatementsAlone, Probe::Alone]);
        assert!(plan.recovery && !plan.start);
        assert!(Plan::of(&["X9".to_owned()], true).is_err());
    }

    #[test]
    fn what_is_not_installed_is_left_out_and_the_rest_stays() {
        let plan = Plan::of(&["PEER".to_owned()], true).expect("known");
        let rest = plan.without(Probe::Peer);
        assert_eq!(rest.probes, [Probe::Statements, Probe::Transfers]);
    }
}
