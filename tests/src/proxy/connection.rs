//! One connection through a link.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::watch;

use super::{Flow, Traffic, Weather};

/// The connection cannot go on: it is reset at both ends.
struct Broken;

impl From<io::Error> for Broken {
    fn from(_: io::Error) -> Self {
        Self
    }
}

impl From<watch::error::RecvError> for Broken {
    fn from(_: watch::error::RecvError) -> Self {
        Self
    }
}

/// Carries bytes both ways until both ends are done, or the network breaks the connection.
pub(super) async fn carry(
    mut client: TcpStream,
    weather: watch::Receiver<Weather>,
    traffic: Arc<Traffic>,
) {
    let server = traffic.server.lock().ok().and_then(|server| server.clone());
    let Some(server) = server else {
        return reset(&client);
    };
    let Ok(mut upstream) = TcpStream::connect(server).await else {
        return reset(&client);
    };
    let _ = client.set_nodelay(true);
    let _ = upstream.set_nodelay(true);
    let broken = {
        let (client_reads, client_writes) = client.split();
        let (server_reads, server_writes) = upstream.split();
        let there = Direction {
            weather: weather.clone(),
            flow: |now| now.there,
            carried: &traffic.there,
            lost: &traffic.lost,
            dice: &traffic.dice,
        };
        let back = Direction {
            weather: weather.clone(),
            flow: |now| now.back,
            carried: &traffic.back,
            lost: &traffic.lost,
            dice: &traffic.dice,
        };
        tokio::select! {
            done = async {
                tokio::try_join!(
                    there.carry(client_reads, server_writes),
                    back.carry(server_reads, client_writes),
                )
            } => done.is_err(),
            () = falls(weather) => true,
        }
    };
    if broken {
        reset(&client);
        reset(&upstream);
    }
}

/// Sockets that are closed like this send RST.
fn reset(stream: &TcpStream) {
    let _ = stream.set_zero_linger();
}

/// Returns when the link is cut or its connections are reset.
async fn falls(mut weather: watch::Receiver<Weather>) {
    let before = weather.borrow().resets;
    let fallen = weather.wait_for(|now| now.cut || now.resets != before);
    drop(fallen.await);
}

struct Direction<'a> {
    weather: watch::Receiver<Weather>,
    flow: fn(&Weather) -> Flow,
    carried: &'a AtomicU64,
    lost: &'a AtomicU64,
    dice: &'a AtomicU64,
}

impl Direction<'_> {
    async fn carry(mut self, mut from: ReadHalf<'_>, mut to: WriteHalf<'_>) -> Result<(), Broken> {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let count = from.read(&mut buffer).await?;
            if self.comes_through().await? {
                if count == 0 {
                    to.shutdown().await?;
                    return Ok(());
                }
                self.may_be_reset()?;
                to.write_all(&buffer[..count]).await?;
                add(self.carried, count);
            } else {
                add(self.lost, count);
                return self.lose_the_rest(&mut from, &mut buffer).await;
            }
        }
    }

    /// Waits as long as the network keeps what was read, and says whether it arrives at all.
    async fn comes_through(&mut self) -> Result<bool, Broken> {
        loop {
            let flow = (self.flow)(&self.weather.borrow_and_update());
            match flow {
                Flow::Pass => return Ok(true),
                Flow::Delay(time) => {
                    tokio::time::sleep(time).await;
                    return Ok(true);
                }
                Flow::Hold => self.weather.changed().await?,
                Flow::Lose => return Ok(false),
            }
        }
    }

    /// A stream with a hole in it is no stream: nothing of it arrives any more, and the first moment
    /// at which something could arrive breaks it.
    async fn lose_the_rest(
        &mut self,
        from: &mut ReadHalf<'_>,
        buffer: &mut [u8],
    ) -> Result<(), Broken> {
        let flow = self.flow;
        let healed = self.weather.wait_for(|now| flow(now) != Flow::Lose);
        tokio::pin!(healed);
        loop {
            tokio::select! {
                _ = &mut healed => return Err(Broken),
                read = from.read(buffer) => match read? {
                    0 => break,
                    count => add(self.lost, count),
                },
            }
        }
        drop(healed.await);
        Err(Broken)
    }

    fn may_be_reset(&self) -> Result<(), Broken> {
        let chance = self.weather.borrow().reset_per_cent;
        if chance > 0 && roll(self.dice) < chance {
            return Err(Broken);
        }
        Ok(())
    }
}

fn add(counter: &AtomicU64, count: usize) {
    counter.fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::SeqCst);
}

/// 0 to 99. The steps of a generator that many tasks share (Steele, Lea, Flood: SplitMix).
fn roll(dice: &AtomicU64) -> u8 {
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut mixed = dice.fetch_add(STEP, Ordering::SeqCst).wrapping_add(STEP);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    u8::try_from(mixed % 100).unwrap_or(0)
}
