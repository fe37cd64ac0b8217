// SPDX-License-Identifier: GPL-2.0-or-later
//! The log, in the very form of Pacemaker's: other people's tools look for its lines.
//!
//! `Nov 22 00:40:07.237 node pacemaker-based     [32616] (core) <TAB>info: what happened | details`

use crate::LogOptions;
use messages::core::Level;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// The longest line, in bytes; the rest is cut off, as Pacemaker does.
const LINE_BYTES_MAX: usize = 800;

/// Where a daemon's lines go. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Log(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    node: String,
    program: &'static str,
    file: Option<Mutex<File>>,
    stderr: bool,
    debug: AtomicBool,
}

impl Log {
    /// Opens it. If the file cannot be opened, says so and writes to the standard error.
    pub fn open(options: &LogOptions, node: &str, program: &'static str) -> Log {
        let file = options.file.as_deref().map(|path| (path, open_file(path)));
        let (file, problem) = match file {
            Some((_, Ok(file))) => (Some(Mutex::new(file)), None),
            Some((path, Err(error))) => {
                (None, Some(format!("Cannot write the log to {}: {error}", path.display())))
            }
            None => (None, None),
        };
        let log = Log(Arc::new(Inner {
            node: node.to_owned(),
            program,
            stderr: options.stderr || problem.is_some(),
            file,
            debug: AtomicBool::new(options.debug),
        }));
        if let Some(problem) = problem {
            log.write("shell", Level::Warning, &problem);
        }
        log
    }

    /// Makes it the place where the libraries' lines of this process go, too. Only the first of a process does.
    pub fn adopt_libraries(&self) {
        let subscriber = tracing_subscriber::registry().with(Libraries(self.clone()));
        let _ = tracing::subscriber::set_global_default(subscriber);
    }

    /// Turns the lines that are only for finding faults on or off.
    pub fn set_debug(&self, debug: bool) {
        self.0.debug.store(debug, Ordering::Relaxed);
    }

    /// Writes a line (or several, if there are line feeds). `origin` is what Pacemaker has the function's name for.
    pub fn write(&self, origin: &str, level: Level, text: &str) {
        if level == Level::Debug && !self.0.debug.load(Ordering::Relaxed) {
            return;
        }
        let now = jiff::Zoned::now().strftime("%b %d %H:%M:%S%.3f").to_string();
        let mut lines = String::new();
        for part in text.lines() {
            let start = lines.len();
            let Inner { node, program, .. } = &*self.0;
            let pid = std::process::id();
            let _ = write!(lines, "{now} {node} {program:<20}[{pid}] ({origin}) \t{}: {part}", word(level));
            let mut end = lines.len().min(start + LINE_BYTES_MAX);
            while !lines.is_char_boundary(end) {
                end -= 1;
            }
            lines.truncate(end);
            lines.push('\n');
        }
        if let Some(file) = &self.0.file {
            // One write, so that the lines of several processes do not mix.
            let _ = file.lock().unwrap_or_else(PoisonError::into_inner).write_all(lines.as_bytes());
        }
        if self.0.stderr {
            let _ = io::stderr().write_all(lines.as_bytes());
        }
    }
}

fn open_file(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    OpenOptions::new().append(true).create(true).mode(0o660).open(path)
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Critical => "crit",
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Notice => "notice",
        Level::Info => "info",
        Level::Debug => "debug",
    }
}

/// What the libraries say.
struct Libraries(Log);

impl<S: tracing::Subscriber> Layer<S> for Libraries {
    fn on_event(&self, event: &tracing::Event<'_>, _context: Context<'_, S>) {
        let level = match *event.metadata().level() {
            tracing::Level::ERROR => Level::Error,
            tracing::Level::WARN => Level::Warning,
            tracing::Level::INFO => Level::Info,
            tracing::Level::DEBUG => Level::Debug,
            tracing::Level::TRACE => return,
        };
        let mut text = Text(String::new());
        event.record(&mut text);
        let target = event.metadata().target();
        self.0.write(target.split("::").next().unwrap_or(target), level, &text.0);
    }
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = match field.name() {
            "message" => write!(self.0, "{value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_pacemakers_form() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("var/log/pacemaker.log");
        let options = LogOptions { file: Some(path.clone()), stderr: false, debug: false };
        let log = Log::open(&options, "n1", "pacemaker-based");
        log.write("core", Level::Notice, "Something happened | details");
        log.write("core", Level::Debug, "not wanted");
        log.set_debug(true);
        log.write("core", Level::Debug, "wanted\nin two lines");
        log.write("core", Level::Info, &"ä".repeat(LINE_BYTES_MAX));
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let pid = std::process::id();
        let tail = format!(" n1 pacemaker-based     [{pid}] (core) \tnotice: Something happened | details");
        assert!(lines[0].ends_with(&tail), "{}", lines[0]);
        assert_eq!(lines[0].find(" n1 "), Some("Nov 22 00:40:07.237".len()));
        assert!(lines[1].ends_with("debug: wanted") && lines[2].ends_with("debug: in two lines"));
        assert!(lines[3].len() <= LINE_BYTES_MAX && lines.len() == 4);
    }
}
