use crate::program::{Home, NOBODY};

#[test]
fn the_version_and_help_go_to_standard_output() {
    let home = Home::new(NOBODY);
    let run = home.run("--version");
    assert_eq!(run.code, 0);
    assert!(run.out.starts_with("banking-cli "), "{}", run.out);
    for line in [
        "--help",
        "transfer --help",
        "demo --help",
        "accounts open --help",
    ] {
        let run = home.run(line);
        assert_eq!((run.code, run.err.as_str()), (0, ""), "{line}");
        // The line of usage is one line by its nature.
        let lines = run.out.lines().filter(|line| !line.starts_with("Usage:"));
        let widest = lines.map(|line| line.chars().count()).max();
        assert!(widest.unwrap() <= 80, "{line}\n{}", run.out);
    }
}

#[test]
fn completions_are_written_for_every_common_shell() {
    let home = Home::new(NOBODY);
    for shell in ["bash", "zsh", "fish"] {
        let run = home.run(&format!("completions {shell}"));
        assert_eq!(run.code, 0);
        assert!(run.out.contains("ledger-check"), "{shell}");
    }
}

#[test]
fn a_reader_that_goes_away_ends_the_program_quietly() {
    let home = Home::new(NOBODY);
    for line in ["completions bash", "health --output json", "--help"] {
        // Gone before the program starts, so that no write can be too early to notice.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = home.command(line).stdout(writer).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{line}");
        assert!(output.stderr.is_empty(), "{line}");
    }
}

#[test]
fn a_closed_standard_error_is_no_reason_to_crash() {
    let home = Home::new(NOBODY);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = home.command("whoami").stderr(writer).status().unwrap();
    assert_eq!(status.code(), Some(4));
}
