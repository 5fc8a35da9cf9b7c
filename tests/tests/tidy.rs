//! What no compiler checks: the arrows between crates, file sizes, banned words, links, and
//! tables in the documentation that must list everything there is.

#[path = "tidy/copies.rs"]
mod copies;
#[path = "tidy/planted.rs"]
mod planted;
#[path = "tidy/security.rs"]
mod security;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};
use types::Code;

/// What each crate of ours may depend on, from `design/architecture.md`. A new crate is added
/// here first, so that its arrows are decided before they are drawn.
const ARROWS: &[(&str, &[&str])] = &[
    ("types", &[]),
    ("two-phase", &["types"]),
    ("saga", &[]),
    ("saga-postgres", &["types", "saga", "service-kit"]),
    ("outbox", &["types"]),
    ("documents", &["types"]),
    ("warehouse", &["types", "saga"]),
    ("service-kit", &["types"]),
    ("client", &["types"]),
    ("customer-service", SHARED),
    ("accounts-service", SHARED),
    ("transactions-service", SHARED),
    ("orders-service", SHARED),
    ("query-service", SHARED),
    ("stack", ANYTHING),
    ("benches", ANYTHING),
    ("history", &["types"]),
    ("tests", ANYTHING),
];

/// Services reach each other over HTTP or events, never in code.
const SHARED: &[&str] = &[
    "types",
    "two-phase",
    "saga",
    "saga-postgres",
    "outbox",
    "documents",
    "warehouse",
    "service-kit",
];

/// Those who start services may know everybody.
const ANYTHING: &[&str] = &[
    "types",
    "two-phase",
    "saga",
    "saga-postgres",
    "outbox",
    "documents",
    "warehouse",
    "service-kit",
    "client",
    "stack",
    "history",
    "customer-service",
    "accounts-service",
    "transactions-service",
    "orders-service",
    "query-service",
];

/// Crates that must not be able to reach a database or a network, not even through others.
const PURE: &[&str] = &["types", "two-phase", "history"];
const REACHES_OUT: &[&str] = &["axum", "hyper", "reqwest", "sqlx", "tokio"];

/// Crates that may wait and tell each other things, with tokio's timers and channels, and that
/// must not be able to reach a database or a network either.
const WAITS: &[&str] = &["saga"];
const WAITS_WITH: &[&str] = &["sync", "time"];

fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("tests/ is in the root").to_owned()
}

/// This machine's platform. Crates that only others need may never have been downloaded here.
fn platform() -> String {
    let told = Command::new("rustc").arg("-vV").output().expect("rustc");
    let told = String::from_utf8(told.stdout).expect("text");
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("rustc -vV names the host").to_owned()
}

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .other_options(["--offline", "--filter-platform", &platform()].map(str::to_owned))
        .exec()
        .expect("cargo metadata")
}

/// Our crates, and what each of them names in its `Cargo.toml`.
fn our_crates(metadata: &Metadata) -> BTreeMap<&str, BTreeSet<&str>> {
    metadata
        .workspace_packages()
        .into_iter()
        .map(|package| {
            let names = package.dependencies.iter().map(|one| one.name.as_str());
            (package.name.as_str(), names.collect())
        })
        .collect()
}

#[test]
fn crates_depend_on_each_other_only_along_the_arrows() {
    let metadata = metadata();
    let ours = our_crates(&metadata);
    for (name, dependencies) in &ours {
        let arrows = ARROWS.iter().find(|(from, _)| from == name);
        let (_, allowed) = arrows.unwrap_or_else(|| panic!("{name} has no arrows in this test"));
        // A crate's own tests may switch on a feature of its own.
        let others = dependencies.iter().filter(|one| *one != name);
        for dependency in others.filter(|one| ours.contains_key(**one)) {
            assert!(
                allowed.contains(dependency),
                "{name} must not depend on {dependency}"
            );
        }
    }
}

/// The crates that are built into this one, its tests and build scripts aside. Where `through` says
/// no, those behind it are left out.
fn built_in(metadata: &Metadata, name: &str, through: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let resolve = metadata.resolve.as_ref().expect("resolved");
    let packages = metadata.workspace_packages();
    let package = packages.iter().find(|package| package.name == name);
    let mut waiting = vec![package.expect(name).id.clone()];
    let mut seen = BTreeSet::new();
    let mut names = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        let name = metadata[&id].name.to_string();
        let goes_on = through(&name);
        names.insert(name);
        let node = resolve.nodes.iter().find(|node| node.id == id);
        let dependencies = &node.expect("resolved").deps;
        for dependency in dependencies.iter().filter(|_| goes_on) {
            let mut kinds = dependency.dep_kinds.iter();
            let is_built_in = kinds.any(|kind| kind.kind == DependencyKind::Normal);
            if is_built_in && seen.insert(dependency.pkg.clone()) {
                waiting.push(dependency.pkg.clone());
            }
        }
    }
    names
}

#[test]
fn the_protocol_can_reach_neither_a_database_nor_a_network() {
    let metadata = metadata();
    for pure in PURE {
        for name in built_in(&metadata, pure, |_| true) {
            assert!(!REACHES_OUT.contains(&&*name), "{pure} reaches {name}");
        }
    }
}

#[test]
fn what_waits_can_reach_neither_a_database_nor_a_network() {
    let metadata = metadata();
    for waits in WAITS {
        // What tokio brings along depends on what others switch on; what is asked for here does not.
        for name in built_in(&metadata, waits, |name| name != "tokio") {
            let reaches_out = REACHES_OUT.contains(&&*name) && name != "tokio";
            assert!(!reaches_out, "{waits} reaches {name}");
        }
        let packages = metadata.workspace_packages();
        let package = packages.iter().find(|package| package.name == *waits);
        for dependency in &package.expect(waits).dependencies {
            if dependency.kind == DependencyKind::Normal && dependency.name == "tokio" {
                assert!(!dependency.uses_default_features, "{waits}");
                for feature in &dependency.features {
                    assert!(
                        WAITS_WITH.contains(&&**feature),
                        "{waits}: tokio's {feature}"
                    );
                }
            }
        }
    }
}

#[test]
fn every_crate_inherits_the_lints() {
    for package in metadata().workspace_packages() {
        let manifest = fs::read_to_string(&package.manifest_path).unwrap();
        assert!(
            manifest.contains("[lints]\nworkspace = true"),
            "{} does not inherit the workspace's lints",
            package.name
        );
    }
}

/// All files of ours with this extension. Hidden folders, builds and data are not ours.
fn files(extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a readable folder") {
            let path = entry.expect("a readable folder").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with('.') || name == "target" || name == "node_modules" {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found
}

fn complain(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

#[test]
fn no_source_file_is_longer_than_four_hundred_lines() {
    let mut long = Vec::new();
    for path in files("rs") {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        if lines > 400 {
            long.push(format!("{}: {lines} lines", path.display()));
        }
    }
    complain("too long", &long);
}

#[test]
fn nothing_unfinished_is_left_in_the_sources() {
    // Put together here, so that this file does not find itself.
    let banned = [
        concat!("dbg", "!("),
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("FIX", "ME"),
        concat!("XX", "X"),
    ];
    let mut unfinished = Vec::new();
    for path in ["rs", "sql", "sh", "toml"].into_iter().flat_map(files) {
        let text = fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            for word in banned.iter().filter(|word| line.contains(**word)) {
                unfinished.push(format!("{}:{}: {word}", path.display(), number + 1));
            }
        }
    }
    complain("unfinished", &unfinished);
}

/// The targets of the links in a page, without what follows `#`.
fn links(page: &str) -> impl Iterator<Item = &str> {
    let targets = page
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    targets.map(|target| target.split('#').next().unwrap_or(target))
}

#[test]
fn every_page_that_is_linked_exists() {
    let mut broken = Vec::new();
    for path in files("md") {
        let page = fs::read_to_string(&path).unwrap();
        let folder = path.parent().expect("a file has a folder");
        for target in links(&page) {
            let elsewhere = target.contains("://") || target.starts_with("mailto:");
            if !elsewhere && !target.is_empty() && !folder.join(target).exists() {
                broken.push(format!("{}: {target}", path.display()));
            }
        }
    }
    complain("broken links", &broken);
}

#[test]
fn the_files_a_reader_looks_for_are_there() {
    for name in [
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "LICENSE",
        "SECURITY.md",
        "docs/glossary.md",
        "docs/http-status.md",
    ] {
        assert!(root().join(name).is_file(), "{name} is missing");
    }
}

#[test]
fn the_status_table_lists_every_code_with_its_status_and_retry() {
    let page = fs::read_to_string(root().join("docs/http-status.md")).unwrap();
    let rows: BTreeSet<String> = page
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            line.split('|')
                .take(4)
                .map(str::trim)
                .collect::<Vec<_>>()
                .join("|")
        })
        .collect();
    let expected: BTreeSet<String> = Code::ALL
        .iter()
        .map(|code| {
            let retry = serde_json::to_value(code.retry()).unwrap();
            format!("|`{code}`|{}|{}", code.status(), retry.as_str().unwrap())
        })
        .collect();
    let missing: Vec<_> = expected.difference(&rows).cloned().collect();
    let wrong: Vec<_> = rows.difference(&expected).cloned().collect();
    complain("missing in docs/http-status.md", &missing);
    complain("wrong in docs/http-status.md", &wrong);
}

#[test]
fn decisions_are_numbered_without_gaps() {
    let mut numbers: Vec<usize> = fs::read_dir(root().join("docs/decisions"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".md"))
        .map(|name| {
            name[..4]
                .parse()
                .unwrap_or_else(|_| panic!("{name}: four digits first"))
        })
        .collect();
    numbers.sort_unstable();
    assert!(!numbers.is_empty());
    assert_eq!(numbers, (1..=numbers.len()).collect::<Vec<_>>());
}

/// `scripts/fault-table` sets FAULT_TABLE to what `scripts/test` has kept, and the page is written
/// anew. Otherwise all but the results is compared: those are of somebody's last run.
#[test]
fn the_fault_list_names_every_case_and_the_tests_that_show_it() {
    use tests::fault_table::{
        find, page, results_in, results_of_run, unknown, untested, without_results,
    };
    let tests = find(&root());
    assert_eq!(unknown(&tests), [""; 0], "numbers that stand for no case");
    let place = root().join("docs/faults.md");
    let written = fs::read_to_string(&place).unwrap();
    // A test that was not run since keeps the result it had.
    let mut results = results_in(&written);
    if let Some(kept) = std::env::var_os("FAULT_TABLE") {
        results.extend(results_of_run(
            &fs::read_to_string(kept).unwrap_or_default(),
        ));
        fs::write(&place, page(&tests, &results)).unwrap();
        println!("no test for the cases {:?}", untested(&tests));
        return;
    }
    assert!(
        without_results(&written) == without_results(&page(&tests, &results)),
        "docs/faults.md is not current: ./scripts/fault-table"
    );
}
