//! Whether a large bank has room.

use std::path::Path;

use crate::failure::Failure;

/// Bytes for an account: at the bank, in the coordinator's directory, in the yardstick.
const ACCOUNT: u64 = 1_200;

/// Bytes for a transfer: at the bank, at the coordinator, in the yardstick.
const TRANSFER: u64 = 2_600;

/// For the log, for sorting while the ledger is checked, and for what is written while it is measured.
const BESIDE: u64 = 6_000_000_000;

/// Looks whether a folder's disk has room for so many accounts and old transfers.
///
/// # Errors
/// In words, when it has not, or cannot be asked.
pub fn is_enough(folder: &Path, accounts: u64, transfers: u64) -> Result<(), Failure> {
    let needed = accounts * ACCOUNT + transfers * TRANSFER + BESIDE;
    let disk = rustix::fs::statvfs(folder).map_err(Failure::of("the size of a disk"))?;
    let free = disk.f_bavail * disk.f_frsize;
    if free >= needed {
        return Ok(());
    }
    Err(Failure::new(format!(
        "S1 needs about {} GB in {}, where {} are free; choose another disk with --data-dir, or make \
         the bank smaller with --old-accounts and --old-transfers, or leave S1 out with --only",
        needed.div_ceil(1_000_000_000),
        folder.display(),
        free / 1_000_000_000,
    )))
}
