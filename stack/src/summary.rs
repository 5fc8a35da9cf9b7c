//! What a person is told when a bank is up.

use std::io::{self, Write};

use stack::{options::binaries_beside_this_program, state::State};

use crate::project::{offset, settings};

const LOGINS: [(&str, &str); 3] = [
    ("customer", "alice-customer, bob-customer, carol-customer"),
    ("teller", "tom-teller"),
    ("admin", "ada-admin, max-admin"),
];

const TRY: [&str; 5] = [
    "banking-cli login -u alice-customer -r customer",
    "banking-cli accounts",
    "banking-cli transfer -f 660e8400-e29b-41d4-a716-446655440001 \
     -t 660e8400-e29b-41d4-a716-446655440003 -a 100",
    "banking-cli interactive",
    "banking-cli demo --all",
];

/// Prints where everything is and what to try. A reader that went away must not end the bank.
pub fn print(state: &State, seeded: bool, ending: &str) {
    let _ = write(&mut std::io::stdout().lock(), state, seeded, ending);
}

fn write(out: &mut impl Write, state: &State, seeded: bool, ending: &str) -> io::Result<()> {
    writeln!(out, "\nThe bank is open.\n")?;
    for process in &state.processes {
        let (place, note) = match &process.url {
            Some(url) => (url.as_str(), "  (/docs, /health, /metrics)"),
            None => ("its databases", ""),
        };
        writeln!(out, "  {:<24} {place}{note}", process.name)?;
    }
    writeln!(out, "  {:<24} {}", "data", state.data_dir)?;
    if seeded {
        writeln!(out, "\nLogins, all with the password banking-dev:\n")?;
        for (role, logins) in LOGINS {
            writeln!(out, "  {role:<9} {logins}")?;
        }
    }
    writeln!(out, "\nPut banking-cli on the PATH:\n")?;
    writeln!(
        out,
        "  export PATH=\"{}:$PATH\"",
        binaries_beside_this_program().display()
    )?;
    if let Ok(offset @ 1..) = offset(&settings()) {
        writeln!(out, "  export BANK_PORT_OFFSET={offset}")?;
    }
    if seeded {
        writeln!(out, "\nTry:\n")?;
        for line in TRY {
            writeln!(out, "  {line}")?;
        }
    }
    writeln!(out, "\n{ending}")?;
    out.flush()
}
