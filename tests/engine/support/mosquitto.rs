//! A real Mosquitto on a free port of 127.0.0.1, with a configuration of its own; it ends with the value.

use super::certs::{Authority, Pair};
use super::{free_port, wait_until};
use std::fmt::Write as _;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// What a broker is started with.
#[derive(Default)]
pub(crate) struct Setup {
    /// Server certificate; speaks TLS when it is there.
    pub(crate) tls: Option<Pair>,
    /// Authority (PEM) of the client certificates it insists on.
    pub(crate) client_ca: Option<String>,
    /// Speaks MQTT over WebSocket instead of plain MQTT.
    pub(crate) websockets: bool,
    /// The one user it knows; everybody may in when there is none.
    pub(crate) login: Option<(&'static str, &'static str)>,
    /// Address it listens on; 127.0.0.1 when it is not given.
    pub(crate) host: Option<&'static str>,
    /// Further lines of the configuration.
    pub(crate) extra: String,
}

impl Setup {
    /// TLS for `localhost` that insists on client certificates of the same authority; `version` is `tlsv1.2` or `tlsv1.3`.
    pub(crate) fn with_client_certificates(authority: &Authority, version: &str) -> Self {
        Self {
            tls: Some(authority.server(&["localhost"])),
            client_ca: Some(authority.pem()),
            extra: format!("tls_version {version}\n"),
            ..Self::default()
        }
    }
}

/// A running broker.
pub(crate) struct Mosquitto {
    child: Child,
    folder: TempDir,
    /// The address it listens on.
    pub(crate) host: &'static str,
    /// Its port there.
    pub(crate) port: u16,
}

impl Mosquitto {
    /// Starts a broker that anybody may use.
    pub(crate) fn open() -> Self {
        Self::start(&Setup::default())
    }

    /// Starts a broker and waits until it accepts connections.
    pub(crate) fn start(setup: &Setup) -> Self {
        // Between choosing a free port and taking it, somebody else may take it.
        let mut log = String::new();
        for _ in 0..5 {
            match Self::try_start(setup) {
                Ok(broker) => return broker,
                Err(said) => log = said,
            }
        }
        panic!("mosquitto does not start: {log}");
    }

    /// Starts a broker that anybody may use on a port that is free.
    pub(crate) fn at(port: u16) -> Self {
        Self::try_at(&Setup::default(), port).unwrap()
    }

    fn try_start(setup: &Setup) -> Result<Self, String> {
        // The socket is closed before the broker takes its port.
        let port = free_port();
        Self::try_at(setup, port)
    }

    fn try_at(setup: &Setup, port: u16) -> Result<Self, String> {
        let folder = TempDir::with_prefix("relayscope-mosquitto-").unwrap();
        std::fs::write(folder.path().join("mosquitto.conf"), configuration(setup, folder.path(), port)).unwrap();
        let child = launch(folder.path());
        let mut broker = Self { child, folder, host: setup.host.unwrap_or("127.0.0.1"), port };
        let runs = wait_until("mosquitto to start", || {
            if broker.child.try_wait().unwrap().is_some() {
                return Some(false);
            }
            // Its own word, not any listener's on that port.
            let listens = broker.log().contains("running") && TcpStream::connect((broker.host, port)).is_ok();
            listens.then_some(true)
        });
        if runs { Ok(broker) } else { Err(broker.log()) }
    }

    /// Ends it as `kill -9` does; what it wrote to its file last is all that is kept.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        drop(self.child.wait());
    }

    /// Ends it as `kill` does; sessions are kept when it persists them.
    pub(crate) fn stop(&mut self) {
        // SAFETY: a signal to a child of this process that was not waited for yet.
        unsafe { libc::kill(self.child.id() as i32, libc::SIGTERM) };
        drop(self.child.wait());
    }

    /// Leaves its connections open and answers nothing any more.
    pub(crate) fn freeze(&self) {
        // SAFETY: as in `stop`.
        unsafe { libc::kill(self.child.id() as i32, libc::SIGSTOP) };
    }

    /// Starts it again with the same configuration, on the same port.
    pub(crate) fn start_again(&mut self) {
        self.child = launch(self.folder.path());
        wait_until("mosquitto to come back", || TcpStream::connect((self.host, self.port)).ok());
    }

    /// When it last saved its sessions.
    pub(crate) fn saved(&self) -> Option<std::time::SystemTime> {
        self.folder.path().join("mosquitto.db").metadata().ok()?.modified().ok()
    }

    /// What it logged so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

fn launch(folder: &Path) -> Child {
    let log = std::fs::File::options().create(true).append(true).open(folder.join("log")).unwrap();
    Command::new("/usr/sbin/mosquitto")
        .arg("-v")
        .arg("-c")
        .arg(folder.join("mosquitto.conf"))
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .expect("mosquitto is installed")
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn configuration(setup: &Setup, folder: &Path, port: u16) -> String {
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    // `user root`: else a broker started by root gives up the right to read the files of this folder.
    let mut text = format!("user root\npersistence_location {}/\n", folder.display());
    if !setup.extra.contains("persistence true") {
        text.push_str("persistence false\n");
    }
    if setup.websockets {
        // Mosquitto 2.0 does not count WebSocket listeners and refuses to start without another one.
        writeln!(text, "listener 0 {}", folder.join("socket").display()).unwrap();
        writeln!(text, "listener {port} 127.0.0.1\nprotocol websockets").unwrap();
    } else {
        writeln!(text, "listener {port} {}", setup.host.unwrap_or("127.0.0.1")).unwrap();
    }
    if let Some(pair) = &setup.tls {
        writeln!(text, "certfile {}\nkeyfile {}", file("server.pem", &pair.cert), file("server.key", &pair.key))
            .unwrap();
    }
    if let Some(ca) = &setup.client_ca {
        writeln!(text, "cafile {}\nrequire_certificate true", file("clients.pem", ca)).unwrap();
    }
    match setup.login {
        None => text.push_str("allow_anonymous true\n"),
        Some((user, password)) => {
            let path = file("passwords", &format!("{user}:{password}\n"));
            let hashed =
                Command::new("mosquitto_passwd").args(["-U", &path]).status().expect("mosquitto_passwd is installed");
            assert!(hashed.success());
            writeln!(text, "allow_anonymous false\npassword_file {path}").unwrap();
        }
    }
    text.push_str(&setup.extra);
    text
}
