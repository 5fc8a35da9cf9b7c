//! The program as a person uses it.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use stack::PortLease;

use crate::stubs;

/// One data directory and one port offset, and the program with stand-ins beside it.
struct Desk {
    folder: tempfile::TempDir,
    lease: PortLease,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // PostgreSQL's user has to get through.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Self {
            folder,
            lease: PortLease::take(2, 2, true).unwrap(),
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let program = stubs().join("stack");
        let mut command = Command::new(program);
        command.args(arguments).arg("--data-dir").arg(self.data());
        command.env("BANK_DATA_DIR", "/nowhere");
        command.env("BANK_PORT_OFFSET", self.lease.offset().to_string());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn succeeds(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{arguments:?}: {text}");
        text
    }

    fn fails(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    fn state(&self) -> Value {
        serde_json::from_slice(&fs::read(self.data().join("run/state.json")).unwrap()).unwrap()
    }

    fn process(&self, name: &str) -> Value {
        let state = self.state();
        let all = state["processes"].as_array().unwrap();
        all.iter()
            .find(|process| process["name"] == name)
            .unwrap()
            .clone()
    }

    fn pid(&self, name: &str) -> Option<u64> {
        self.process(name)["pid"].as_u64()
    }

    fn signal(&self, name: &str, signal: Signal) {
        signal_pid(self.pid(name).unwrap(), signal);
    }

    fn until(&self, what: &str, limit: Duration, condition: impl Fn() -> bool) {
        let began = Instant::now();
        while !condition() {
            assert!(began.elapsed() < limit, "not within {limit:?}: {what}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = self.run(&["stop"]);
    }
}

fn signal_pid(pid: u64, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), signal).unwrap();
}

fn exists(pid: u64) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The first thread may have ended while others still hold what the process has open.
    let threads = fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count);
    !stat.is_empty() && (threads > 1 || !stat.contains(") Z "))
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_detached_bank_is_ready_lets_go_of_its_caller_and_is_stopped_with_nothing_else() {
    let (one, two) = (Desk::new(), Desk::new());
    let told = one.succeeds(&[
        "start",
        "--detach",
        "--no-build",
        "--banks",
        "2",
        "--coordinators",
        "2",
    ]);
    assert!(told.contains("banking-cli login"), "{told}");
    assert!(told.contains("alice-customer"), "{told}");
    two.succeeds(&["start", "--detach", "--no-build"]);
    let state = one.state();
    assert_eq!(state["processes"].as_array().unwrap().len(), 7);
    assert_eq!(
        state["data_dir"],
        one.data().canonicalize().unwrap().display().to_string()
    );
    assert!(one.succeeds(&["status"]).contains("accounts-service-2"));
    assert!(
        one.fails(&["start", "--detach", "--no-build"])
            .contains("already runs")
    );

    // `output` above only returned because nobody kept the pipes.
    one.succeeds(&["stop"]);
    assert!(
        one.state()["processes"]
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["pid"].is_null())
    );
    assert!(exists(two.pid("postgres").unwrap()));
    assert!(two.succeeds(&["status"]).contains("running"));
    assert!(one.succeeds(&["stop"]).contains("No bank runs"));
}

#[test]
fn without_supervision_the_dead_stay_down_until_somebody_starts_them_again() {
    let desk = Desk::new();
    desk.succeeds(&["start", "--detach", "--no-build"]);
    for name in ["accounts-service", "postgres"] {
        let before = desk.pid(name).unwrap();
        desk.signal(name, Signal::KILL);
        desk.until("noted as down", SECOND * 5, || {
            desk.process(name)["status"] == "down"
        });
        assert_eq!(desk.pid(name), None);
        assert!(
            desk.fails(&["start", "--only", "nobody"])
                .contains("accounts-service")
        );
        desk.succeeds(&["start", "--only", name]);
        assert_eq!(desk.process(name)["status"], "running");
        assert_ne!(desk.pid(name), Some(before));
    }
    let pid = desk.pid("customer-service");
    assert!(
        desk.succeeds(&["start", "--only", "customer"])
            .contains("already runs")
    );
    assert_eq!(desk.pid("customer-service"), pid);
    desk.succeeds(&["restart", "customer"]);
    assert_ne!(desk.pid("customer-service"), pid);
}

#[test]
fn with_supervision_whatever_ends_comes_back_and_what_is_only_stopped_is_left_alone() {
    let desk = Desk::new();
    desk.succeeds(&["start", "--detach", "--no-build", "--supervise"]);
    let stopped = desk.pid("customer-service").unwrap();
    desk.signal("customer-service", Signal::STOP);
    for name in ["transactions-service", "postgres", "transactions-service"] {
        let before = desk.pid(name).unwrap();
        desk.signal(name, Signal::KILL);
        desk.until("running again", SECOND * 2, || {
            desk.pid(name)
                .is_some_and(|pid| pid != before && exists(pid))
        });
    }
    assert_eq!(desk.pid("customer-service"), Some(stopped));
    assert_eq!(desk.process("customer-service")["status"], "running");
    desk.succeeds(&["stop"]);
    assert!(!exists(stopped));
}

#[test]
fn fresh_deletes_the_data_of_a_bank_and_of_nobody_else() {
    let desk = Desk::new();
    fs::create_dir(desk.data()).unwrap();
    fs::write(desk.data().join("thesis.txt"), "years of work").unwrap();
    assert!(
        desk.fails(&["start", "--detach", "--no-build", "--fresh"])
            .contains("marker")
    );
    assert_eq!(
        fs::read_to_string(desk.data().join("thesis.txt")).unwrap(),
        "years of work"
    );
    fs::remove_file(desk.data().join("thesis.txt")).unwrap();

    desk.succeeds(&["start", "--detach", "--no-build"]);
    assert!(
        desk.fails(&["start", "--detach", "--no-build", "--fresh"])
            .contains("already runs")
    );
    desk.succeeds(&["stop"]);
    let password = fs::read_to_string(desk.data().join("cluster.json")).unwrap();
    let mode = fs::metadata(desk.data().join("cluster.json"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    desk.succeeds(&["start", "--detach", "--no-build"]);
    desk.succeeds(&["stop"]);
    desk.succeeds(&["start", "--detach", "--no-build", "--fresh"]);
    assert_ne!(
        fs::read_to_string(desk.data().join("cluster.json")).unwrap(),
        password
    );
}

#[test]
fn what_a_killed_supervisor_left_is_stopped_and_started_over() {
    let desk = Desk::new();
    desk.succeeds(&["start", "--detach", "--no-build"]);
    let pids: Vec<_> = ["postgres", "customer-service"]
        .iter()
        .map(|name| desk.pid(name).unwrap())
        .collect();
    let owner: Value =
        serde_json::from_slice(&fs::read(desk.data().join("run/owner.json")).unwrap()).unwrap();
    let supervisor = owner["supervisor"]["pid"].as_u64().unwrap();
    signal_pid(supervisor, Signal::KILL);
    desk.until("gone", SECOND * 30, || !exists(supervisor));
    assert!(pids.iter().all(|pid| exists(*pid)));
    desk.succeeds(&["start", "--detach", "--no-build"]);
    assert!(pids.iter().all(|pid| !exists(*pid)));
}

#[test]
fn a_taken_port_is_named_with_its_holder_and_a_way_out() {
    let desk = Desk::new();
    let port = 3002 + desk.lease.offset();
    let _holder = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let told = desk.fails(&["start", "--no-build"]);
    assert!(
        told.contains(&format!("port {port} for accounts-service")),
        "{told}"
    );
    assert!(
        told.contains(&format!("(pid {})", std::process::id())),
        "{told}"
    );
    assert!(told.contains("BANK_PORT_OFFSET="), "{told}");
}

#[test]
fn an_interrupted_foreground_bank_stops_all_of_it() {
    let desk = Desk::new();
    let log = desk.folder.path().join("out");
    let mut child = desk
        .command(&["start", "--no-build"])
        .stdout(fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let said = |words: &str| fs::read_to_string(&log).unwrap().contains(words);
    desk.until("open", SECOND * 60, || said("Ctrl-C stops"));
    let pids: Vec<_> = ["postgres", "customer-service"]
        .iter()
        .map(|name| desk.pid(name).unwrap())
        .collect();
    assert!(desk.fails(&["stop"]).contains("Ctrl-C"));
    signal_pid(child.id().into(), Signal::INT);
    assert!(child.wait().unwrap().success());
    assert!(pids.iter().all(|pid| !exists(*pid)));
    assert_eq!(desk.process("postgres")["status"], "down");
}

#[test]
fn each_step_works_alone_with_a_running_bank_and_without() {
    let desk = Desk::new();
    let steps = || {
        desk.succeeds(&["setup-databases", "--no-build"]);
        desk.succeeds(&["migrate", "--no-build", "accounts"]);
        desk.succeeds(&["seed", "--no-build"]);
        assert!(
            desk.fails(&["migrate", "--no-build", "nobody"])
                .contains("customer-service")
        );
        let mut psql = desk.command(&["psql", "--no-build", "accounts"]);
        let output = psql
            .args(["--", "-Atc", "select current_user"])
            .output()
            .unwrap();
        assert_eq!(
            String::from_utf8_lossy(&output.stdout).trim(),
            "accounts_service"
        );
    };
    steps();
    desk.succeeds(&["start", "--detach", "--no-build"]);
    steps();
}

#[test]
fn a_command_with_postgres_gets_a_superuser_and_its_exit_code_is_passed_on() {
    let script = "test -n \"$TEST_POSTGRES_URL\" && psql -Atc 'select rolsuper from pg_roles \
                  where rolname = current_user' \"$TEST_POSTGRES_URL\"; exit 7";
    let output = Command::new(Path::new(env!("CARGO_BIN_EXE_stack")))
        .args(["with-postgres", "--", "sh", "-c", script])
        .env_remove("TEST_POSTGRES_URL")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(7));
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim(),
        "t",
        "{output:?}"
    );
}
