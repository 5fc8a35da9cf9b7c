//! A real private cluster with stand-ins for the services: what starting, killing, starting again and
//! stopping leave behind.

#![allow(clippy::unwrap_used, missing_docs)]

mod bank;
mod cli;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use stack::{ClusterChoice, Options};

/// A folder with a stand-in under the name of each service.
pub fn stubs() -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER
        .get_or_init(|| {
            let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
                .join(format!("stubs-{}", std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/stub_service.rs");
            let stub = folder.join("stub");
            let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
            let status = Command::new(rustc)
                .arg("--edition=2024")
                .arg(source)
                .arg("-o")
                .arg(&stub)
                .status()
                .unwrap();
            assert!(status.success());
            // The program looks for the services beside itself.
            fs::copy(env!("CARGO_BIN_EXE_stack"), folder.join("stack")).unwrap();
            for name in [
                "customer-service",
                "accounts-service",
                "transactions-service",
                "orders-service",
            ] {
                fs::copy(&stub, folder.join(name)).unwrap();
            }
            folder
        })
        .clone()
}

/// A bank of stand-ins with a cluster of its own.
pub fn options(folder: &Path) -> Options {
    let mut options = Options::for_tests(folder.join("data"));
    options.binaries = stubs();
    options.cluster = ClusterChoice::Private;
    options
}
