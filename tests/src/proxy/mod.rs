//! A network between two processes that does what networks do: delay, lose in one direction, reset,
//! refuse, fall silent. What it does can be changed while connections are open.
//!
//! It works on TCP connections, so what it models is what a process sees of a bad network, not the
//! packets: [`Flow::Hold`] is a link whose packets are repeated until they arrive, late;
//! [`Flow::Lose`] one that comes back when the connection is past saving.

mod connection;

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// What happens to bytes that go in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// They arrive.
    Pass,
    /// They arrive this much later.
    Delay(Duration),
    /// They arrive when this ends, in order and complete.
    Hold,
    /// They never arrive. When this ends, a connection that lost some is reset.
    Lose,
}

/// What the network is like at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Weather {
    there: Flow,
    back: Flow,
    cut: bool,
    reset_per_cent: u8,
    /// How often [`Proxy::reset`] was called.
    resets: u64,
}

const FINE: Weather = Weather {
    there: Flow::Pass,
    back: Flow::Pass,
    cut: false,
    reset_per_cent: 0,
    resets: 0,
};

/// One link: from whoever connects to its port, to one server. Dropping the last handle ends it and
/// its connections.
#[derive(Clone)]
pub struct Proxy {
    inner: Arc<Inner>,
}

struct Inner {
    address: SocketAddr,
    weather: watch::Sender<Weather>,
    traffic: Arc<Traffic>,
    accepting: JoinHandle<()>,
}

/// What the connections of one link share.
struct Traffic {
    server: Mutex<Option<String>>,
    there: AtomicU64,
    back: AtomicU64,
    lost: AtomicU64,
    dice: AtomicU64,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Proxy {
    /// A link to `server` (`host:port`); without one it resets all connections until
    /// [`lead_to`](Self::lead_to).
    ///
    /// # Panics
    /// When no port is free.
    #[must_use]
    pub fn start(server: Option<&str>) -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        // Kept without listening: the port stays ours while connections to it are refused.
        let keeper = bound(any).expect("a free port");
        let address = keeper.local_addr().expect("its address");
        let traffic = Arc::new(Traffic {
            server: Mutex::new(server.map(str::to_owned)),
            there: AtomicU64::new(0),
            back: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            dice: AtomicU64::new(u64::from(address.port())),
        });
        let (weather, now) = watch::channel(FINE);
        // Listening before anybody can be told the port.
        let listener = listen(address);
        let accepting = tokio::spawn(accept(keeper, listener, address, now, traffic.clone()));
        let inner = Inner {
            address,
            weather,
            traffic,
            accepting,
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The port on 127.0.0.1 where the link begins.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.inner.address.port()
    }

    /// `http://127.0.0.1:port`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.inner.address)
    }

    /// Where new connections lead from now on, as `host:port`.
    ///
    /// # Panics
    /// When another thread panicked.
    pub fn lead_to(&self, server: &str) {
        *self.inner.traffic.server.lock().expect("lock") = Some(server.to_owned());
    }

    /// From the one who connects to the server.
    pub fn there(&self, flow: Flow) {
        self.inner.weather.send_modify(|now| now.there = flow);
    }

    /// From the server to the one who connects.
    pub fn back(&self, flow: Flow) {
        self.inner.weather.send_modify(|now| now.back = flow);
    }

    /// In both directions. With [`Flow::Hold`] it is a server that accepts and never answers.
    pub fn both(&self, flow: Flow) {
        self.inner.weather.send_modify(|now| {
            now.there = flow;
            now.back = flow;
        });
    }

    /// Open connections are reset, new ones refused.
    pub fn cut(&self) {
        self.inner.weather.send_modify(|now| now.cut = true);
    }

    /// Resets the connections that are open now; new ones are welcome.
    pub fn reset(&self) {
        self.inner.weather.send_modify(|now| now.resets += 1);
    }

    /// Resets a connection with this probability for every piece of data that goes through it.
    pub fn reset_per_cent(&self, chance: u8) {
        self.inner
            .weather
            .send_modify(|now| now.reset_per_cent = chance);
    }

    /// All is well again.
    pub fn heal(&self) {
        self.inner.weather.send_modify(|now| {
            *now = Weather {
                resets: now.resets,
                ..FINE
            };
        });
    }

    /// Cut and healed in turns, changing after every `period`, until `work` is done; healed then.
    pub async fn flap_during<T>(&self, period: Duration, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        let mut change = tokio::time::interval(period);
        let mut up = true;
        let done = loop {
            tokio::select! {
                done = &mut work => break done,
                _ = change.tick() => {
                    up = !up;
                    if up { self.heal() } else { self.cut() }
                }
            }
        };
        self.heal();
        done
    }

    /// How many bytes arrived in each direction: there and back.
    #[must_use]
    pub fn carried(&self) -> (u64, u64) {
        let Traffic { there, back, .. } = &*self.inner.traffic;
        (there.load(Ordering::SeqCst), back.load(Ordering::SeqCst))
    }

    /// How many bytes were lost by [`Flow::Lose`].
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.inner.traffic.lost.load(Ordering::SeqCst)
    }
}

fn bound(address: SocketAddr) -> std::io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    Ok(socket)
}

fn listen(address: SocketAddr) -> TcpListener {
    let listening = bound(address).and_then(|socket| socket.listen(1024));
    listening.expect("the port is ours")
}

/// Listens while the link is not cut. A listener that is gone refuses, as a dead machine's kernel
/// neighbour would.
async fn accept(
    keeper: TcpSocket,
    listener: TcpListener,
    address: SocketAddr,
    mut weather: watch::Receiver<Weather>,
    traffic: Arc<Traffic>,
) {
    let mut connections = JoinSet::new();
    let mut listener = Some(listener);
    loop {
        let cut = weather.borrow_and_update().cut;
        if cut {
            listener = None;
        }
        let Some(listening) = &listener else {
            if weather.changed().await.is_err() {
                break;
            }
            if !weather.borrow().cut {
                listener = Some(listen(address));
            }
            continue;
        };
        tokio::select! {
            accepted = listening.accept() => {
                if let Ok((client, _)) = accepted {
                    let (weather, traffic) = (weather.clone(), traffic.clone());
                    connections.spawn(connection::carry(client, weather, traffic));
                }
            }
            changed = weather.changed() => if changed.is_err() { break },
            Some(_) = connections.join_next() => {}
        }
    }
    drop(keeper);
}

#[cfg(test)]
mod tests;
