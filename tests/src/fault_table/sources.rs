//! Which tests there are, read from the sources.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A test that shows one case or several.
#[derive(Debug, Clone)]
pub struct CaseTest {
    /// Its function's name.
    pub name: String,
    /// The numbers in it.
    pub cases: BTreeSet<u32>,
    /// unit, model, integration, system; slow when it is not part of every run.
    pub kind: &'static str,
}

/// All tests below `root` that carry a number, in the order of numbers and names.
///
/// # Panics
/// When a source cannot be read.
#[must_use]
pub fn find(root: &Path) -> Vec<CaseTest> {
    let mut tests: Vec<CaseTest> = sources(root)
        .iter()
        .flat_map(|path| {
            let text = fs::read_to_string(path).expect("a readable source");
            let kind = kind(path.strip_prefix(root).unwrap_or(path));
            in_source(&text, kind)
        })
        .collect();
    tests.sort_by(|a, b| (&a.cases, &a.name).cmp(&(&b.cases, &b.name)));
    tests
}

fn sources(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a readable folder") {
            let path = entry.expect("a readable folder").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with('.') || name == "target" || name == "node_modules" {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == "rs") {
                found.push(path);
            }
        }
    }
    found
}

fn kind(path: &Path) -> &'static str {
    let path = path.to_string_lossy();
    if path.contains("tests/model/") {
        "model"
    } else if path.starts_with("tests/tests/") {
        "system"
    } else if path.contains("/tests/") && !path.contains("/src/") {
        "integration"
    } else {
        "unit"
    }
}

fn in_source(text: &str, kind: &'static str) -> Vec<CaseTest> {
    let mut tests = Vec::new();
    let mut ignored = false;
    for line in text.lines().map(str::trim) {
        let function = line.strip_prefix("async ").unwrap_or(line);
        if let Some(rest) = function.strip_prefix("fn ") {
            let name = rest.split(['(', '<']).next().unwrap_or_default();
            let cases = numbers(name);
            if !cases.is_empty() {
                tests.push(CaseTest {
                    name: name.to_owned(),
                    cases,
                    kind: if ignored { "slow" } else { kind },
                });
            }
            ignored = false;
        } else if line.starts_with("#[ignore") {
            ignored = true;
        }
    }
    tests
}

/// The numbers in `case_06_…` and `case_16_and_17_…`.
fn numbers(name: &str) -> BTreeSet<u32> {
    let Some(rest) = name.strip_prefix("case_") else {
        return BTreeSet::new();
    };
    let mut words = rest.split('_').filter(|word| *word != "and");
    std::iter::from_fn(move || words.next()?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_found_with_their_numbers_and_kinds() {
        let text = "#[test]\nfn case_06_decided() {}\nfn helper() {}\n#[tokio::test]\n\
                    #[ignore = \"slow\"]\nasync fn case_16_and_17_clients() {}\n";
        let tests = in_source(text, "system");
        assert_eq!(tests.len(), 2);
        assert_eq!(
            (tests[0].name.as_str(), tests[0].kind),
            ("case_06_decided", "system")
        );
        assert_eq!(tests[0].cases, [6].into());
        assert_eq!(tests[1].cases, [16, 17].into());
        assert_eq!(tests[1].kind, "slow");
        assert_eq!(
            kind(Path::new("shared/two-phase/tests/model/main.rs")),
            "model"
        );
        assert_eq!(
            kind(Path::new("services/a/tests/it/main.rs")),
            "integration"
        );
        assert_eq!(kind(Path::new("services/a/src/vote/tests.rs")), "unit");
    }
}
