//! Keeping log files from growing for ever.

use std::{fs, path::Path};

/// Larger files are put aside. A busy day of one service fits.
const LARGEST: u64 = 32 * 1024 * 1024;
const KEPT: u32 = 3;

/// Puts large log files aside (`error.log.1` is the youngest). Only while nothing writes to them: at
/// the start of a bank.
pub fn rotate_all(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if is_large(&path) && path.extension().is_some_and(|extension| extension == "log") {
            shift(&path);
            let _ = fs::rename(&path, aside(&path, 1));
        }
    }
}

/// The same for one file that several processes are appending to: it is copied and emptied, because
/// they go on writing to the file they have open. Lines written between the two steps are lost, which
/// for a file whose lines also stand in other files is the lesser evil.
pub fn rotate_shared(path: &Path) {
    if is_large(path) {
        shift(path);
        if fs::copy(path, aside(path, 1)).is_ok() {
            let _ = fs::File::options().write(true).truncate(true).open(path);
        }
    }
}

fn is_large(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() > LARGEST)
}

fn aside(path: &Path, number: u32) -> std::path::PathBuf {
    path.with_extension(format!("log.{number}"))
}

fn shift(path: &Path) {
    for number in (1..KEPT).rev() {
        let _ = fs::rename(aside(path, number), aside(path, number + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grow(path: &Path) {
        fs::File::create(path)
            .unwrap()
            .set_len(LARGEST + 1)
            .unwrap();
    }

    #[test]
    fn large_files_are_put_aside_and_only_the_youngest_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (errors, small) = (
            folder.path().join("error.log"),
            folder.path().join("small.log"),
        );
        fs::write(&small, "x").unwrap();
        for _ in 0..5 {
            grow(&errors);
            rotate_all(folder.path());
            assert!(!errors.exists());
        }
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1 + KEPT as usize
        );
        grow(&errors);
        rotate_shared(&errors);
        assert_eq!(fs::metadata(&errors).unwrap().len(), 0);
        assert!(small.exists());
    }
}
