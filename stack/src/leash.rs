//! Children that must not outlive us, however we go.
//!
//! A destructor does not run when a program is killed, and Ctrl-C at `cargo test` kills the test
//! program but not the services, which have process groups of their own. So a small shell process
//! reads from a pipe whose other end only we hold: when the pipe breaks, we are gone, and it kills
//! what it was told about.

use std::{
    io::{self, Write},
    os::unix::process::CommandExt,
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Mutex, PoisonError},
};

const SCRIPT: &str = r#"
pids=" "
while read -r verb pid; do
    case $verb in
        +) pids="$pids$pid " ;;
        -) pids="${pids%% "$pid" *} ${pids#* "$pid" }" ;;
        done) exit 0 ;;
    esac
done
kill -9 $pids 2>/dev/null
"#;

/// Ends the noted processes when this program ends without having dropped it.
#[derive(Debug)]
pub struct Leash {
    shell: Child,
    pipe: Mutex<Option<ChildStdin>>,
}

impl Leash {
    /// Starts the watcher.
    ///
    /// # Errors
    /// When there is no shell.
    pub fn new() -> io::Result<Self> {
        let mut shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT])
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let pipe = Mutex::new(shell.stdin.take());
        Ok(Self { shell, pipe })
    }

    /// This process must not outlive us.
    pub fn hold(&self, pid: u32) {
        self.say(&format!("+ {pid}\n"));
    }

    /// This process has ended, and its number may soon be somebody else's.
    pub fn release(&self, pid: u32) {
        self.say(&format!("- {pid}\n"));
    }

    fn say(&self, line: &str) {
        if let Some(pipe) = self
            .pipe
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_mut()
        {
            // Without the watcher everything works as before, only less tidily.
            let _ = pipe.write_all(line.as_bytes());
        }
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        self.say("done\n");
        self.pipe
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let _ = self.shell.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    fn sleeper() -> Child {
        Command::new("sleep").arg("60").spawn().unwrap()
    }

    #[test]
    fn what_is_held_dies_with_us_and_what_was_released_does_not() {
        let leash = Leash::new().unwrap();
        let (mut first, mut second, mut third) = (sleeper(), sleeper(), sleeper());
        for child in [&first, &second, &third] {
            leash.hold(child.id());
        }
        leash.release(second.id());
        // As if we were killed: the pipe breaks without a word.
        leash.pipe.lock().unwrap().take();
        assert_eq!(first.wait().unwrap().signal(), Some(9));
        assert_eq!(third.wait().unwrap().signal(), Some(9));
        assert!(second.try_wait().unwrap().is_none());
        second.kill().unwrap();
        second.wait().unwrap();
    }
}
