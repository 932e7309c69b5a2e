//! A real Mosquitto on a free port of 127.0.0.1, with a configuration of its own.

use crate::process::{Process, pause};
use crate::{Outcome, clock};
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A running broker; it ends with the value.
pub struct Broker {
    process: Option<Process>,
    program: PathBuf,
    folder: PathBuf,
    /// Its port.
    pub port: u16,
}

/// Where Mosquitto is, or what to do about it.
pub fn program() -> Outcome<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let mut programs = folders.map(|folder| folder.join("mosquitto"));
    programs.find(|program| program.is_file()).ok_or_else(|| {
        "Mosquitto is needed and was not found. Install it (Debian and Ubuntu: apt-get install mosquitto) and try again."
            .to_owned()
    })
}

impl Broker {
    /// Starts one in `folder`. Stock, its queues are bounded as shipped; else it queues whatever comes. `persist` keeps
    /// sessions over a restart. Without `nodelay`, as shipped, the broker holds a message back until what
    /// it sent before is confirmed, by TCP or by an acknowledgement: relays that acknowledge late get theirs late.
    pub fn start(folder: &Path, stock: bool, nodelay: bool, persist: bool) -> Outcome<Self> {
        let program = program()?;
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}.", folder.display()))?;
        let mut broker = Self { process: None, program, folder: folder.to_owned(), port: 0 };
        // Between choosing a free port and taking it, somebody else may take it.
        for _ in 0..5 {
            broker.port = free_port()?;
            broker.configure(stock, nodelay, persist)?;
            if broker.run().is_ok() {
                return Ok(broker);
            }
        }
        let log = fs::read_to_string(folder.join("mosquitto.log")).unwrap_or_default();
        Err(format!("Mosquitto does not start: {log}"))
    }

    fn configure(&self, stock: bool, nodelay: bool, persist: bool) -> Outcome<()> {
        let path = self.folder.join("mosquitto.conf");
        // `user root`: a broker started by root would give up the right to write into this folder.
        let mut text = format!(
            "listener {} 127.0.0.1\nallow_anonymous true\nuser root\nset_tcp_nodelay {nodelay}\npersistence {persist}\npersistence_location {}/\n",
            self.port,
            self.folder.display()
        );
        if !stock {
            text.push_str("max_queued_messages 0\n");
        }
        fs::write(&path, text).map_err(|error| format!("{}: {error}.", path.display()))
    }

    /// Starts the process with the configuration and port it has; also after [`Broker::stop`].
    pub fn run(&mut self) -> Outcome<()> {
        let mut command = Command::new(&self.program);
        command.arg("-c").arg(self.folder.join("mosquitto.conf"));
        let mut process = Process::logged("mosquitto", &mut command, &self.folder.join("mosquitto.log"))?;
        let begun = clock::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if !process.runs() || clock::seconds(clock::now() - begun) > 15.0 {
                return Err("Mosquitto does not answer.".into());
            }
            pause(Duration::from_millis(5))?;
        }
        self.process = Some(process);
        Ok(())
    }

    /// Its process, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }

    /// Ends it as a service manager does; it writes its sessions when it persists them.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.end(libc::SIGTERM, Duration::from_secs(10));
        }
    }
}

/// A port of 127.0.0.1 that was free a moment ago.
pub fn free_port() -> Outcome<u16> {
    let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    address.map(|address| address.port()).map_err(|error| format!("No free port: {error}."))
}
