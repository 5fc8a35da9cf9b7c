//! Which failpoints are on.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::{ConfigureError, Injected};

/// What happens at a failpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The process ends at once, as by SIGKILL.
    Abort,
    /// Whoever comes by waits until the failpoint is cleared or changed.
    Pause,
    /// The operation fails here.
    Fail,
}

/// A failpoint and what has happened at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Failpoint {
    /// Its name, such as `after_begin`.
    pub name: String,
    /// What happens there; `null` when it is off.
    pub action: Option<Action>,
    /// How many more times; `null` for ever.
    pub count: Option<u32>,
    /// How often it was reached since the process started, on or off.
    pub hits: u64,
    /// How many wait there now.
    pub paused: u32,
}

#[derive(Default)]
struct Point {
    action: Option<Action>,
    count: Option<u32>,
    hits: u64,
    paused: u32,
}

static POINTS: LazyLock<Mutex<HashMap<String, Point>>> = LazyLock::new(Mutex::default);

/// Changes whenever a failpoint is set or cleared; wakes those who wait.
static CHANGES: LazyLock<watch::Sender<u64>> = LazyLock::new(|| watch::Sender::new(0));

fn points() -> MutexGuard<'static, HashMap<String, Point>> {
    POINTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a name can be one: lower-case letters, digits and `_`.
pub(super) fn is_name(name: &str) -> bool {
    (1..=60).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// Turns a failpoint on, for the next `count` times or for ever. Whoever waits there goes on.
pub fn set(name: &str, action: Action, count: Option<u32>) -> Failpoint {
    change(name, Some(action), count)
}

/// Turns a failpoint off. Whoever waits there goes on.
pub fn clear(name: &str) -> Failpoint {
    change(name, None, None)
}

fn change(name: &str, action: Option<Action>, count: Option<u32>) -> Failpoint {
    {
        let mut points = points();
        let point = points.entry(name.to_owned()).or_default();
        point.action = action.filter(|_| count != Some(0));
        point.count = count;
    }
    CHANGES.send_modify(|version| *version += 1);
    state(name)
}

/// A failpoint as it is now.
pub(super) fn state(name: &str) -> Failpoint {
    let points = points();
    let point = points.get(name);
    Failpoint {
        name: name.to_owned(),
        action: point.and_then(|p| p.action),
        count: point.filter(|p| p.action.is_some()).and_then(|p| p.count),
        hits: point.map_or(0, |p| p.hits),
        paused: point.map_or(0, |p| p.paused),
    }
}

/// Turns on what a list names.
pub(super) fn configure(list: &str) -> Result<(), ConfigureError> {
    for part in list
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
    {
        let unreadable = || ConfigureError::Unreadable(part.to_owned());
        let (name, rest) = part.split_once('=').ok_or_else(unreadable)?;
        let (action, count) = match rest.split_once(':') {
            Some((action, count)) => (action, Some(count.parse().map_err(|_| unreadable())?)),
            None => (rest, None),
        };
        let action = match action {
            "abort" => Action::Abort,
            "pause" => Action::Pause,
            "fail" => Action::Fail,
            _ => return Err(unreadable()),
        };
        if !is_name(name) {
            return Err(unreadable());
        }
        set(name, action, count);
    }
    Ok(())
}

/// Counts the visit and takes one of the remaining times.
fn arrive(name: &str) -> Option<Action> {
    let mut points = points();
    // Looked up before it is inserted: the protocol's hot path comes by here.
    if !points.contains_key(name) {
        points.insert(name.to_owned(), Point::default());
    }
    let point = points.get_mut(name)?;
    point.hits += 1;
    let action = point.action?;
    match &mut point.count {
        Some(0) => return None,
        Some(left) => {
            *left -= 1;
            // A pause stays on for those it has caught; the count only says who is caught.
            if *left == 0 && action != Action::Pause {
                point.action = None;
            }
        }
        None => {}
    }
    if action == Action::Pause {
        point.paused += 1;
    }
    Some(action)
}

/// Leaves a pause, also when the waiting future is dropped.
struct Waiting(&'static str);

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(point) = points().get_mut(self.0) {
            point.paused = point.paused.saturating_sub(1);
        }
    }
}

/// Ends the process as SIGKILL does.
pub fn die() -> ! {
    let me = rustix::process::getpid();
    rustix::process::kill_process(me, rustix::process::Signal::KILL).ok();
    std::process::abort();
}

pub(super) async fn hit(name: &'static str) -> Result<(), Injected> {
    // Subscribed before looking, so that a clear in between is not missed.
    let mut changes = CHANGES.subscribe();
    match arrive(name) {
        None => Ok(()),
        Some(Action::Fail) => Err(Injected(name)),
        Some(Action::Abort) => die(),
        Some(Action::Pause) => {
            let _waiting = Waiting(name);
            loop {
                if changes.changed().await.is_err() {
                    return Ok(());
                }
                if points().get(name).and_then(|p| p.action) != Some(Action::Pause) {
                    return Ok(());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_failpoint_fails_as_often_as_it_was_told() {
        set("test_fail", Action::Fail, Some(2));
        let mut seen = Vec::new();
        for _ in 0..3 {
            seen.push(hit("test_fail").await.is_err());
        }
        assert_eq!(seen, [true, true, false]);
        assert_eq!(state("test_fail").hits, 3);
    }

    #[tokio::test]
    async fn a_pause_lasts_until_it_is_cleared() {
        set("test_pause", Action::Pause, None);
        let waiting = tokio::spawn(hit("test_pause"));
        while state("test_pause").paused == 0 {
            tokio::task::yield_now().await;
        }
        clear("test_pause");
        assert_eq!(waiting.await.expect("no panic"), Ok(()));
        assert_eq!(state("test_pause").paused, 0);
    }

    #[test]
    fn a_list_that_cannot_be_read_is_an_error() {
        for bad in ["test_x", "test_x=explode", "test_x=fail:many", "Test=fail"] {
            assert!(configure(bad).is_err(), "{bad}");
        }
        assert_eq!(configure("test_ok=pause, test_ok2=fail:1"), Ok(()));
        assert_eq!(state("test_ok2").count, Some(1));
    }
}
