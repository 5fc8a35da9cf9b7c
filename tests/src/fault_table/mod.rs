//! docs/faults.md: which case is shown by which test, and how that test went last.

mod cases;
mod sources;

use std::collections::BTreeMap;
use std::fmt::Write;

pub use sources::{CaseTest, find};

use cases::SECTIONS;

/// How each test went, by its name: `ok 2026-01-31`.
pub type Results = BTreeMap<String, String>;

const HEAD: &str = include_str!("head.txt");
const NO_TEST: &str = "| – | – | – |";
const NOT_RUN: &str = "not run";

/// The whole page.
#[must_use]
pub fn page(tests: &[CaseTest], results: &Results) -> String {
    let mut page = HEAD.to_owned();
    for (title, cases) in SECTIONS {
        let _ = write!(
            page,
            "\n## {title}\n\n| case | what happens | then | tests | kind | last result |\n\
             |---|---|---|---|---|---|\n"
        );
        for (number, what, then) in *cases {
            let shown: Vec<_> = tests
                .iter()
                .filter(|test| test.cases.contains(number))
                .collect();
            let _ = write!(page, "| {number} | {what} | {then} ");
            let _ = if shown.is_empty() {
                writeln!(page, "{NO_TEST}")
            } else {
                let names = column(&shown, |test| format!("`{}`", test.name));
                let kinds = column(&shown, |test| test.kind.to_owned());
                let went = column(&shown, |test| {
                    let result = results.get(&test.name);
                    result.map_or(NOT_RUN, String::as_str).to_owned()
                });
                writeln!(page, "| {names} | {kinds} | {went} |")
            };
        }
    }
    page
}

fn column(tests: &[&CaseTest], show: impl Fn(&CaseTest) -> String) -> String {
    let cells: Vec<_> = tests.iter().map(|test| show(test)).collect();
    cells.join("<br>")
}

/// The page without what a fresh clone cannot know: the last column.
#[must_use]
pub fn without_results(page: &str) -> String {
    let lines = page.lines().map(|line| {
        let is_case = line.starts_with("| ") && line.matches(" | ").count() == 5;
        let kept = line.rsplit_once(" | ").filter(|_| is_case);
        kept.map_or(line, |(kept, _)| kept)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The results that stand in a page, for tests that did not run since.
#[must_use]
pub fn results_in(page: &str) -> Results {
    let mut results = Results::new();
    for line in page.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").collect();
        if let [_, _, _, names, _, went] = cells[..] {
            let names = names
                .split("<br>")
                .map(|name| name.trim().trim_matches('`'));
            let went = went.split("<br>").map(str::trim);
            results.extend(names.zip(went).map(|(n, w)| (n.to_owned(), w.to_owned())));
        }
    }
    results.retain(|name, went| name.starts_with("case_") && went != NOT_RUN);
    results
}

/// The results in what `scripts/test` kept: the day, then cargo's lines `test NAME ... ok`. A test
/// that was left out has no result.
#[must_use]
pub fn results_of_run(kept: &str) -> Results {
    let mut lines = kept.lines();
    let day = lines.next().unwrap_or_default();
    lines
        .filter_map(|line| {
            let (path, went) = line.strip_prefix("test ")?.split_once(" ... ")?;
            let name = path.rsplit("::").next()?.trim();
            let went = went.split([',', ' ']).next()?;
            (went == "ok" || went == "FAILED").then(|| (name.to_owned(), format!("{went} {day}")))
        })
        .collect()
}

/// The numbers of the cases without a test.
#[must_use]
pub fn untested(tests: &[CaseTest]) -> Vec<u32> {
    SECTIONS
        .iter()
        .flat_map(|(_, cases)| cases.iter().map(|case| case.0))
        .filter(|number| !tests.iter().any(|test| test.cases.contains(number)))
        .collect()
}

/// Tests that carry a number which stands for no case.
#[must_use]
pub fn unknown(tests: &[CaseTest]) -> Vec<&str> {
    let known: Vec<u32> = SECTIONS
        .iter()
        .flat_map(|(_, cases)| cases.iter().map(|case| case.0))
        .collect();
    let strange = tests
        .iter()
        .filter(|test| test.cases.iter().any(|number| !known.contains(number)));
    strange.map(|test| test.name.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(name: &str, cases: &[u32]) -> CaseTest {
        CaseTest {
            name: name.to_owned(),
            cases: cases.iter().copied().collect(),
            kind: "system",
        }
    }

    #[test]
    fn results_go_into_the_page_and_come_out_of_it_again() {
        let tests = [
            test("case_32_and_33_late", &[32, 33]),
            test("case_33_again", &[33]),
        ];
        let kept = "2026-01-31\ntest messages::case_32_and_33_late ... ok\n\
                    test a::b::case_33_again ... FAILED\ntest case_1_x ... ignored, slow: an hour\n";
        let results = results_of_run(kept);
        assert_eq!(results.len(), 2);
        let page = page(&tests, &results);
        assert!(page.contains(
            "| `case_32_and_33_late`<br>`case_33_again` | system<br>system | \
             ok 2026-01-31<br>FAILED 2026-01-31 |"
        ));
        assert_eq!(results_in(&page), results);
    }

    #[test]
    fn pages_that_differ_in_results_only_are_the_same_without_them() {
        let tests = [test("case_33_again", &[33])];
        let fresh = page(&tests, &Results::new());
        let kept = results_of_run("2026-01-31\ntest case_33_again ... ok");
        let known = page(&tests, &kept);
        assert_ne!(fresh, known);
        assert_eq!(without_results(&fresh), without_results(&known));
        let other = page(&[], &Results::new());
        assert_ne!(without_results(&fresh), without_results(&other));
    }

    #[test]
    fn a_case_without_a_test_and_a_test_without_a_case_are_named() {
        let tests = [
            test("case_33_again", &[33]),
            test("case_999_strange", &[999]),
        ];
        assert!(!untested(&tests).contains(&33) && untested(&tests).contains(&34));
        assert_eq!(unknown(&tests), ["case_999_strange"]);
    }
}
