//! What can be done to a bank.

use std::fmt;
use std::str::FromStr;

use crate::bank::{ACCOUNTS, ACCOUNTS_2, CUSTOMER, SECOND_COORDINATOR, TRANSACTIONS};

/// The kinds of faults, as they are named on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A process is killed and started again.
    Kill,
    /// A process is stopped and goes on.
    Stop,
    /// The network between two processes, or a process and its database, misbehaves.
    Network,
    /// A PostgreSQL is killed or stopped.
    Postgres,
    /// A PostgreSQL's disk is full.
    Disk,
    /// A clock jumps.
    Clock,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Kill,
        Self::Stop,
        Self::Network,
        Self::Postgres,
        Self::Disk,
        Self::Clock,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Stop => "stop",
            Self::Network => "network",
            Self::Postgres => "postgres",
            Self::Disk => "disk",
            Self::Clock => "clock",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.iter().find(|kind| kind.as_str() == text);
        known.copied().ok_or_else(|| {
            format!("`{text}` is no kind of fault; there are kill, stop, network, postgres, disk, clock and all")
        })
    }
}

/// Every process that serves.
pub const PROCESSES: [&str; 5] = [
    TRANSACTIONS,
    SECOND_COORDINATOR,
    ACCOUNTS,
    ACCOUNTS_2,
    CUSTOMER,
];

/// The services whose database has a server, a disk and a clock of its own.
pub const SERVERS: [&str; 3] = [TRANSACTIONS, ACCOUNTS, ACCOUNTS_2];

/// The services whose own clock can jump.
pub const CLOCKED: [&str; 2] = [SECOND_COORDINATOR, ACCOUNTS];

/// The other end of a link from a service to its database.
pub const TO_DATABASE: &str = "database";

/// Who talks to whom.
pub const LINKS: [(&str, &str); 14] = [
    (TRANSACTIONS, ACCOUNTS),
    (TRANSACTIONS, ACCOUNTS_2),
    (SECOND_COORDINATOR, ACCOUNTS),
    (SECOND_COORDINATOR, ACCOUNTS_2),
    (ACCOUNTS, TRANSACTIONS),
    (ACCOUNTS, SECOND_COORDINATOR),
    (ACCOUNTS_2, TRANSACTIONS),
    (ACCOUNTS_2, SECOND_COORDINATOR),
    (ACCOUNTS, ACCOUNTS_2),
    (ACCOUNTS_2, ACCOUNTS),
    (TRANSACTIONS, TO_DATABASE),
    (SECOND_COORDINATOR, TO_DATABASE),
    (ACCOUNTS, TO_DATABASE),
    (ACCOUNTS_2, TO_DATABASE),
];

/// What a link does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// Connections are reset, new ones refused.
    Cut,
    /// Everything arrives, this many milliseconds late.
    Late(u64),
    /// What the first says is lost; what the second says arrives.
    LosesThere,
    /// The other way round: requests arrive, answers are lost.
    LosesBack,
    /// Connections are accepted and nothing is ever answered.
    Hangs,
    /// This percentage of what is sent resets its connection.
    Resets(u8),
    /// Cut and healed in turns of this many milliseconds.
    Flaps(u64),
}

/// One thing that is done to the bank, and undone later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// SIGKILL; started again at the end.
    Kill(&'static str),
    /// SIGSTOP; SIGCONT at the end.
    Stop(&'static str),
    /// A link misbehaves.
    Link(&'static str, &'static str, Weather),
    /// A process can talk to its database only.
    Isolate(&'static str),
    /// The PostgreSQL of a service is killed; started again at the end.
    KillPostgres(&'static str),
    /// All processes of the PostgreSQL of a service are stopped; they go on at the end.
    StopPostgres(&'static str),
    /// Not a byte more fits on the disk of a service's PostgreSQL.
    FullDisk(&'static str),
    /// The clock of a service's PostgreSQL is this many seconds off.
    PostgresClock(&'static str, i64),
    /// The clock of a service is this many seconds off.
    ServiceClock(&'static str, i64),
}

impl Fault {
    /// Which kind it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Kill(_) => Kind::Kill,
            Self::Stop(_) => Kind::Stop,
            Self::Link(..) | Self::Isolate(_) => Kind::Network,
            Self::KillPostgres(_) | Self::StopPostgres(_) => Kind::Postgres,
            Self::FullDisk(_) => Kind::Disk,
            Self::PostgresClock(..) | Self::ServiceClock(..) => Kind::Clock,
        }
    }

    /// Whether two faults cannot be at work at the same time, because one would undo the other.
    #[must_use]
    pub fn excludes(&self, other: &Self) -> bool {
        use Fault::{FullDisk, Isolate, Kill, KillPostgres, Link, Stop, StopPostgres};
        use Fault::{PostgresClock, ServiceClock};
        match (self, other) {
            (Kill(one) | Stop(one), Kill(two) | Stop(two)) => one == two,
            (Isolate(_), Isolate(_) | Link(..)) | (Link(..), Isolate(_)) => true,
            (Link(from, to, _), Link(other_from, other_to, _)) => {
                (from, to) == (other_from, other_to)
            }
            (
                KillPostgres(one) | StopPostgres(one) | FullDisk(one),
                KillPostgres(two) | StopPostgres(two) | FullDisk(two),
            )
            | (PostgresClock(one, _), PostgresClock(two, _))
            | (ServiceClock(one, _), ServiceClock(two, _)) => one == two,
            _ => false,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill(who) => write!(f, "{who} is killed"),
            Self::Stop(who) => write!(f, "{who} is stopped"),
            Self::Link(from, to, weather) => {
                write!(f, "{from} to {to}: ")?;
                match weather {
                    Weather::Cut => f.write_str("cut"),
                    Weather::Late(time) => write!(f, "{time} ms late"),
                    Weather::LosesThere => f.write_str("requests are lost"),
                    Weather::LosesBack => f.write_str("answers are lost"),
                    Weather::Hangs => f.write_str("accepts and never answers"),
                    Weather::Resets(percent) => write!(f, "{percent} % resets"),
                    Weather::Flaps(time) => write!(f, "flaps every {time} ms"),
                }
            }
            Self::Isolate(who) => write!(f, "{who} is cut off from all services"),
            Self::KillPostgres(whose) => write!(f, "PostgreSQL of {whose} is killed"),
            Self::StopPostgres(whose) => write!(f, "PostgreSQL of {whose} is stopped"),
            Self::FullDisk(whose) => write!(f, "the disk of {whose}'s PostgreSQL is full"),
            Self::PostgresClock(whose, by) => {
                write!(f, "the clock of {whose}'s PostgreSQL jumps by {by} s")
            }
            Self::ServiceClock(who, by) => write!(f, "the clock of {who} jumps by {by} s"),
        }
    }
}
