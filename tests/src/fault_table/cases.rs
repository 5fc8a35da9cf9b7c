//! The numbered cases, in words.

/// A case: its number, what happens, and what must be true then.
pub(super) type Case = (u32, &'static str, &'static str);

/// All cases under their headings.
pub(super) const SECTIONS: &[(&str, &[Case])] = &[
    ("The coordinator is killed", COORDINATOR),
    ("A participant is killed", PARTICIPANT),
    ("Messages", MESSAGES),
    ("Network, time, load", NETWORK),
    ("Sagas", SAGAS),
    ("Events", EVENTS),
    ("Read model", READ_MODEL),
    ("Further cases", FURTHER),
];

const COORDINATOR: &[Case] = &[
    (1, "before the begin row", "no trace"),
    (2, "after it, before the first PREPARE", "A"),
    (3, "one of two participants has prepared", "A"),
    (4, "all have promised, nothing is decided", "A"),
    (
        5,
        "its database is lost during the decision",
        "A or C, by reading again",
    ),
    (6, "decided to commit, nothing is sent", "C"),
    (7, "COMMIT reached one of two participants", "C"),
    (8, "acknowledged, not marked as done", "C"),
    (9, "decided to abort, nothing is sent", "A"),
    (
        10,
        "before the reply; the client repeats with its key",
        "the same result",
    ),
    (11, "twenty times during recovery", "terminal"),
    (12, "and two others recover at once", "one decision"),
    (
        13,
        "it is only stopped, beyond its lease, and wakes",
        "its decision changes nothing",
    ),
    (
        14,
        "not it, but its PostgreSQL, at 2, 4 and 6",
        "the same outcomes",
    ),
    (
        15,
        "its database comes back from an old copy",
        "nothing is presumed, alarm",
    ),
    (
        16,
        "the client hangs up at any moment",
        "the transfer ends all the same",
    ),
    (
        17,
        "a thousand clients hang up",
        "no database transaction is left open in a pool",
    ),
];

const PARTICIPANT: &[Case] = &[
    (18, "before its promise is durable", "asked again, one vote"),
    (19, "its YES is lost", "YES again, one hold"),
    (
        20,
        "with prepared branches",
        "the holds are there, it resolves them",
    ),
    (21, "before applying", "C"),
    (
        22,
        "its acknowledgement is lost",
        "acknowledged again, one entry",
    ),
    (23, "during an abort", "A"),
    (
        24,
        "not it, but its PostgreSQL, at 18 to 23",
        "the same outcomes",
    ),
    (
        25,
        "its disk is full",
        "no YES is lost and none is given: A",
    ),
    (
        26,
        "it is only stopped, past the deadline",
        "A; its late YES is ignored",
    ),
    (
        27,
        "it comes back from an old copy, a branch is missing",
        "hazard, not acknowledged",
    ),
    (
        28,
        "no connection is free; deadlock; serialization error",
        "tried again, nothing partial",
    ),
    (29, "a second participant, before it voted", "A"),
    (
        30,
        "a second participant, after its YES",
        "C when it returns; the first is not blocked",
    ),
];

const MESSAGES: &[Case] = &[
    (31, "ten PREPAREs at once", "one branch"),
    (32, "PREPARE after ABORT", "NO"),
    (33, "PREPARE after COMMIT", "no effect"),
    (34, "PREPARE older than tombstones are kept", "NO"),
    (35, "PREPARE with other content", "refused, alarm"),
    (36, "COMMIT before PREPARE", "hazard"),
    (37, "ten COMMITs at once", "one entry"),
    (38, "ABORT after COMMIT", "hazard"),
    (39, "COMMIT after ABORT", "hazard"),
    (
        40,
        "PREPARE and ABORT together, a thousand times",
        "never left prepared",
    ),
    (
        41,
        "an answer that is cut off, a page, 500 after success",
        "unknown, asked again",
    ),
    (42, "a redirect or another service's answer", "never a vote"),
    (43, "a message that is ten minutes old", "no effect"),
];

const NETWORK: &[Case] = &[
    (44, "a partition before the votes", "A"),
    (45, "a partition after YES", "blocked, then A or C"),
    (46, "every loss in one direction", "A or C"),
    (
        47,
        "the coordinator is cut off from its database",
        "no decision",
    ),
    (
        48,
        "a client's repetition while the first request runs",
        "once",
    ),
    (49, "a link that flaps every second for a minute", "A or C"),
    (50, "30 % resets and 200 ms of delay", "A or C"),
    (
        51,
        "a peer that accepts and never answers",
        "given up in time",
    ),
    (
        52,
        "no coordinator for five minutes",
        "other accounts go on",
    ),
    (
        53,
        "clocks that jump an hour, forth and back",
        "the same outcomes",
    ),
    (
        54,
        "500 transfers to one account",
        "no deadlock, the exact sum",
    ),
    (55, "transfers that cross, a thousand times", "no deadlock"),
    (56, "a circle over three banks", "all terminal"),
    (57, "two withdrawals of 100 from 150", "one commits"),
    (58, "one key fifty times at once", "one transfer"),
    (59, "frozen while prepared", "the commit still applies"),
    (60, "a batch of 50 with one NO", "49 commit"),
    (
        61,
        "killed in the middle of a batch",
        "all of a list is prepared or none",
    ),
    (
        62,
        "20 open legs on one account, any subset commits",
        "never negative",
    ),
];

const SAGAS: &[Case] = &[
    (
        63,
        "killed before and after every write of the log",
        "it goes on",
    ),
    (64, "each step fails", "undone, last step first"),
    (65, "each action twice", "one effect"),
    (66, "each compensation twice", "one effect"),
    (67, "a compensation fails, then works", "compensated"),
    (68, "a compensation fails for ever", "stuck, alarm"),
    (
        69,
        "a compensation before its action",
        "recorded; the late action has no effect",
    ),
    (70, "the late action after that", "nothing"),
    (71, "two executors", "one is fenced off"),
    (72, "killed while compensating", "never forward again"),
    (73, "after the pivot", "only forward"),
    (
        74,
        "money that an unfinished saga has credited",
        "not spent",
    ),
    (75, "a time-out although it happened", "undone"),
];

const EVENTS: &[Case] = &[
    (
        76,
        "killed after the commit, before publishing",
        "published later",
    ),
    (
        77,
        "after publishing, before marking",
        "a duplicate, one effect",
    ),
    (
        78,
        "a consumer dies after its commit, before the acknowledgement",
        "nothing twice",
    ),
    (79, "a consumer dies before its commit", "processed"),
    (
        80,
        "the broker is killed before it confirms",
        "published again",
    ),
    (81, "an event that no queue takes", "kept, alarm"),
    (82, "an event that is refused", "kept"),
    (83, "out of order", "parked"),
    (84, "poison", "N attempts, then set aside; the others flow"),
    (85, "replayed twice", "one effect"),
    (86, "nowhere to set it aside", "retained"),
    (87, "no broker for five minutes", "drains"),
    (88, "the inbox is rolled back", "neither row nor effect"),
];

const READ_MODEL: &[Case] = &[
    (
        89,
        "killed between writing and marking",
        "the same document",
    ),
    (90, "an older version comes late", "ignored"),
    (
        91,
        "no document store for ten minutes",
        "the API does not notice; it catches up",
    ),
    (92, "two workers", "in order for each aggregate"),
    (93, "a lower id commits later", "not skipped"),
    (94, "fail-over", "nothing is lost"),
    (95, "built again from nothing", "identical"),
];

const FURTHER: &[Case] = &[
    (
        96,
        "duplicates over two coordinators, money for one",
        "one commits, the other replays it",
    ),
    (
        97,
        "cash killed at each point, repeated, racing a hold",
        "once, never from held money",
    ),
    (
        98,
        "a limit lowered, an account closed, under holds",
        "refused",
    ),
    (
        99,
        "an id that everybody forgot",
        "hazard and alarm, nothing aborted",
    ),
    (
        100,
        "a database fails over to a copy without its last commits",
        "nothing moves, alarm",
    ),
    (101, "forced against the decision", "MIXED, visible"),
    (102, "legs in two currencies at two banks", "refused"),
    (103, "a credit that would overflow", "refused at the vote"),
    (
        104,
        "an account twice in one transfer",
        "refused before it begins",
    ),
    (105, "a linked batch killed at each point", "all or none"),
    (106, "a leg on a system account", "refused"),
    (107, "a refund overtakes a late payment", "nothing is paid"),
    (
        108,
        "the database's clock is set back an hour",
        "recovery still takes over",
    ),
    (109, "one poisoned item in a list", "the others finish"),
    (
        110,
        "two exclusive accounts, interleaved lists",
        "nobody waits for the deadline",
    ),
    (
        111,
        "a PostgreSQL that is stopped and not dead",
        "given up in time, then A or C",
    ),
    (
        112,
        "the coordinator's disk is full",
        "no decision is announced that is not durable",
    ),
    (
        113,
        "a role with synchronous_commit off",
        "switched on for every connection",
    ),
    (114, "two banks on one database", "refused"),
    (
        115,
        "a batch killed and repeated under its key",
        "the same results",
    ),
    (116, "a saga debits an exclusively locked account", "BUSY"),
    (
        117,
        "a bank is down while an account is looked up",
        "unavailable, not \"not found\"",
    ),
];
