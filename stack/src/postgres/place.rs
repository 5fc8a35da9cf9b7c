//! Where a cluster's files lie: in the data directory, or, where the server's user cannot reach that,
//! in a folder of their own that remembers whose it is.

use std::{
    fs::{self, DirBuilder},
    os::unix::{fs::DirBuilderExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::Unprivileged;
use crate::{
    Error, Result,
    data_dir::{DataDir, random_hex},
    process::Process,
};

const FOLDER: &str = "postgres";
const OUTSIDE: &str = "/var/tmp";
const PREFIX: &str = "bank-postgres-";
/// In a folder outside: the data directory it belongs to.
const BELONGS_TO: &str = "belongs-to";

/// Makes the empty folder for a new cluster. Remains of an initdb that did not finish are removed.
pub(super) fn make(
    data: &DataDir,
    user: Option<Unprivileged>,
    progress: &dyn Fn(&str),
) -> Result<PathBuf> {
    let inside = data.root().join(FOLDER);
    make_empty(&inside)?;
    let Some(user) = user else { return Ok(inside) };
    user.own(&inside)?;
    if user.reaches(&inside) {
        return Ok(inside);
    }
    fs::remove_dir(&inside).map_err(Error::path("remove", &inside))?;
    let outside = Path::new(OUTSIDE).join(format!("{PREFIX}{}", random_hex(6)?));
    // Others may look into /var/tmp, but not into this.
    DirBuilder::new()
        .mode(0o711)
        .create(&outside)
        .map_err(Error::path("make", &outside))?;
    let marked = DataDir::open(&outside, Some(&outside))?;
    let owner = outside.join(BELONGS_TO);
    fs::write(&owner, data.root().as_os_str().as_encoded_bytes())
        .map_err(Error::path("write", &owner))?;
    let folder = marked.root().join(FOLDER);
    make_empty(&folder)?;
    user.own(&folder)?;
    if !user.reaches(&folder) {
        return Err(Error::Refused(format!(
            "PostgreSQL does not run as root, and the user it would run as can reach neither {} nor {}",
            inside.display(),
            folder.display()
        )));
    }
    progress(&format!(
        "PostgreSQL's user cannot reach {}, so the databases lie in {}",
        data.root().display(),
        folder.display()
    ));
    Ok(folder)
}

/// Where the cluster that was made at `saved` is now: a data directory may have been moved or copied.
///
/// # Errors
/// When it is nowhere. To make a new one then would be to forget the bank's money without a word.
pub(super) fn find(data: &DataDir, saved: &Path) -> Result<PathBuf> {
    let inside = data.root().join(FOLDER);
    let is_cluster = |folder: &Path| folder.join("PG_VERSION").is_file();
    if is_cluster(&inside) {
        return Ok(inside);
    }
    // Anything else was inside another data directory, and is that one's.
    if outside_of(saved).is_some() && is_cluster(saved) {
        return Ok(saved.to_path_buf());
    }
    Err(Error::Refused(format!(
        "the databases of {} lay in {} and are gone; put them back, or begin anew with --fresh",
        data.root().display(),
        saved.display()
    )))
}

/// Deletes the folder outside, if there is one and it is this data directory's, and forgets the cluster.
pub(super) fn erase_outside(data: &DataDir, saved: &Path) -> Result<()> {
    let Some(outside) = outside_of(saved).filter(|outside| is_ours(data, outside)) else {
        return Ok(());
    };
    fs::remove_dir_all(outside).map_err(Error::path("delete", outside))?;
    let memory = data.cluster_file();
    fs::remove_file(&memory).map_err(Error::path("delete", &memory))
}

/// Moves the cluster out of the way and leaves it to a program of its own, which may outlive us.
pub(super) fn discard(data: &DataDir, saved: &Path) -> Result<()> {
    let (old, away) = match outside_of(saved) {
        Some(outside) if is_ours(data, outside) => {
            (outside.to_path_buf(), outside.with_extension("deleted"))
        }
        _ => (
            data.root().join(FOLDER),
            data.root().join("postgres.deleted"),
        ),
    };
    if !old.exists() {
        return Ok(());
    }
    if away.exists() {
        fs::remove_dir_all(&away).map_err(Error::path("delete", &away))?;
    }
    fs::rename(&old, &away).map_err(Error::path("move", &old))?;
    let mut command = Command::new("rm");
    command
        .args(["-rf", "--"])
        .arg(&away)
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    Process::spawn(command, |_| {})
        .map(|_| ())
        .map_err(Error::io("cannot start rm"))
}

/// The folder outside that holds the cluster at `saved`, if it is one of those we make.
fn outside_of(saved: &Path) -> Option<&Path> {
    let outside = saved.parent()?;
    let named = outside.file_name()?.to_string_lossy().starts_with(PREFIX);
    // The canonical place may differ: macOS has it below /private.
    let there = outside.parent()?.ends_with("var/tmp");
    (named && there && DataDir::is_ours(outside)).then_some(outside)
}

/// Whether nobody but this data directory uses it. After a move, its first place is empty; after a
/// copy, it is not.
fn is_ours(data: &DataDir, outside: &Path) -> bool {
    fs::read_to_string(outside.join(BELONGS_TO)).is_ok_and(|owner| {
        let owner = Path::new(&owner);
        owner == data.root() || !owner.join("cluster.json").exists()
    })
}

fn make_empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(Error::path("empty", folder))?;
    }
    DirBuilder::new()
        .mode(0o700)
        .create(folder)
        .map_err(Error::path("make", folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(folder: &Path) -> DataDir {
        DataDir::open(folder, None).unwrap()
    }

    fn cluster(folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("PG_VERSION"), "15\n").unwrap();
    }

    #[test]
    fn a_data_directory_that_was_moved_keeps_its_cluster() {
        let folder = tempfile::tempdir().unwrap();
        let data = data(folder.path());
        let inside = data.root().join(FOLDER);
        cluster(&inside);
        let found = find(&data, Path::new("/where/it/was/postgres")).unwrap();
        assert_eq!(found, inside);
    }

    #[test]
    fn a_cluster_that_is_gone_is_an_error_and_not_a_reason_for_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let data = data(folder.path());
        assert!(find(&data, &data.root().join(FOLDER)).is_err());
    }

    #[test]
    fn the_cluster_inside_another_data_directory_is_neither_used_nor_deleted() {
        let (first, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let theirs = data(first.path()).root().join(FOLDER);
        cluster(&theirs);
        let copy = data(copy.path());
        assert!(find(&copy, &theirs).is_err());
        erase_outside(&copy, &theirs).unwrap();
        discard(&copy, &theirs).unwrap();
        assert!(theirs.join("PG_VERSION").exists());
    }

    #[test]
    fn a_cluster_is_out_of_the_way_as_soon_as_it_is_discarded() {
        let folder = tempfile::tempdir().unwrap();
        let data = data(folder.path());
        let inside = data.root().join(FOLDER);
        cluster(&inside);
        discard(&data, &inside).unwrap();
        assert!(!inside.exists());
    }
}
