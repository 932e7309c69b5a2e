//! Other programs: started in a process group of their own, gone with whoever started them.

use crate::wait::pause;
use std::collections::HashMap;
use std::fs;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::time::Duration;

/// A running program; dropping it ends it and all it started.
pub(crate) struct Process(Child);

impl Process {
    #[track_caller]
    pub(crate) fn start(command: &mut Command) -> Self {
        // SAFETY: prctl may be called between fork and exec.
        let child = unsafe {
            command.process_group(0).pre_exec(|| {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM);
                Ok(())
            })
        };
        match child.spawn() {
            Ok(child) => Self(child),
            Err(error) => panic!("{}: {error}; cargo xtask test installs it", command.get_program().display()),
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.0
    }

    fn signal(&self, signal: i32) {
        // SAFETY: a signal to a group that this process made and has not yet waited for.
        unsafe { libc::kill(-self.0.id().cast_signed(), signal) };
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(libc::SIGTERM);
        for _ in 0..150 {
            if matches!(self.0.try_wait(), Ok(Some(_))) {
                return self.signal(libc::SIGKILL);
            }
            pause(Duration::from_millis(20));
        }
        self.signal(libc::SIGKILL);
        let _ = self.0.wait();
    }
}

/// Ends a process as a crash would.
pub(crate) fn kill_hard(id: u32) {
    // SAFETY: a signal; the process was started for this test.
    unsafe { libc::kill(id.cast_signed(), libc::SIGKILL) };
}

pub(crate) fn is_alive(id: u32) -> bool {
    stat(id).is_some_and(|(_, state)| state != 'Z')
}

/// A process and all it started, itself first.
pub(crate) fn family(root: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    for id in entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()) {
        if let Some((parent, _)) = stat(id) {
            children.entry(parent).or_default().push(id);
        }
    }
    let mut family = vec![root];
    let mut next = 0;
    while let Some(id) = family.get(next) {
        family.extend(children.remove(id).unwrap_or_default());
        next += 1;
    }
    family
}

/// The command name of a process, as the kernel shortens it.
pub(crate) fn name(id: u32) -> String {
    fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default().trim().to_owned()
}

/// Parent and state.
/// Processor time a process has used.
pub(crate) fn cpu(id: u32) -> Duration {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let fields = text.rsplit_once(") ").map(|(_, rest)| rest).unwrap_or_default();
    // User and system time, in hundredths of a second (proc_pid_stat(5), fields 14 and 15).
    let ticks: u64 = fields.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// KiB of a process, shared pages counted by share.
pub(crate) fn proportional(id: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{id}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|size| size.parse().ok()).unwrap_or_default()
}

fn stat(id: u32) -> Option<(u32, char)> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let mut fields = text.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?.chars().next()?;
    Some((fields.next()?.parse().ok()?, state))
}
