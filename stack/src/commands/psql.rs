//! `stack psql SERVICE`: a shell into a service's database, as the service sees it.

use std::process::{Command, ExitCode};

use stack::{Error, Result, postgres::Binaries};
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    Prepare,
    commands::databases::with_databases,
    project::{Project, full_name},
};

/// Runs psql and passes on its exit code.
///
/// # Errors
/// When there is no psql, or no such database.
pub async fn run(prepare: &Prepare, service: &str, arguments: &[String]) -> Result<ExitCode> {
    let project = Project::find();
    let name = full_name(service);
    // Ctrl-C cancels a query in psql, which runs at the same terminal, and must not end us.
    let _kept = signal(SignalKind::interrupt()).map_err(Error::io("cannot listen to signals"))?;
    with_databases(&project, prepare, |targets| async move {
        let Some(target) = targets.iter().find(|target| target.service.name == name) else {
            let names: Vec<_> = targets
                .into_iter()
                .map(|target| target.service.name)
                .collect();
            return Err(Error::Unknown(name, names.join(", ")));
        };
        let mut command = Command::new(program());
        let (address, password) = split_password(&target.url);
        command.arg(address).args(arguments);
        if let Some(password) = password {
            // Not on the command line, which everybody can read.
            command.env("PGPASSWORD", password);
        }
        let mut child = tokio::process::Command::from(command)
            .spawn()
            .map_err(Error::io(
                "cannot start psql; install PostgreSQL's client programs",
            ))?;
        let status = child
            .wait()
            .await
            .map_err(Error::io("cannot wait for psql"))?;
        Ok(ExitCode::from(
            u8::try_from(status.code().unwrap_or(1)).unwrap_or(1),
        ))
    })
    .await
}

fn program() -> std::path::PathBuf {
    Binaries::find(None)
        .map(|binaries| binaries.program("psql"))
        .filter(|psql| psql.is_file())
        .unwrap_or_else(|| "psql".into())
}

/// Takes the password out of `scheme://user:password@rest`.
fn split_password(url: &str) -> (String, Option<String>) {
    let parts = url.split_once("://").and_then(|(scheme, rest)| {
        let (user, rest) = rest.split_once('@')?;
        let (user, password) = user.split_once(':')?;
        Some((format!("{scheme}://{user}@{rest}"), decode(password)))
    });
    match parts {
        Some((address, password)) => (address, Some(password)),
        None => (url.to_owned(), None),
    }
}

/// Undoes the percent-encoding of URLs.
fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let escape = rest.get(1..3).filter(|_| letter == '%');
        if let Some(byte) = escape.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            bytes.push(byte);
            rest = &rest[3..];
        } else {
            bytes.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
            rest = &rest[letter.len_utf8()..];
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_does_not_stay_in_the_address() {
        let (address, password) = split_password("postgres://me:p%40ss%C3%A9@h:5/d?x=1");
        assert_eq!(address, "postgres://me@h:5/d?x=1");
        assert_eq!(password.as_deref(), Some("p@ssé"));
        assert_eq!(split_password("postgres://me@h/d").1, None);
        assert_eq!(decode("100%é%zz"), "100%é%zz");
    }
}
