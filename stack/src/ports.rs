//! Finding ports that nobody uses.

use std::{
    fs::{self, File, OpenOptions},
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::OpenOptionsExt,
};

use rustix::fs::FlockOperation;

use crate::{Error, Result, topology::Topology};

/// Offsets that banks beside the usual one get. Everything stays below the range from which systems
/// pick the local ends of outgoing connections (32768 and up on Linux): there, a free port can be
/// taken by a stranger between the choice and the bind.
const OFFSETS: std::ops::Range<u16> = 10..230;
const STEP: u16 = 100;

/// Where private PostgreSQL servers listen: beside all offsets, below the outgoing range.
const POSTGRES_PORTS: std::ops::Range<u16> = 27_000..32_000;

/// A number that no other bank of this user takes while this value lives, across processes: between
/// finding a port free and listening on it, another bank may look too.
#[derive(Debug)]
struct Reservation(#[allow(dead_code)] File);

impl Reservation {
    fn take(number: u16) -> Result<Option<Self>> {
        let user = rustix::process::getuid().as_raw();
        let folder = std::env::temp_dir().join(format!("bank-ports-{user}"));
        fs::create_dir_all(&folder).map_err(Error::path("make", &folder))?;
        let path = folder.join(number.to_string());
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(Error::path("open", &path))?;
        let free = rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
        Ok(free.then_some(Self(file)))
    }
}

/// A port offset that stays ours.
#[derive(Debug)]
pub struct PortLease {
    offset: u16,
    _reservation: Reservation,
}

impl PortLease {
    /// Reserves an offset whose ports are all free for a bank of this size.
    ///
    /// # Errors
    /// When there is none.
    pub fn take(banks: u16, coordinators: u16, orders: bool) -> Result<Self> {
        for step in OFFSETS {
            let offset = step * STEP;
            if let Some(reservation) = Reservation::take(offset)?
                && taken(banks, coordinators, orders, offset)?.is_empty()
            {
                return Ok(Self {
                    offset,
                    _reservation: reservation,
                });
            }
        }
        Err(Error::Refused(
            "no port offset is free on this machine".into(),
        ))
    }

    /// The offset.
    pub fn offset(&self) -> u16 {
        self.offset
    }
}

/// A port for a private PostgreSQL server that stays ours.
#[derive(Debug)]
pub struct PostgresPort {
    port: u16,
    _reservation: Reservation,
}

impl PostgresPort {
    /// Reserves a free port, `preferred` if that is free.
    ///
    /// # Errors
    /// When none is free.
    pub fn take(preferred: Option<u16>) -> Result<Self> {
        // Where to begin differs from process to process, so that two users seldom meet.
        let length = usize::from(POSTGRES_PORTS.end - POSTGRES_PORTS.start);
        let begin = std::process::id() as usize * 37 % length;
        for port in preferred
            .into_iter()
            .chain(POSTGRES_PORTS.cycle().skip(begin).take(length))
        {
            if let Some(reservation) = Reservation::take(port)?
                && is_free(port)
            {
                return Ok(Self {
                    port,
                    _reservation: reservation,
                });
            }
        }
        Err(Error::Refused("no port is free for PostgreSQL".into()))
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

fn taken(banks: u16, coordinators: u16, orders: bool, port_offset: u16) -> Result<Vec<u16>> {
    let topology = Topology {
        banks,
        coordinators,
        orders,
        port_offset,
        settings: Default::default(),
    };
    let services = topology.services(std::path::Path::new("/"))?;
    Ok(services
        .into_iter()
        .map(|service| service.port)
        .filter(|port| !is_free(*port))
        .collect())
}

/// Whether a service could listen on 127.0.0.1 at this port now.
pub fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_leases_never_share_an_offset() {
        let (first, second) = (
            PortLease::take(2, 2, true).unwrap(),
            PortLease::take(2, 2, true).unwrap(),
        );
        assert_ne!(first.offset(), second.offset());
    }

    #[test]
    fn a_port_somebody_listens_on_is_not_free() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(!is_free(port));
        assert_ne!(PostgresPort::take(Some(port)).unwrap().port(), port);
    }
}
