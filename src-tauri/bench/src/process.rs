//! Processes of a run: started with their own standard streams, measured in /proc, ended by their id and never left behind.

use crate::Outcome;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

static STOPPED: AtomicBool = AtomicBool::new(false);

extern "C" fn stop(_signal: libc::c_int) {
    STOPPED.store(true, Ordering::Relaxed);
}

/// Makes Ctrl-C and SIGTERM end the run through [`pause`], so that everything is cleaned up.
pub fn obey_signals() {
    for signal in [libc::SIGINT, libc::SIGTERM] {
        // SAFETY: the handler only stores to an atomic, which is allowed in a handler.
        unsafe { libc::signal(signal, stop as *const () as libc::sighandler_t) };
    }
}

/// Lets this process open as many files as the system allows it.
pub fn more_files() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: both calls only read or fill the structure, which lives on this stack.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) == 0 {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
        }
    }
}

/// Whether the run was asked to stop.
pub fn stopped() -> bool {
    STOPPED.load(Ordering::Relaxed)
}

/// Waits a moment; an error when the run was asked to stop.
pub fn pause(time: Duration) -> Outcome<()> {
    if stopped() {
        return Err("Stopped on request.".into());
    }
    thread::sleep(time);
    Ok(())
}

/// A process of ours; it ends with the value.
pub struct Process {
    name: String,
    child: Child,
    output: Option<BufReader<ChildStdout>>,
}

/// What a process used.
#[derive(Clone, Copy, Default)]
pub struct Memory {
    /// Resident, in MiB.
    pub rss: f64,
    /// Its proportional share of what is resident, in MiB.
    pub pss: f64,
}

impl Process {
    /// Starts a program whose standard output and error go to a file.
    pub fn logged(name: &str, command: &mut Command, log: &Path) -> Outcome<Self> {
        let open = || fs::File::options().create(true).append(true).open(log);
        let (out, error) = open()
            .and_then(|file| Ok((file.try_clone()?, file)))
            .map_err(|error| format!("{}: {error}.", log.display()))?;
        Self::start(name, command.stdin(Stdio::null()).stdout(out).stderr(error))
    }

    /// Starts this program with other arguments, to be talked to over its standard streams.
    pub fn own(name: &str, bench: &Path, args: &[String]) -> Outcome<Self> {
        let mut command = Command::new(bench);
        Self::start(name, command.arg(name).args(args).stdin(Stdio::piped()).stdout(Stdio::piped()))
    }

    /// Starts a program that makes a session of its own.
    pub fn of_a_session(name: &str, command: &mut Command) -> Outcome<Self> {
        Self::spawn(name, command)
    }

    fn start(name: &str, command: &mut Command) -> Outcome<Self> {
        // Ctrl-C is for this program, which ends the others in order.
        Self::spawn(name, command.process_group(0))
    }

    fn spawn(name: &str, command: &mut Command) -> Outcome<Self> {
        // SAFETY: prctl is async-signal-safe and touches only the new process: it ends when this one does.
        unsafe {
            command.pre_exec(|| {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                Ok(())
            });
        }
        let mut child = command.spawn().map_err(|error| {
            format!("{name} cannot be started ({}): {error}.", command.get_program().to_string_lossy())
        })?;
        let output = child.stdout.take().map(BufReader::new);
        Ok(Self { name: name.to_owned(), child, output })
    }

    /// Its id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// How it ended, once it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Sends a signal and waits for the end; after `patience` it is killed.
    pub fn end(&mut self, signal: i32, patience: Duration) {
        if !self.runs() {
            return;
        }
        // SAFETY: a signal to a child of ours that was not waited for yet.
        unsafe { libc::kill(self.id() as i32, signal) };
        let begun = Instant::now();
        while self.runs() && begun.elapsed() < patience {
            thread::sleep(Duration::from_millis(5));
        }
        drop(self.child.kill());
        drop(self.child.wait());
    }

    /// The next line it prints.
    pub fn line(&mut self) -> Outcome<String> {
        let mut line = String::new();
        let read = self.output.as_mut().map(|output| output.read_line(&mut line));
        match read {
            Some(Ok(1..)) => Ok(line.trim().to_owned()),
            _ => Err(format!("{} ended early.", self.name)),
        }
    }

    /// Sends a line and reads the answer.
    pub fn ask<T: DeserializeOwned>(&mut self, order: &impl Serialize) -> Outcome<T> {
        let text = serde_json::to_string(order).map_err(|error| error.to_string())?;
        let told = self.child.stdin.as_mut().map(|input| writeln!(input, "{text}"));
        if !matches!(told, Some(Ok(()))) {
            return Err(format!("{} does not listen any more.", self.name));
        }
        let line = self.line()?;
        serde_json::from_str(&line).map_err(|error| format!("{} answered {line}: {error}.", self.name))
    }

    /// Waits for its end, at most `patience`, and reads the last line it printed.
    pub fn result<T: DeserializeOwned>(&mut self, patience: Duration) -> Outcome<T> {
        let begun = Instant::now();
        while self.runs() {
            if begun.elapsed() > patience {
                return Err(format!("{} did not end within {} s.", self.name, patience.as_secs()));
            }
            pause(Duration::from_millis(5))?;
        }
        let mut text = String::new();
        if let Some(output) = &mut self.output {
            output.read_to_string(&mut text).map_err(|error| format!("{}: {error}.", self.name))?;
        }
        let line = text.lines().last().unwrap_or_default();
        serde_json::from_str(line).map_err(|_| format!("{} failed and said: {}", self.name, text.trim()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Processor time of a process with all its threads, in microseconds; 0 when it is gone.
pub fn cpu(id: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    // The name in parentheses may hold anything; utime and stime are fields 14 and 15, the 12th and 13th behind it.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    // SAFETY: asks for a constant of the system.
    let per_second = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    ticks as f64 * 1e6 / per_second.max(1) as f64
}

/// What a process holds; zeros when it is gone.
pub fn memory(id: u32) -> Memory {
    let rollup = fs::read_to_string(format!("/proc/{id}/smaps_rollup")).unwrap_or_default();
    let field = |name: &str| {
        let line = rollup.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.split_whitespace().next()).and_then(|number| number.parse::<f64>().ok());
        number.unwrap_or(0.0) / 1024.0
    };
    Memory { rss: field("Rss:"), pss: field("Pss:") }
}
