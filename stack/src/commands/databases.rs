//! `stack setup-databases`, `migrate` and `seed`: each step alone, against the databases of a running
//! bank, of one that is not running, or of one's own.

use std::{collections::BTreeMap, future::Future, process::ExitCode, process::Stdio};

use stack::{
    Bank, Error, Result,
    bank::{Step, run_step, service_command},
    data_dir::DataDir,
    postgres::Saved,
    state::{Owner, State, read_json},
    topology::{Database, Service, Topology},
};

use crate::{
    Prepare, checks,
    commands::start::topology,
    compile,
    project::{Project, full_name},
};

/// A service and the URL by which it connects.
#[derive(Debug, Clone)]
pub struct Target {
    /// The service.
    pub service: Service,
    /// Its own role's URL.
    pub url: String,
    /// The variables of the databases it has beside that one, with their URLs.
    pub beside: Vec<(String, String)>,
}

/// Runs one step for one service or for all.
///
/// # Errors
/// When a database cannot be reached or a service program fails.
pub async fn migrate(prepare: &Prepare, only: Option<&str>, step: Step) -> Result<ExitCode> {
    let project = Project::find();
    let only = only.map(full_name);
    if !prepare.no_build {
        compile::everything(&project)?;
    }
    let binaries = project.options(&prepare.place, &prepare.size)?.binaries;
    with_databases(&project, prepare, |targets| async move {
        let known = targets.iter().any(|target| {
            only.as_ref()
                .is_none_or(|name| *name == target.service.name)
        });
        if !known {
            let names: Vec<_> = targets
                .into_iter()
                .map(|target| target.service.name)
                .collect();
            return Err(Error::Unknown(only.unwrap_or_default(), names.join(", ")));
        }
        for Target {
            service,
            url,
            beside,
        } in targets
        {
            if only.as_ref().is_some_and(|name| *name != service.name) {
                continue;
            }
            // Seed data belongs to the first bank.
            let step = if service.number == 1 {
                step
            } else {
                Step::Migrate
            };
            let mut command =
                service_command(&binaries.join(service.kind.binary()), &service, &url);
            command.envs(beside).stdout(Stdio::piped());
            run_step(command, &service.name, step).await?;
            let done = if step == Step::Seed {
                "schema and seed data are"
            } else {
                "schema is"
            };
            println!("{}: {done} up to date", service.name);
        }
        Ok(ExitCode::SUCCESS)
    })
    .await
}

/// Calls `work` while the databases can be reached: as they are when a bank runs; else PostgreSQL is
/// started for as long as it takes.
///
/// # Errors
/// Those of preparing, and of `work`.
pub async fn with_databases<T, F>(
    project: &Project,
    prepare: &Prepare,
    work: impl FnOnce(Vec<Target>) -> F,
) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let options = project.options(&prepare.place, &prepare.size)?;
    if let Some(data) = project.existing(&prepare.place)?
        && Owner::read(&data)?.is_some_and(|owner| owner.supervisor.runs())
    {
        return work(running(&data, &topology(&options))?).await;
    }
    let wanted = topology(&options).databases();
    if wanted.iter().any(|one| {
        options
            .settings
            .get(&one.variable)
            .is_none_or(String::is_empty)
    }) {
        checks::postgres(prepare.yes)?;
    }
    let bank = Bank::prepare(&options).await?;
    let targets: Result<Vec<_>> =
        bank.services()
            .iter()
            .filter(|service| service.database == service.name)
            .map(|service| {
                let beside = service.beside.iter().map(|(variable, name)| {
                    Ok((variable.clone(), bank.service_database_url(name)?))
                });
                Ok(Target {
                    service: service.clone(),
                    url: bank.service_database_url(&service.name)?,
                    beside: beside.collect::<Result<_>>()?,
                })
            })
            .collect();
    let done = work(targets?).await;
    bank.stop().await?;
    done
}

/// The databases of a bank that another process runs.
fn running(data: &DataDir, wanted: &Topology) -> Result<Vec<Target>> {
    let state = State::read(data)?.unwrap_or_default();
    let saved = read_json::<Saved>(&data.cluster_file())?;
    let count = |prefix: &str| {
        let named = state
            .processes
            .iter()
            .filter(|process| process.name.starts_with(prefix))
            .count();
        u16::try_from(named).unwrap_or(u16::MAX).max(1)
    };
    let topology = Topology {
        banks: count("accounts-service"),
        coordinators: count("transactions-service"),
        orders: state.process("orders-service").is_some(),
        ..wanted.clone()
    };
    let urls: BTreeMap<String, String> = topology
        .databases()
        .into_iter()
        .filter_map(|one| Some((url_of(&one, &topology, saved.as_ref(), &state)?, one.name)))
        .map(|(url, name)| (name, url))
        .collect();
    let targets = topology.services(data.logs())?.into_iter();
    let targets = targets.filter(|service| service.database == service.name);
    Ok(targets
        .filter_map(|service| {
            let beside = service.beside.iter();
            let beside =
                beside.map(|(variable, name)| Some((variable.clone(), urls.get(name)?.clone())));
            Some(Target {
                url: urls.get(&service.name)?.clone(),
                beside: beside.collect::<Option<_>>()?,
                service,
            })
        })
        .collect())
}

fn url_of(
    wanted: &Database,
    topology: &Topology,
    saved: Option<&Saved>,
    state: &State,
) -> Option<String> {
    if let Some(given) = topology
        .settings
        .get(&wanted.variable)
        .filter(|url| !url.is_empty())
    {
        return Some(given.clone());
    }
    if let Some(saved) = saved
        && let Some(password) = saved.passwords.get(&wanted.role)
    {
        let Database { role, database, .. } = wanted;
        return Some(format!(
            "postgres://{role}:{password}@127.0.0.1:{}/{database}",
            saved.port
        ));
    }
    let listed = state
        .databases
        .iter()
        .find(|database| database.name == wanted.name)?;
    Some(listed.database_url.clone())
}
