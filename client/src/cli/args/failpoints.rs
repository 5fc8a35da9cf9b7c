//! Where a process can be made to die, to wait or to fail, for `banking-cli demo --crash`.

use client::FailpointAction;

/// Whose process it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// transactions-service.
    Coordinator,
    /// The bank of the account that is debited.
    Bank,
    /// The other bank.
    OtherBank,
}

impl Side {
    pub const fn words(self) -> &'static str {
        match self {
            Self::Coordinator => "coordinator",
            Self::Bank => "bank",
            Self::OtherBank => "other bank",
        }
    }
}

/// An arrow of the protocol at which something can be made to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failpoint {
    pub side: Side,
    pub name: &'static str,
    pub means: &'static str,
    /// What must be true in the end when the process dies; `None` where either outcome is right.
    pub commits: Option<bool>,
    /// The same when it only waits for a while.
    pub commits_after_pause: Option<bool>,
    /// What has to go wrong elsewhere before a transfer comes this way.
    pub beforehand: Option<(Side, &'static str, FailpointAction)>,
    /// The coordinator is stopped meanwhile, so that the banks have only each other.
    pub stops_coordinator: bool,
    /// Only a transfer by saga comes this way.
    pub by_saga: bool,
}

const fn point(
    side: Side,
    name: &'static str,
    means: &'static str,
    commits: Option<bool>,
) -> Failpoint {
    Failpoint {
        side,
        name,
        means,
        commits,
        // What only waited before the decision goes on and commits, unless it waited too long.
        commits_after_pause: match commits {
            Some(true) => Some(true),
            Some(false) | None => None,
        },
        beforehand: None,
        stops_coordinator: false,
        by_saga: false,
    }
}

/// All of them, in the order in which a transfer passes them.
pub const FAILPOINTS: [Failpoint; 22] = [
    point(
        Side::Coordinator,
        "after_begin",
        "begun durably, no bank knows",
        Some(false),
    ),
    point(
        Side::Coordinator,
        "before_prepare_send",
        "the first PREPARE is about to go",
        Some(false),
    ),
    point(
        Side::Bank,
        "before_prepare_commit",
        "the promise is not durable yet",
        None,
    ),
    point(
        Side::Bank,
        "after_prepare_commit",
        "promised durably, money held",
        None,
    ),
    point(
        Side::Bank,
        "before_vote_reply",
        "the YES is about to be sent",
        None,
    ),
    point(
        Side::Coordinator,
        "after_votes",
        "all have promised, none decided",
        Some(false),
    ),
    point(
        Side::Coordinator,
        "before_decide",
        "the decision is being written",
        Some(false),
    ),
    point(
        Side::Coordinator,
        "after_decide",
        "decided durably, no bank told",
        Some(true),
    ),
    point(
        Side::Coordinator,
        "before_decision_send",
        "the first COMMIT is about to go",
        Some(true),
    ),
    point(
        Side::Bank,
        "before_apply_commit",
        "booking is not durable yet",
        Some(true),
    ),
    point(
        Side::Bank,
        "after_apply",
        "booked durably, not acknowledged",
        Some(true),
    ),
    point(
        Side::Bank,
        "before_ack",
        "the acknowledgement is about to go",
        Some(true),
    ),
    point(
        Side::Coordinator,
        "after_acks",
        "all have booked, not written down",
        Some(true),
    ),
    point(
        Side::Coordinator,
        "before_done",
        "done is about to be written",
        Some(true),
    ),
    point(
        Side::Coordinator,
        "before_client_reply",
        "done, the client is not told",
        Some(true),
    ),
    Failpoint {
        commits_after_pause: Some(false),
        beforehand: Some((Side::Coordinator, "after_votes", FailpointAction::Fail)),
        ..point(
            Side::Coordinator,
            "after_claim",
            "recovery has taken it over",
            Some(false),
        )
    },
    Failpoint {
        beforehand: Some((
            Side::Coordinator,
            "before_decision_send",
            FailpointAction::Pause,
        )),
        ..point(
            Side::Bank,
            "after_inquiry",
            "in doubt, it has just asked",
            Some(true),
        )
    },
    Failpoint {
        commits_after_pause: Some(false),
        beforehand: Some((
            Side::OtherBank,
            "before_prepare_commit",
            FailpointAction::Fail,
        )),
        stops_coordinator: true,
        ..point(
            Side::OtherBank,
            "after_peer_tombstone",
            "a bank in doubt asked the other",
            Some(false),
        )
    },
    Failpoint {
        by_saga: true,
        ..point(
            Side::Coordinator,
            "saga_before_log",
            "debited, not in the saga's log",
            None,
        )
    },
    Failpoint {
        by_saga: true,
        ..point(
            Side::Coordinator,
            "saga_after_log",
            "in the saga's log, credit not asked",
            None,
        )
    },
    Failpoint {
        by_saga: true,
        ..point(
            Side::Bank,
            "before_step_commit",
            "a saga's step is not durable yet",
            None,
        )
    },
    Failpoint {
        by_saga: true,
        ..point(
            Side::Bank,
            "after_step_commit",
            "a saga's step is done, not answered",
            None,
        )
    },
];

impl Failpoint {
    /// What must be true in the end; `None` where either outcome is right.
    pub const fn commits_after(&self, action: FailpointAction) -> Option<bool> {
        match action {
            FailpointAction::Abort | FailpointAction::Fail => self.commits,
            FailpointAction::Pause => self.commits_after_pause,
        }
    }
}

impl std::fmt::Display for Failpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            name, side, means, ..
        } = self;
        write!(f, "{name:<22}{:<12}{means}", side.words())
    }
}

/// Reads the name of a point; anything else is answered with the list.
pub fn named(text: &str) -> Result<Failpoint, String> {
    let found = FAILPOINTS.iter().find(|point| point.name == text);
    found.copied().ok_or_else(|| {
        let list = FAILPOINTS.map(|point| format!("  {point}"));
        format!("the points are\n{}", list.join("\n"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_has_a_name_of_its_own_and_fits_into_a_menu() {
        let mut names: Vec<_> = FAILPOINTS.iter().map(|point| point.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FAILPOINTS.len());
        for point in FAILPOINTS {
            let line = point.to_string();
            assert!(line.chars().count() <= 74, "{line}");
        }
    }

    #[test]
    fn every_arrow_of_the_protocol_can_be_chosen() {
        for arrow in [
            "after_begin",
            "before_prepare_send",
            "after_prepare_commit",
            "before_vote_reply",
            "after_votes",
            "before_decide",
            "after_decide",
            "before_decision_send",
            "after_apply",
            "before_ack",
            "after_acks",
            "before_done",
            "before_client_reply",
            "after_claim",
            "after_inquiry",
            "after_peer_tombstone",
            "saga_before_log",
            "saga_after_log",
            "before_step_commit",
            "after_step_commit",
        ] {
            assert!(named(arrow).is_ok(), "{arrow}");
        }
        assert!(named("nowhere").unwrap_err().contains("before_ack"));
    }
}
