//! One child process whose end is an event, and which can be signalled without ever hitting a
//! stranger.
//!
//! The race this survives: a process ends, its number is given to another one, and a signal meant for
//! the first reaches the second. The number of a child cannot be reused before the child is reaped,
//! so reaping and signalling exclude each other: a thread waits for the end *without* reaping, takes
//! the lock, reaps, and notes the end; whoever signals holds the same lock and looks first.

use std::{
    io,
    os::unix::process::CommandExt,
    process::{Child, Command, ExitStatus},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};
use tokio::sync::watch;

/// A child process in its own process group, so that Ctrl-C at the terminal reaches only its parent.
#[derive(Debug, Clone)]
pub struct Process {
    pid: u32,
    started: Instant,
    shared: Arc<Shared>,
    end: watch::Receiver<Option<ExitStatus>>,
}

#[derive(Debug)]
struct Shared {
    ended: Mutex<Option<ExitStatus>>,
    woken: Condvar,
}

impl Process {
    /// Starts `command` in its own process group. `on_end` runs on a thread of its own as soon as the
    /// process has ended.
    ///
    /// # Errors
    /// Those of starting a process or a thread.
    pub fn spawn(
        mut command: Command,
        on_end: impl FnOnce(ExitStatus) + Send + 'static,
    ) -> io::Result<Self> {
        Self::watch(command.process_group(0).spawn()?, on_end)
    }

    /// Watches over a child that was started otherwise.
    ///
    /// # Errors
    /// Those of starting a thread.
    pub fn watch(
        child: Child,
        on_end: impl FnOnce(ExitStatus) + Send + 'static,
    ) -> io::Result<Self> {
        let pid = child.id();
        let shared = Arc::new(Shared {
            ended: Mutex::new(None),
            woken: Condvar::new(),
        });
        let (announce, end) = watch::channel(None);
        let watcher = Arc::clone(&shared);
        thread::Builder::new()
            .name(format!("wait-{pid}"))
            .spawn(move || {
                let status = watcher.reap(child);
                announce.send_replace(Some(status));
                on_end(status);
            })?;
        Ok(Self {
            pid,
            started: Instant::now(),
            shared,
            end,
        })
    }

    /// Its process id. Meaningful only while it runs.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// How long ago it was started.
    pub fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// How it ended; `None` while it runs or is stopped by a signal.
    pub fn ended(&self) -> Option<ExitStatus> {
        *self.shared.lock()
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// `NotFound` when the process has ended.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        let ended = self.shared.lock();
        if ended.is_some() {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(rustix::process::kill_process(as_pid(self.pid)?, signal)?)
    }

    /// Waits for its end.
    pub async fn wait(&self) -> ExitStatus {
        let mut end = self.end.clone();
        match end.wait_for(Option::is_some).await.map(|status| *status) {
            Ok(Some(status)) => status,
            // The sender lives until it has sent.
            _ => self.ended().unwrap_or_default(),
        }
    }

    /// Waits for its end on this thread, at most `limit`; for destructors, which cannot await.
    pub fn wait_blocking(&self, limit: Duration) -> Option<ExitStatus> {
        let (ended, _) = self
            .shared
            .woken
            .wait_timeout_while(self.shared.lock(), limit, |ended| ended.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        *ended
    }

    /// Asks it to end with `signal`, and after `patience` ends it by force.
    pub async fn end(&self, signal: Signal, patience: Duration) -> ExitStatus {
        let _ = self.signal(signal);
        // A stopped process sees no signal but these two.
        let _ = self.signal(Signal::CONT);
        match tokio::time::timeout(patience, self.wait()).await {
            Ok(status) => status,
            Err(_) => {
                let _ = self.signal(Signal::KILL);
                self.wait().await
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Option<ExitStatus>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reap(&self, mut child: Child) -> ExitStatus {
        if let Ok(pid) = as_pid(child.id()) {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while let Err(rustix::io::Errno::INTR) =
                rustix::process::waitid(WaitId::Pid(pid), options)
            {}
        }
        let mut ended = self.lock();
        let status = child.wait().unwrap_or_default();
        *ended = Some(status);
        self.woken.notify_all();
        status
    }
}

fn as_pid(pid: u32) -> io::Result<Pid> {
    i32::try_from(pid)
        .ok()
        .and_then(Pid::from_raw)
        .ok_or_else(|| io::ErrorKind::InvalidInput.into())
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    fn sleeper() -> Process {
        let mut command = Command::new("sleep");
        command.arg("60");
        Process::spawn(command, |_| {}).unwrap()
    }

    #[tokio::test]
    async fn the_signal_that_ended_a_process_is_reported() {
        let process = sleeper();
        process.signal(Signal::KILL).unwrap();
        assert_eq!(process.wait().await.signal(), Some(9));
        assert_eq!(
            process.signal(Signal::TERM).unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
    }

    #[tokio::test]
    async fn a_stopped_process_is_not_an_ended_one_and_can_still_be_ended() {
        let process = sleeper();
        process.signal(Signal::STOP).unwrap();
        assert_eq!(process.wait_blocking(Duration::from_millis(50)), None);
        let status = process.end(Signal::TERM, Duration::from_secs(10)).await;
        assert_eq!(status.signal(), Some(15));
    }

    #[tokio::test]
    async fn a_process_that_ignores_the_polite_signal_is_ended_by_force() {
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' TERM; echo; while :; do sleep 0.1; done"]);
        command.stdout(std::process::Stdio::null());
        let process = Process::spawn(command, |_| {}).unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        let status = process.end(Signal::TERM, Duration::from_millis(200)).await;
        assert_eq!(status.signal(), Some(9));
    }
}
