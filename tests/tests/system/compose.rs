//! docker-compose.yml and Dockerfile say what is true: no engine is needed to see that.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_yaml_ng::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_path_buf()
}

fn services() -> Vec<(String, Value)> {
    let text = std::fs::read_to_string(root().join("docker-compose.yml")).unwrap();
    let mut compose: Value = serde_yaml_ng::from_str(&text).unwrap();
    compose.apply_merge().unwrap();
    let services = compose["services"].as_mapping().unwrap();
    services
        .iter()
        .map(|(name, service)| (name.as_str().unwrap().to_owned(), service.clone()))
        .collect()
}

/// `${NAME:-default}` as it is without NAME.
fn defaulted(text: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, after) = after.split_once('}').unwrap();
        let (_, default) = name.split_once(":-").expect("every variable has a default");
        result.push_str(before);
        result.push_str(default);
        rest = after;
    }
    result + rest
}

fn environment(service: &Value) -> Vec<(String, String)> {
    let Some(variables) = service["environment"].as_mapping() else {
        return Vec::new();
    };
    variables
        .iter()
        .map(|(name, value)| {
            (
                name.as_str().unwrap().to_owned(),
                defaulted(value.as_str().unwrap()),
            )
        })
        .collect()
}

/// The program a service runs, when it is one of ours.
fn program(service: &Value) -> Option<String> {
    let program = service["command"][0].as_str()?;
    program.ends_with("-service").then(|| program.to_owned())
}

#[test]
fn every_variable_is_one_that_the_service_knows() {
    let mut checked = 0;
    for (name, service) in services() {
        let Some(program) = program(&service) else {
            continue;
        };
        let path = stack::options::binaries_beside_this_program().join(&program);
        // Unknown variables are errors, so the service itself is the judge.
        let output = Command::new(&path)
            .arg("--print-config")
            .env_clear()
            .envs(environment(&service))
            .output()
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {words}");
        checked += 1;
    }
    assert!(checked >= 4, "the four services are there");
}

#[test]
fn every_service_has_a_database_of_its_own_and_a_volume_for_it() {
    let services = services();
    let mut hosts = std::collections::BTreeSet::new();
    for (name, service) in services
        .iter()
        .filter(|(name, _)| name.ends_with("-service"))
    {
        let urls = environment(service)
            .into_iter()
            .filter(|(variable, _)| variable.ends_with("_DATABASE_URL"))
            .map(|(_, url)| url);
        for url in urls {
            let (role, rest) = url
                .trim_start_matches("postgres://")
                .split_once(':')
                .unwrap();
            let (password, rest) = rest.split_once('@').unwrap();
            let (host, database) = rest.split_once(":5432/").unwrap();
            assert!(hosts.insert(host.to_owned()), "{name} shares {host}");
            let (_, server) = services.iter().find(|(name, _)| name == host).unwrap();
            let settings = environment(server);
            for (variable, value) in [
                ("POSTGRES_USER", role),
                ("POSTGRES_PASSWORD", password),
                ("POSTGRES_DB", database),
            ] {
                let set = settings
                    .iter()
                    .find(|(name, _)| name == variable)
                    .map(|(_, v)| v.as_str());
                assert_eq!(set, Some(value), "{host}: {variable}");
            }
            assert!(server["volumes"][0].is_string(), "{host} keeps its data");
            assert!(
                !server["healthcheck"].is_null(),
                "{host} has a health check"
            );
        }
    }
    assert_eq!(hosts.len(), 5);
}

#[test]
fn every_port_and_health_path_is_real() {
    for (name, service) in services()
        .iter()
        .filter(|(name, _)| name.ends_with("-service"))
    {
        let path = stack::options::binaries_beside_this_program().join(name);
        let output = Command::new(path)
            .arg("--print-config")
            .env_clear()
            .envs(environment(service))
            .output()
            .unwrap();
        let shown: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let port = shown["service"]["port"].as_u64().unwrap();
        assert_eq!(
            service["ports"][0].as_str(),
            Some(&*format!("127.0.0.1:{port}:{port}"))
        );
        let check = service["healthcheck"]["test"].as_sequence().unwrap();
        let url = check.last().unwrap().as_str().unwrap();
        let path = url
            .strip_prefix(&format!("http://127.0.0.1:{port}"))
            .unwrap();
        assert!(["/health", "/ready"].contains(&path), "{name}: {path}");
        for (variable, value) in environment(service) {
            for url in value
                .split([',', '='])
                .filter(|part| part.starts_with("http://"))
            {
                let (host, port) = url.trim_start_matches("http://").split_once(':').unwrap();
                let known = services().iter().any(|(other, service)| {
                    // From outside, a service is where its port is published.
                    let published = format!("127.0.0.1:{port}:{port}");
                    other == host
                        || host == "127.0.0.1" && service["ports"][0] == published.as_str()
                });
                assert!(known, "{name}: {variable} names {url}");
            }
        }
    }
}

#[test]
fn every_path_that_the_image_copies_exists() {
    let text = std::fs::read_to_string(root().join("Dockerfile")).unwrap();
    let built = ["/programs/"];
    let mut copies = 0;
    for line in text.lines().filter(|line| line.starts_with("COPY ")) {
        let mut words = line.split_whitespace().skip(1).peekable();
        let from_stage = words.peek().is_some_and(|word| word.starts_with("--from="));
        let paths: Vec<&str> = words.filter(|word| !word.starts_with("--")).collect();
        for path in &paths[..paths.len() - 1] {
            if from_stage {
                assert!(built.contains(path), "{line}");
            } else {
                assert!(root().join(path).exists(), "{line}");
            }
        }
        copies += 1;
    }
    assert!(copies > 0);
}
