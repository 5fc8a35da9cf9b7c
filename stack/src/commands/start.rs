//! `stack start`: check, build, start, and stay; or leave it running in the background.

use std::{
    env,
    fs::File,
    io::{Read, Seek, SeekFrom, Write},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Command, ExitCode, Stdio},
    time::Duration,
};

use stack::{
    Error, Options, Result,
    data_dir::DataDir,
    leftovers,
    options::Ports,
    postgres::Cluster,
    process::Process,
    state::{Owner, State},
    topology::Topology,
};
use tokio::signal::unix::{SignalKind, signal};

use crate::{Start, checks, compile, project::Project, summary, supervisor};

/// Closes what the caller has open beside the three standard streams, and becomes the program that is
/// given: a pipe that a build tool or a test runner holds must not stay open as long as the bank runs.
const ALONE: &str = r#"
for file in /dev/fd/*; do
    case ${file##*/} in
        0 | 1 | 2 | *[!0-9]*) ;;
        *) eval "exec ${file##*/}>&-" ;;
    esac
done
exec "$@"
"#;

/// How often the log of the background process is looked at.
const POLL: Duration = Duration::from_millis(50);

/// Runs the command.
///
/// # Errors
/// When something is missing or does not start.
pub async fn run(start: Start) -> Result<ExitCode> {
    let project = Project::find();
    let mut options = project.options(&start.prepare.place, &start.prepare.size)?;
    if !start.checked {
        look(&project, &start, &options).await?;
    }
    if start.detach {
        return leave_running(&project, &start, &options).await;
    }
    if start.background {
        // A session of our own: the terminal we were started from may go away.
        rustix::process::setsid()
            .map_err(|error| Error::io("cannot leave the terminal")(error.into()))?;
    }
    if start.fresh {
        erase(&options).await?;
    }
    options.detached = start.background;
    let seeded = options.seed;
    let background = start.background;
    supervisor::run(options, start.supervise, move |bank| {
        if !background {
            summary::print(&bank.state(), seeded, "Ctrl-C stops all of it.");
        }
    })
    .await
}

/// Everything that can be said before anything is touched; then the build. When that made another
/// program of this one, that one goes on.
async fn look(project: &Project, start: &Start, options: &Options) -> Result<()> {
    eprintln!("Checking this machine");
    if start.fresh {
        DataDir::may_erase(&options.data_dir)?;
    }
    if let Some(data) = project.existing(&start.prepare.place)? {
        let lock = data.lock()?.ok_or_else(|| {
            let path = data.root().display();
            Error::Refused(format!(
                "a bank already runs in {path}; stop it first (scripts/stop, or Ctrl-C where it runs)"
            ))
        })?;
        leftovers::end(&data, &*options.progress).await?;
        drop(lock);
    }
    let topology = topology(options);
    checks::machine(options, &topology, !start.prepare.no_build)?;
    let databases = topology.databases();
    if databases.iter().any(|one| {
        options
            .settings
            .get(&one.variable)
            .is_none_or(String::is_empty)
    }) {
        checks::postgres(start.prepare.yes)?;
    }
    if start.prepare.no_build {
        return Ok(());
    }
    eprintln!("Building");
    let program = env::current_exe().map_err(Error::io("cannot find this program"))?;
    let before = compile::version_of(&program);
    compile::everything(project)?;
    if compile::version_of(&program) != before {
        let error = Command::new(&program)
            .args(env::args_os().skip(1))
            .arg("--checked")
            .exec();
        return Err(Error::path("start", &program)(error));
    }
    Ok(())
}

/// The size and the ports of a bank.
pub fn topology(options: &Options) -> Topology {
    let port_offset = match &options.ports {
        Ports::Offset(offset) => *offset,
        Ports::Leased(lease) => lease.offset(),
        Ports::Free => 0,
    };
    Topology {
        banks: options.banks,
        coordinators: options.coordinators,
        orders: options.orders,
        port_offset,
        settings: options.settings.clone(),
    }
}

async fn erase(options: &Options) -> Result<()> {
    if !DataDir::may_erase(&options.data_dir)? {
        return Ok(());
    }
    let data = DataDir::open(&options.data_dir, options.logs.as_deref())?;
    let Some(_lock) = data.lock()? else {
        return Err(Error::Refused(format!(
            "a bank runs in {}",
            data.root().display()
        )));
    };
    leftovers::end(&data, &*options.progress).await?;
    eprintln!("  Deleting the data in {}", data.root().display());
    Cluster::discard(&data)?;
    DataDir::erase(data.root())
}

/// Starts this program again in the background, shows what it says until everything is ready, and
/// leaves it alone.
async fn leave_running(project: &Project, start: &Start, options: &Options) -> Result<ExitCode> {
    if start.fresh {
        erase(options).await?;
    }
    let data = DataDir::open(&options.data_dir, options.logs.as_deref())?;
    let log = data.logs().join("stack.log");
    let output = File::create(&log).map_err(Error::path("write", &log))?;
    let errors = output.try_clone().map_err(Error::path("write", &log))?;
    let program = env::current_exe().map_err(Error::io("cannot find this program"))?;
    let mut command = Command::new("bash");
    command
        .args(["-c", ALONE, "bash"])
        .arg(program)
        .args(background_arguments(start, options))
        .env("STACK_ROOT", project.root());
    command
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors);
    let mut stop =
        signal(SignalKind::interrupt()).map_err(Error::io("cannot listen to signals"))?;
    let mut end = signal(SignalKind::terminate()).map_err(Error::io("cannot listen to signals"))?;
    let child = command
        .spawn()
        .map_err(Error::io("cannot start the background process"))?;
    let child =
        Process::watch(child, |_| {}).map_err(Error::io("cannot watch the background process"))?;
    let mut shown = Tail::open(log)?;
    loop {
        tokio::select! {
            () = tokio::time::sleep(POLL) => {}
            _ = stop.recv() => { let _ = child.signal(stack::Signal::TERM); }
            _ = end.recv() => { let _ = child.signal(stack::Signal::TERM); }
        }
        let ended = child.ended();
        shown.print();
        if ended.is_some() {
            return Ok(ExitCode::FAILURE);
        }
        let ready = |owner: &Owner| owner.ready && owner.supervisor.pid == child.pid();
        if Owner::read(&data)?.as_ref().is_some_and(ready)
            && let Some(state) = State::read(&data)?
        {
            shown.print();
            let directory = match &start.prepare.place.data_dir {
                None => String::new(),
                Some(path) => format!(" --data-dir {}", path.display()),
            };
            summary::print(
                &state,
                options.seed,
                &format!("It runs in the background; scripts/stop{directory} ends it."),
            );
            return Ok(ExitCode::SUCCESS);
        }
    }
}

fn background_arguments(start: &Start, options: &Options) -> Vec<std::ffi::OsString> {
    let mut arguments: Vec<std::ffi::OsString> =
        vec!["start".into(), "--checked".into(), "--background".into()];
    // Relative to where the caller stands, and the background process stands elsewhere.
    let data_dir: PathBuf = options
        .data_dir
        .canonicalize()
        .unwrap_or_else(|_| options.data_dir.clone());
    arguments.extend(["--data-dir".into(), data_dir.into()]);
    arguments.extend(["--banks".into(), options.banks.to_string().into()]);
    arguments.extend([
        "--coordinators".into(),
        options.coordinators.to_string().into(),
    ]);
    if start.supervise {
        arguments.push("--supervise".into());
    }
    arguments
}

/// What was added to a file since last time.
struct Tail {
    file: File,
    position: u64,
}

impl Tail {
    fn open(path: PathBuf) -> Result<Self> {
        Ok(Self {
            file: File::open(&path).map_err(Error::path("read", &path))?,
            position: 0,
        })
    }

    fn print(&mut self) {
        let mut text = Vec::new();
        if self.file.seek(SeekFrom::Start(self.position)).is_ok()
            && self.file.read_to_end(&mut text).is_ok()
        {
            self.position += text.len() as u64;
            let _ = std::io::stderr().write_all(&text);
        }
    }
}
