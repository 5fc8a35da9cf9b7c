//! B1: how long `scripts/start --fresh` takes with everything built.

use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use indicatif::ProgressBar;
use tokio::process::Command;

use crate::failure::Failure;
use crate::measure::{Bound, Line};

/// Far from a bank that somebody may be using.
const PORT_OFFSET: &str = "4700";

/// Seconds until a detached bank is ready; three times, after one that builds what is missing.
///
/// # Errors
/// When it does not start or stop.
pub async fn measure(bar: &ProgressBar) -> Result<Line, Failure> {
    let folder = tempfile::Builder::new().prefix("bench-start-").tempdir()?;
    let data = folder.path().join("data");
    let mut seconds = Vec::new();
    for time in 0..=3 {
        bar.set_message(format!("scripts/start --fresh: {time}"));
        let began = Instant::now();
        script("start", &["--fresh", "--detach", "--yes"], &data).await?;
        if time > 0 {
            seconds.push(began.elapsed().as_secs_f64());
        }
        script("stop", &[], &data).await?;
    }
    Line::of(
        "B1",
        "scripts/start --fresh until ready",
        "s",
        &seconds,
        Bound::AtMost(5.0),
    )
    .ok_or_else(|| Failure::new("no start was measured"))
}

async fn script(name: &str, flags: &[&str], data: &Path) -> Result<(), Failure> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::new(root.join("scripts").join(name))
        .args(flags)
        .arg("--data-dir")
        .arg(data)
        .env("BANK_PORT_OFFSET", PORT_OFFSET)
        .stdin(Stdio::null())
        .output()
        .await?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    Err(Failure::new(format!("scripts/{name}: {words}")))
}
