//! A program that wants a terminal, in a pseudo terminal of which everything it draws is read and thrown away.

use crate::Outcome;
use crate::process::Process;
use std::fs::File;
use std::io::{Error, Read};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::thread;

/// Rows and columns of the terminal: those of a window that fills half of a screen.
const SIZE: libc::winsize = libc::winsize { ws_row: 40, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0 };

/// A running program with its terminal; it ends with the value.
pub struct Terminal {
    /// The program.
    pub process: Process,
    // Kept open: without this side the program would have no terminal any more.
    _screen: File,
}

impl Terminal {
    /// Starts a program on a terminal of its own.
    pub fn start(name: &str, command: &mut Command) -> Outcome<Self> {
        let (ours, theirs) = pair().map_err(|error| format!("No terminal for {name}: {error}."))?;
        let terminal = || theirs.try_clone().map_err(|error| format!("No terminal for {name}: {error}."));
        command.stdin(terminal()?).stdout(terminal()?).stderr(terminal()?).env("TERM", "xterm-256color");
        let own = theirs.as_raw_fd();
        // SAFETY: both calls are async-signal-safe and concern the new process only: a session of its own, with this
        // terminal, so that also programs that open /dev/tty find it.
        unsafe {
            command.pre_exec(move || {
                if libc::setsid() == -1 || libc::ioctl(own, libc::TIOCSCTTY, 0) == -1 {
                    return Err(Error::last_os_error());
                }
                Ok(())
            });
        }
        let process = Process::of_a_session(name, command)?;
        let screen = File::from(ours);
        let mut shown = screen.try_clone().map_err(|error| format!("No terminal for {name}: {error}."))?;
        // Ends when the program does: reading fails once nobody has the other side open.
        drop(theirs);
        thread::spawn(move || {
            let mut chunk = [0; 16 * 1_024];
            while matches!(shown.read(&mut chunk), Ok(1..)) {}
        });
        Ok(Self { process, _screen: screen })
    }
}

/// Both sides of a new pseudo terminal.
fn pair() -> std::io::Result<(OwnedFd, OwnedFd)> {
    let (mut ours, mut theirs) = (-1, -1);
    let nothing = std::ptr::null_mut();
    // SAFETY: fills the two numbers, and reads the size, which lives as long as the program.
    let made = unsafe { libc::openpty(&mut ours, &mut theirs, nothing, nothing.cast(), &SIZE) };
    if made == -1 {
        return Err(Error::last_os_error());
    }
    // SAFETY: the two were just opened and belong to nobody else.
    let (ours, theirs) = unsafe { (OwnedFd::from_raw_fd(ours), OwnedFd::from_raw_fd(theirs)) };
    // The program gets its own side only.
    // SAFETY: sets a flag of a file that is open.
    if unsafe { libc::fcntl(ours.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC) } == -1 {
        return Err(Error::last_os_error());
    }
    Ok((ours, theirs))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn a_program_finds_a_terminal_of_its_own() {
        let mut command = Command::new("sh");
        command.args(["-c", "test -t 0 && test -t 1 && test \"$(stty size < /dev/tty)\" = '40 120'"]);
        let mut terminal = Terminal::start("sh", &mut command).unwrap();
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = terminal.process.ended() {
                break status;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "it did not end");
            thread::sleep(Duration::from_millis(5));
        };
        assert!(status.success(), "{status}");
    }
}
