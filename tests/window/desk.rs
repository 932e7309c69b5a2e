//! Where an app runs: a private X server and folders that nobody else uses. Apps opened one after the other on the same
//! desk find each other's data.

use crate::process::Process;
use std::io::Read;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tempfile::TempDir;

/// One window at a time: two web views on two cores make each other late.
static ONE: Mutex<()> = Mutex::new(());

/// A desk for one test.
pub(crate) struct Desk {
    _x: Process,
    display: String,
    home: TempDir,
    _alone: MutexGuard<'static, ()>,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let alone = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let home = tempfile::Builder::new().prefix("relayscope-desk-").tempdir().expect("a folder for the desk");
        for folder in ["data", "config", "cache", "run"] {
            std::fs::create_dir(home.path().join(folder)).expect("a folder of the desk");
        }
        let (x, display) = x_server();
        Self { _x: x, display, home, _alone: alone }
    }

    /// The data folder that apps on this desk are given.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.home.path().join("relayscope")
    }

    /// A folder for a test's own files.
    pub(crate) fn path(&self) -> &Path {
        self.home.path()
    }

    /// A command whose environment is this desk.
    pub(crate) fn command(&self, program: &str) -> Command {
        let home = self.home.path();
        let mut command = Command::new(program);
        command
            .env("DISPLAY", &self.display)
            .env("GDK_BACKEND", "x11")
            .env("HOME", home)
            .env("XDG_DATA_HOME", home.join("data"))
            .env("XDG_CONFIG_HOME", home.join("config"))
            .env("XDG_CACHE_HOME", home.join("cache"))
            .env("XDG_RUNTIME_DIR", home.join("run"))
            .env("LANG", "en_US.UTF-8")
            // No keychain, no accessibility bus: what a bare machine has.
            .env("DBUS_SESSION_BUS_ADDRESS", "disabled:")
            .env("NO_AT_BRIDGE", "1")
            .env("LIBGL_ALWAYS_SOFTWARE", "1");
        for name in ["LC_ALL", "LC_MESSAGES", "LANGUAGE", "WAYLAND_DISPLAY", "RELAYSCOPE_DATA_DIR", "RELAYSCOPE_LOG"] {
            command.env_remove(name);
        }
        command
    }
}

/// A port nobody listens on.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr()).expect("a free port").port()
}

/// Starts an X server on a display of its own choice.
fn x_server() -> (Process, String) {
    let mut command = Command::new("Xvfb");
    command.args(["-displayfd", "1", "-screen", "0", "1680x1050x24", "-nolisten", "tcp"]);
    let mut x = Process::start(command.stdout(Stdio::piped()).stderr(Stdio::null()));
    let out = x.child().stdout.as_mut().expect("Xvfb's output");
    let mut number = String::new();
    let mut byte = [0];
    while out.read(&mut byte).is_ok_and(|count| count == 1) && byte != *b"\n" {
        number.push(char::from(byte[0]));
    }
    assert!(!number.is_empty(), "Xvfb did not start");
    (x, format!(":{number}"))
}
