//! What a client asks for next, drawn from its own sequence of numbers.

use history::{Leg, Request};
use types::{Amount, Change, TransactionId};

use super::random::Random;
use super::world::{Account, BANKS, World};

/// One client's wishes. Keys are numbered, so that the same seed asks for the same.
pub(super) struct Wishes {
    client: u32,
    number: u64,
}

impl Wishes {
    pub(super) const fn of(client: u32) -> Self {
        Self { client, number: 0 }
    }

    /// The next one. `open` are transactions of which this client does not know that they are settled.
    pub(super) fn next(
        &mut self,
        random: &mut Random,
        world: &World,
        open: &[TransactionId],
    ) -> Request {
        match random.below(100) {
            0..40 => Request::Transfer {
                key: self.key(),
                protocol: protocol(random),
                legs: two_legs(random, world),
            },
            40..50 => Request::Transfer {
                key: self.key(),
                protocol: protocol(random),
                legs: many_legs(random, world),
            },
            50..62 => Request::Batch {
                key: self.key(),
                linked: random.chance(50),
                transfers: (0..random.between(1, 5))
                    .map(|_| two_legs(random, world))
                    .collect(),
            },
            62..68 => Request::Deposit {
                key: self.key(),
                account: one(random, world).id,
                amount: amount(random),
            },
            68..74 => Request::Withdrawal {
                key: self.key(),
                account: one(random, world).id,
                amount: amount(random),
            },
            74..80 => Request::List {
                bank: random.pick(&BANKS).0.to_owned(),
            },
            80..90 if !open.is_empty() => Request::Status {
                transaction: *random.pick(open),
            },
            _ => Request::Read {
                account: one(random, world).id,
            },
        }
    }

    fn key(&mut self) -> String {
        self.number += 1;
        format!("client-{}-{}", self.client, self.number)
    }
}

/// One in four by saga: both protocols meet at the same accounts.
fn protocol(random: &mut Random) -> String {
    if random.chance(25) { "saga" } else { "2pc" }.to_owned()
}

fn one<'a>(random: &mut Random, world: &'a World) -> &'a Account {
    if random.chance(35) {
        random.pick(&world.hot)
    } else {
        random.pick(&world.accounts)
    }
}

/// Mostly small; now and then more than most accounts have.
fn cents(random: &mut Random) -> u64 {
    if random.chance(4) {
        random.between(50_000, 200_000)
    } else {
        random.between(1, 1_500)
    }
}

fn written(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

fn amount(random: &mut Random) -> Amount {
    let text = written(cents(random));
    text.parse().expect("a number of cents that is not zero")
}

fn change(cents: u64, sign: &str) -> Change {
    let text = format!("{sign}{}", written(cents));
    text.parse().expect("a number of cents that is not zero")
}

fn two_legs(random: &mut Random, world: &World) -> Vec<Leg> {
    let from = one(random, world).id;
    let to = loop {
        let to = one(random, world).id;
        if to != from {
            break to;
        }
    };
    let amount = cents(random);
    vec![
        Leg {
            account: from,
            change: change(amount, "-"),
        },
        Leg {
            account: to,
            change: change(amount, ""),
        },
    ]
}

/// One is debited and several credited, or the other way round.
fn many_legs(random: &mut Random, world: &World) -> Vec<Leg> {
    let count = random.between(3, 4).min(world.accounts.len() as u64);
    let mut chosen = vec![one(random, world).id];
    while (chosen.len() as u64) < count {
        let another = one(random, world).id;
        if !chosen.contains(&another) {
            chosen.push(another);
        }
    }
    let (one_side, other_side) = if random.chance(50) {
        ("-", "")
    } else {
        ("", "-")
    };
    let mut total = 0;
    let mut legs: Vec<Leg> = Vec::new();
    for account in &chosen[1..] {
        let amount = cents(random);
        total += amount;
        legs.push(Leg {
            account: *account,
            change: change(amount, other_side),
        });
    }
    legs.push(Leg {
        account: chosen[0],
        change: change(total, one_side),
    });
    legs
}
