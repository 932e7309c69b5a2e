//! Processes, a broker and a stand-in for TagoIO, for the tests of the command line.

use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

pub(crate) const NETWORK: &str = "fd549ad2-5d4c-4d0e-9d0a-3f1c2b7a9e10";
pub(crate) const AUTHORIZATION: &str = "at0123456789abcdef0123456789abcdef";
/// For what another process does; only reached when something is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/relay-toml")
}

/// The binary, with a home of its own and none of our variables.
pub(crate) fn cli(home: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_relayscope-cli"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TAGOIO__") {
            command.env_remove(name);
        }
    }
    command.env("HOME", home).env("XDG_DATA_HOME", home.join("share")).env("NO_COLOR", "1").env_remove("RUST_LOG");
    command.args(args).current_dir(home).stdin(Stdio::null());
    command
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[track_caller]
pub(crate) fn ends(mut command: Command, code: i32) -> Output {
    let output = command.output().expect("the binary runs");
    assert_eq!(output.status.code(), Some(code), "stdout: {}\nstderr: {}", text(&output.stdout), text(&output.stderr));
    output
}

/// A child that does not outlive its test.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    pub(crate) fn spawn(mut command: Command) -> Self {
        Self(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the process starts"))
    }

    /// Waits for the line on stderr that says the engine runs.
    pub(crate) fn until_it_runs(&mut self) {
        let stderr = self.0.stderr.take().expect("stderr is a pipe");
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            BufReader::new(stderr).lines().map_while(Result::ok).for_each(|line| drop(sender.send(line)))
        });
        let mut seen = String::new();
        let end = Instant::now() + PATIENCE;
        while let Ok(line) = lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            if line.starts_with("Running, ") {
                // The thread goes on reading, so that the pipe never fills.
                return;
            }
            seen.push_str(&(line + "\n"));
        }
        panic!("it does not run:\n{seen}");
    }

    #[cfg(unix)]
    pub(crate) fn terminate(&mut self) -> (Option<i32>, Duration) {
        let began = Instant::now();
        // SAFETY: kill(2) takes plain numbers; the child is not waited for yet, so the number is still its own.
        unsafe { libc::kill(self.0.id() as libc::pid_t, libc::SIGTERM) };
        (self.wait(), began.elapsed())
    }

    fn wait(&mut self) -> Option<i32> {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if let Some(status) = self.0.try_wait().expect("the child can be asked") {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("it does not end");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

pub(crate) fn mosquitto() -> (Running, u16) {
    let port = free_port();
    let program = if Path::new("/usr/sbin/mosquitto").exists() { "/usr/sbin/mosquitto" } else { "mosquitto" };
    let mut command = Command::new(program);
    command.args(["-p", &port.to_string()]);
    let broker = Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("mosquitto is installed"));
    wait_for_port(port);
    (broker, port)
}

fn wait_for_port(port: u16) {
    let end = Instant::now() + PATIENCE;
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < end, "mosquitto does not listen");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Publishes a retained message, so that it counts before and after the subscription.
pub(crate) fn publish(port: u16, topic: &str, payload: &str) {
    let status = Command::new("mosquitto_pub")
        .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-q", "1", "-r", "-t", topic, "-m", payload])
        .status()
        .expect("mosquitto_pub is installed");
    assert!(status.success());
}

/// A request that came where TagoIO should be.
pub(crate) struct Request {
    pub(crate) line: String,
    pub(crate) authorization: String,
    pub(crate) body: Value,
}

/// Answers everything with 200 and hands on what was posted.
pub(crate) fn platform() -> (String, mpsc::Receiver<Request>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let (sender, requests) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let sender = sender.clone();
            std::thread::spawn(move || drop(answer(stream, &sender)));
        }
    });
    (url, requests)
}

fn answer(mut stream: TcpStream, sender: &mpsc::Sender<Request>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let (mut length, mut authorization) = (0, String::new());
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header)? == 0 || header.trim().is_empty() {
            break;
        }
        let Some((name, value)) = header.split_once(':') else { continue };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap_or(0),
            "authorization" => authorization = value.trim().to_owned(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    // Handed on before it is answered: the next message of a topic comes only after the answer.
    if first.starts_with("POST") {
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        drop(sender.send(Request { line: first.trim().to_owned(), authorization, body }));
    }
    let answer = r#"{"status":true,"result":"1 Data Added"}"#;
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
        answer.len()
    )?;
    Ok(())
}

/// `init`, then the edits that the sample asks for.
pub(crate) fn configured(home: &Path, broker: u16, url: &str) -> PathBuf {
    let path = home.join("relay.toml");
    ends(cli(home, &["init", "relay.toml"]), 0);
    let mut text = fs::read_to_string(&path).expect("init wrote it");
    for (from, to) in [
        ("Your-Network-Token", NETWORK.to_owned()),
        ("Your-Authorization-Token", AUTHORIZATION.to_owned()),
        ("tagoio_url = \"https://api.tago.io\"", format!("tagoio_url = \"{url}\"")),
        ("downlink_port = 3001", format!("downlink_port = {}", free_port())),
        ("address = \"localhost\"", "address = \"127.0.0.1\"".to_owned()),
        ("port = 1883", format!("port = {broker}")),
    ] {
        assert!(text.contains(from), "the sample has no {from}");
        text = text.replacen(from, &to, 1);
    }
    fs::write(&path, text).expect("the file can be edited");
    path
}
