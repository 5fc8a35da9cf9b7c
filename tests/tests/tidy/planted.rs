//! The table of planted bugs lists what there is, and no release has any of it.

use std::fs;

use two_phase::planted::Bug;

use crate::{metadata, root};

/// The cells of the rows whose first cell is code, without the backticks.
fn rows(page: &str) -> impl Iterator<Item = Vec<&str>> {
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        row.split('|')
            .map(|cell| cell.trim().trim_matches('`'))
            .skip(1)
            .collect()
    })
}

/// What stands between `name: Variant` and the next semicolon in the tests of planted bugs.
fn planted_test<'a>(sources: &'a str, name: &str, bug: Bug) -> Option<&'a str> {
    let (_, rest) = sources.split_once(&format!(" {name}: {bug:?} "))?;
    rest.split(';').next()
}

#[test]
fn every_planted_bug_is_listed_with_the_check_and_the_test_that_catch_it() {
    let page = fs::read_to_string(root().join("docs/planted-bugs.md")).unwrap();
    let sources: Vec<String> = [
        "shared/two-phase/tests/model/planted.rs",
        "services/accounts-service/tests/it/planted.rs",
        "tests/tests/system/planted_bugs.rs",
    ]
    .iter()
    .map(|path| fs::read_to_string(root().join(path)).unwrap())
    .collect();
    let sources = sources
        .concat()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let listed: Vec<&str> = rows(&page).map(|row| row[0]).collect();
    let all: Vec<&str> = Bug::ALL.iter().map(|bug| bug.name()).collect();
    assert_eq!(listed, all);
    for (row, bug) in rows(&page).zip(Bug::ALL) {
        let found = planted_test(&sources, row[3], *bug);
        let found = found.unwrap_or_else(|| panic!("no test {} of {bug:?}", row[3]));
        let (_, check) = row[2]
            .split_once('`')
            .unwrap_or_else(|| panic!("{bug:?}: no check"));
        assert!(
            found.contains(check),
            "{bug:?} is not caught by {check}: {found}"
        );
    }
}

#[test]
fn a_release_is_built_without_planted_bugs() {
    let metadata = metadata();
    let resolve = metadata.resolve.as_ref().expect("resolved");
    let mut nodes = resolve.nodes.iter();
    let protocol = nodes.find(|node| metadata[&node.id].name.as_str() == "two-phase");
    let features = &protocol.expect("two-phase").features;
    assert!(features.is_empty(), "by default: {features:?}");
    for script in ["scripts/build", "Dockerfile"] {
        let script = fs::read_to_string(root().join(script)).unwrap();
        assert!(script.contains("--release") && !script.contains("--features"));
        assert!(!script.contains("--all-features"));
    }
}
