//! The security page names tests that exist, and no route hides from the authorization matrix.

use std::fs;
use std::path::PathBuf;

use crate::{complain, files, root};

/// What stands in backquotes in the last cell of a row, without the module before `::`.
fn named_tests(row: &str) -> Vec<(Option<&str>, &str)> {
    let cell = row
        .trim_end_matches('|')
        .rsplit('|')
        .next()
        .unwrap_or_default();
    let quoted = cell.split('`').skip(1).step_by(2);
    quoted
        .map(|name| match name.split_once("::") {
            Some((module, name)) => (Some(module), name),
            None => (None, name),
        })
        .collect()
}

#[test]
fn every_row_of_the_security_page_names_tests_that_exist() {
    let sources: Vec<(PathBuf, String)> = files("rs")
        .into_iter()
        .map(|path| (path.clone(), fs::read_to_string(&path).unwrap()))
        .collect();
    let exists = |module: Option<&str>, name: &str| {
        let place = module.map(|module| format!("tests/tests/system/security/{module}.rs"));
        let mut places = sources.iter().filter(|(path, _)| {
            let ours = |place: &String| path.ends_with(place);
            place.as_ref().is_none_or(ours)
        });
        places.any(|(_, source)| source.contains(&format!("fn {name}()")))
    };
    let page = fs::read_to_string(root().join("docs/security.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| "));
    let mut count = 0;
    for row in rows.filter(|row| !row.ends_with("| tests |")) {
        let tests = named_tests(row);
        assert!(
            !tests.is_empty() || row.contains("not built yet"),
            "no test: {row}"
        );
        for (module, name) in tests {
            assert!(
                exists(module, name),
                "no test {name} (in {module:?}): {row}"
            );
            count += 1;
        }
    }
    assert!(count > 50, "the page is read: {count}");
}

/// `routes!` puts a route into the OpenAPI document with it, and the authorization matrix is
/// compared with the documents; what is added past it would be in neither.
#[test]
fn every_route_is_registered_together_with_its_documentation() {
    let past = [
        ".route(",
        ".route_service(",
        ".nest(",
        ".nest_service(",
        ".fallback_service(",
    ];
    let mut hidden = Vec::new();
    for path in files("rs") {
        let place = path
            .strip_prefix(root())
            .unwrap()
            .to_string_lossy()
            .into_owned();
        let served = ["services/", "shared/"]
            .iter()
            .any(|folder| place.starts_with(folder));
        if !served || !place.contains("/src/") {
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        let found = past.iter().filter(|call| source.contains(**call));
        hidden.extend(found.map(|call| format!("{place}: {call}")));
    }
    complain("routes that no document has", &hidden);
}
