//! Peak memory of processes while something runs: PSS, which counts a shared page once among those
//! who share it (`/proc/PID/smaps_rollup`, proc(5)).

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;

/// Looks at processes until it is told to stop.
pub struct Watch {
    peaks: Arc<Mutex<BTreeMap<String, u64>>>,
    task: JoinHandle<()>,
}

impl Watch {
    /// Begins with these processes, by name.
    pub fn begin(processes: Vec<(String, u32)>) -> Self {
        let peaks: Arc<Mutex<BTreeMap<String, u64>>> = Arc::default();
        let seen = Arc::clone(&peaks);
        let task = tokio::spawn(async move {
            loop {
                for (name, pid) in &processes {
                    let Some(now) = pss(*pid) else { continue };
                    let mut peaks = seen.lock().unwrap_or_else(PoisonError::into_inner);
                    let peak = peaks.entry(name.clone()).or_default();
                    *peak = now.max(*peak);
                }
                tokio::time::sleep(Duration::from_millis(250)).await;
            }
        });
        Self { peaks, task }
    }

    /// The highest seen of each, in kB. Empty where the system does not tell.
    pub fn end(self) -> BTreeMap<String, u64> {
        self.task.abort();
        let peaks = self.peaks.lock().unwrap_or_else(PoisonError::into_inner);
        peaks.clone()
    }
}

/// In kB.
fn pss(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = text.lines().find(|line| line.starts_with("Pss:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
