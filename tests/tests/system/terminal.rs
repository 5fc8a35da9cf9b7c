//! A terminal of 80 columns and 24 lines with a program in it.

use std::io::{Read, Write};
use std::num::NonZero;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use vt100::Parser;

const ROWS: NonZero<u16> = NonZero::new(24).unwrap();
const COLUMNS: NonZero<u16> = NonZero::new(80).unwrap();

/// How long something may take to appear; a password hash on a busy machine takes a while.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) const ENTER: &str = "\r";
pub(crate) const ESCAPE: &str = "\u{1b}";
pub(crate) const DOWN: &str = "\u{1b}[B";
pub(crate) const BACKSPACE: &str = "\u{7f}";
pub(crate) const CTRL_C: &str = "\u{3}";

pub(crate) struct Terminal {
    screen: Arc<(Mutex<Parser>, Condvar)>,
    keyboard: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    _master: Box<dyn MasterPty + Send>,
}

impl Terminal {
    /// Starts `program` with nothing in its environment but `environment`.
    pub(crate) fn open(program: &Path, arguments: &[&str], environment: &[(&str, String)]) -> Self {
        let size = PtySize {
            rows: ROWS.get(),
            cols: COLUMNS.get(),
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.env_clear();
        command.env("TERM", "xterm-256color");
        for (name, value) in environment {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let screen = Arc::new((Mutex::new(Parser::new(ROWS, COLUMNS, 0)), Condvar::new()));
        let painted = screen.clone();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = reader.read(&mut bytes) {
                painted.0.lock().unwrap().process(&bytes[..length]);
                painted.1.notify_all();
            }
        });
        Self {
            screen,
            keyboard: pair.master.take_writer().unwrap(),
            child,
            _master: pair.master,
        }
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Types, then waits for the next question. A question is asked where the cursor is: the same
    /// words further up are history.
    pub(crate) fn answer(&mut self, keys: &str, next: &str) -> String {
        self.press(keys);
        self.asks(next)
    }

    /// The screen as soon as `question` is what is being asked.
    pub(crate) fn asks(&self, question: &str) -> String {
        self.until(question, |parser| {
            let (row, _) = parser.screen().cursor_position();
            let line = parser.screen().rows(0, COLUMNS.get()).nth(usize::from(row));
            line.is_some_and(|line| line.starts_with("? ") && line.contains(question))
        })
    }

    /// The screen as soon as it shows `text` anywhere.
    pub(crate) fn shows(&self, text: &str) -> String {
        self.until(text, |parser| parser.screen().contents().contains(text))
    }

    fn until(&self, what: &str, is_so: impl Fn(&Parser) -> bool) -> String {
        let begun = Instant::now();
        let mut parser = self.screen.0.lock().unwrap();
        loop {
            let contents = parser.screen().contents();
            if is_so(&parser) {
                return contents;
            }
            let left = PATIENCE.saturating_sub(begun.elapsed());
            assert!(!left.is_zero(), "{what:?} never appeared:\n{contents}");
            parser = self.screen.1.wait_timeout(parser, left).unwrap().0;
        }
    }

    /// Waits for the program to end.
    pub(crate) fn exit_code(mut self) -> u32 {
        self.child.wait().unwrap().exit_code()
    }
}
