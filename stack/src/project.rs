//! Where the checkout is, and what that decides.

use std::{
    env,
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use stack::{
    ClusterChoice, Error, Options, Result,
    data_dir::DataDir,
    options::{Ports, binaries_beside_this_program},
    topology::{Environment, is_setting},
};

use crate::{Place, Size};

/// A checkout of this project.
#[derive(Debug, Clone)]
pub struct Project {
    root: PathBuf,
}

impl Project {
    /// `STACK_ROOT`, which the scripts set; else the folder above this program or the working
    /// directory that is a checkout; else where this program was built.
    pub fn find() -> Self {
        let named = env::var_os("STACK_ROOT").map(PathBuf::from);
        let program = env::current_exe().unwrap_or_default();
        let here = env::current_dir().unwrap_or_default();
        let above = program
            .ancestors()
            .chain(here.ancestors())
            .map(Path::to_path_buf);
        let root = named
            .into_iter()
            .chain(above)
            .find(|folder| is_checkout(folder))
            .unwrap_or_else(|| {
                Path::new(env!("CARGO_MANIFEST_DIR"))
                    .parent()
                    .unwrap_or(Path::new("."))
                    .to_path_buf()
            });
        Self { root }
    }

    /// The checkout.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the bank of `place` keeps everything.
    pub fn data_dir(&self, place: &Place) -> PathBuf {
        place
            .data_dir
            .clone()
            .filter(|path| !path.as_os_str().is_empty())
            .unwrap_or_else(|| self.root.join(".data"))
    }

    /// Where its logs go: `None` for inside the data directory.
    pub fn logs(&self, data_dir: &Path) -> Option<PathBuf> {
        let default = self.root.join(".data");
        let same = data_dir == default
            || matches!((data_dir.canonicalize(), default.canonicalize()), (Ok(one), Ok(other)) if one == other);
        same.then(|| self.root.join("logs"))
    }

    /// Opens the data directory of `place` if a bank was ever started there.
    pub fn existing(&self, place: &Place) -> Result<Option<DataDir>> {
        let path = self.data_dir(place);
        if !DataDir::is_ours(&path) {
            return Ok(None);
        }
        DataDir::open(&path, self.logs(&path).as_deref()).map(Some)
    }

    /// A bank as the command line and the environment describe it.
    pub fn options(&self, place: &Place, size: &Size) -> Result<Options> {
        let data_dir = self.data_dir(place);
        let settings = settings();
        let seed = settings
            .get("BANK_ENV")
            .is_none_or(|environment| environment == "development");
        Ok(Options {
            banks: size.banks,
            coordinators: size.coordinators,
            orders: true,
            logs: self.logs(&data_dir),
            data_dir,
            ports: Ports::Offset(offset(&settings)?),
            cluster: ClusterChoice::Private,
            binaries: binaries_beside_this_program(),
            settings,
            database_route: None,
            environment: Default::default(),
            seed,
            throw_away: false,
            detached: false,
            progress: Arc::new(|text| {
                let _ = writeln!(std::io::stderr(), "  {text}");
            }),
            exits: None,
        })
    }
}

/// The variables of the environment that are meant for the services.
pub fn settings() -> Environment {
    env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| is_setting(name))
        .collect()
}

/// `BANK_PORT_OFFSET`.
pub fn offset(settings: &Environment) -> Result<u16> {
    let Some(text) = settings
        .get("BANK_PORT_OFFSET")
        .filter(|text| !text.is_empty())
    else {
        return Ok(0);
    };
    text.trim().parse().map_err(|_| {
        Error::Refused(format!(
            "BANK_PORT_OFFSET={text} is not a number from 0 to 60000"
        ))
    })
}

/// `accounts`, `accounts-2` and `customers` mean services too.
pub fn full_name(name: &str) -> String {
    let (stem, number) = match name.rsplit_once('-') {
        Some((stem, digits)) if digits.parse::<u16>().is_ok() => (stem, Some(digits)),
        _ => (name, None),
    };
    let full = match stem {
        "customer" | "customers" => "customer-service",
        "account" | "accounts" => "accounts-service",
        "transaction" | "transactions" => "transactions-service",
        "order" | "orders" => "orders-service",
        other => other,
    };
    number.map_or_else(|| full.to_owned(), |number| format!("{full}-{number}"))
}

fn is_checkout(folder: &Path) -> bool {
    folder.join("Cargo.lock").is_file() && folder.join("stack/Cargo.toml").is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_mean_services_and_others_stay_as_they_are() {
        let pairs = [
            ("accounts", "accounts-service"),
            ("accounts-2", "accounts-service-2"),
            ("accounts-service-2", "accounts-service-2"),
            ("customers", "customer-service"),
            ("transactions-service", "transactions-service"),
            ("orders", "orders-service"),
            ("postgres", "postgres"),
        ];
        for (short, full) in pairs {
            assert_eq!(full_name(short), full);
        }
    }
}
