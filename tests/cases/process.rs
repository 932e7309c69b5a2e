//! A relay in a process of its own, which can be killed, asked for its memory, or put on a small disk: either the real
//! `relayscope-cli`, or an engine that answers the command table on its standard streams, which also shows its card.

use crate::support::{eventually, soon};
use relayscope_engine::api::{self, wire::*};
use relayscope_engine::{Engine, EngineConfig};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Mutex;

/// Names the data folder to a process that is to be an engine.
const FOLDER: &str = "RELAYSCOPE_TEST_FOLDER";
/// Bytes of events that such an engine keeps.
const EVENTS: usize = 4_000_000;
/// Begins the lines that are answers; the test harness of the process writes others.
const ANSWER: char = '\u{1}';

/// A running process; killed at the latest when it is dropped.
pub(crate) struct Process {
    child: Child,
    // Resident bytes before there was anything to do.
    idle: u64,
}

impl Process {
    /// Ends it as `kill -9` does.
    pub(crate) async fn kill(&mut self) {
        self.child.start_kill().unwrap();
        soon("the end of a killed process", self.child.wait()).await.unwrap();
    }

    /// Asks it to end, as a service manager does, and waits for a clean end.
    pub(crate) async fn terminate(&mut self) {
        // SAFETY: a signal to a child of this process that was not waited for yet.
        unsafe { libc::kill(self.child.id().unwrap() as i32, libc::SIGTERM) };
        let status = soon("the end of a terminated process", self.child.wait()).await.unwrap();
        assert_eq!(status.code(), Some(0), "a clean end");
    }

    /// Remembers what it needs with nothing to do.
    pub(crate) fn rests(&mut self) {
        self.idle = self.memory("VmRSS:");
    }

    /// The most it needed so far, above what it needs with nothing to do; bytes.
    pub(crate) fn peak(&self) -> u64 {
        self.memory("VmHWM:").saturating_sub(self.idle)
    }

    fn memory(&self, name: &str) -> u64 {
        let Some(id) = self.child.id() else { return 0 };
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.trim().strip_suffix(" kB")).map_or(0, |number| number.parse::<u64>().unwrap() * 1_024)
    }
}

/// The real command line, run with a configuration file.
pub(crate) struct Cli {
    pub(crate) process: Process,
}

/// What a configuration file says.
pub(crate) struct Configuration<'a> {
    pub(crate) port: u16,
    pub(crate) url: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) filter: &'a str,
}

/// Where the command line keeps the data of a home.
pub(crate) fn data(home: &Path) -> PathBuf {
    home.join("data")
}

impl Configuration<'_> {
    /// Writes the file of a home.
    pub(crate) fn write(&self, home: &Path) {
        let Self { port, url, client_id, filter } = self;
        let text = format!(
            "[relay]\nnetwork_token = \"fd549ad2-5d4c-4d0e-9d0a-3f1c2b7a9e10\"\n\
             authorization_token = \"at0123456789abcdef0123456789abcdef\"\ntagoio_url = \"{url}\"\n\
             [relay.mqtt]\naddress = \"127.0.0.1\"\nport = {port}\ntls_enabled = false\nclient_id = \"{client_id}\"\n\
             subscribe = [\"{filter}\"]\n\
             [relay.relayscope]\nname = \"Plant\"\nversion = \"5\"\nqos = {{ \"{filter}\" = 2 }}\ndownlink = false\n"
        );
        std::fs::write(home.join("relay.toml"), text).unwrap();
    }
}

impl Cli {
    /// Starts it in a home that has a file, and waits until it says that it runs. `preload` is a library that is loaded
    /// first, with variables of its own.
    pub(crate) async fn start(home: &Path, preload: &[(&str, String)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_relayscope-cli"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("TAGOIO__") {
                command.env_remove(name);
            }
        }
        command.env("HOME", home).env("XDG_DATA_HOME", home.join("share")).env("NO_COLOR", "1").env_remove("RUST_LOG");
        command.envs(preload.iter().map(|(name, value)| (name, value)));
        command.args(["start", "--config-path", "relay.toml", "--data-dir"]).arg(data(home)).current_dir(home);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let runs = async {
            let mut said = String::new();
            while let Some(line) = lines.next_line().await.unwrap() {
                if line.starts_with("Running, ") {
                    return;
                }
                said.push_str(&(line + "\n"));
            }
            panic!("it does not run:\n{said}");
        };
        soon("the command line to run", runs).await;
        // Goes on reading, so that the pipe never fills.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { process: Process { child, idle: 0 } }
    }
}

/// An engine in a process of its own, spoken to by the command table.
pub(crate) struct Remote {
    pub(crate) process: Process,
    talk: Mutex<(ChildStdin, Lines<BufReader<ChildStdout>>)>,
}

impl Remote {
    /// Starts an engine in a folder that may have been used before.
    pub(crate) async fn start(folder: &Path, preload: &[(&str, String)]) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "process::an_engine_of_its_own", "--ignored", "--nocapture"]);
        command.env(FOLDER, folder).envs(preload.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let talk = Mutex::new((child.stdin.take().unwrap(), lines));
        let mut remote = Self { process: Process { child, idle: 0 }, talk };
        let _: StatusSnapshot = remote.call("app.status", ()).await;
        remote.process.rests();
        remote
    }

    /// Calls a command that must work.
    pub(crate) async fn call<T: DeserializeOwned>(&self, name: &str, request: impl serde::Serialize) -> T {
        let mut talk = self.talk.lock().await;
        let line = json!({"name": name, "request": serde_json::to_value(request).unwrap()}).to_string() + "\n";
        talk.0.write_all(line.as_bytes()).await.unwrap();
        let mut answer: Value = loop {
            let line = soon(name, talk.1.next_line()).await.unwrap();
            let line = line.unwrap_or_else(|| panic!("{name}: the process ended"));
            if let Some((_, answer)) = line.split_once(ANSWER) {
                break serde_json::from_str(answer).unwrap();
            }
        };
        assert_eq!(answer["error"], Value::Null, "{name}");
        serde_json::from_value(answer["ok"].take()).unwrap()
    }

    /// The only relay's state.
    pub(crate) async fn status(&self) -> RelayStatus {
        self.call::<StatusSnapshot>("app.status", ()).await.relays.remove(0)
    }

    /// All rows of the feed, oldest first.
    pub(crate) async fn rows(&self) -> Vec<Row> {
        self.call("test.rows", ()).await
    }

    /// Waits for something on the relay's card.
    pub(crate) async fn card(&self, what: &str, look: impl Fn(&RelayStatus) -> bool) -> RelayStatus {
        let mut last = None;
        eventually(what, async || {
            let status = self.status().await;
            let found = look(&status).then(|| status.clone());
            if found.is_none() && last.as_ref() != Some(&status.state.words) {
                eprintln!("  waiting for {what}: {} · {}", status.state.words, status.broker.words);
                last = Some(status.state.words);
            }
            found
        })
        .await
    }

    /// Saves a broker and a relay that forwards `load/#` with QoS 2.
    pub(crate) async fn configure(&self, host: &str, port: u16, region: &Value) {
        let blank: Value = self.call("app.blank", ()).await;
        let mut draft = blank["broker"].clone();
        for (field, value) in [
            ("name", json!("Plant")),
            ("host", json!(host)),
            ("port", json!(port.to_string())),
            ("version", json!("5")),
        ] {
            draft[field] = value;
        }
        let broker: BrokerView = self.call("brokers.save", draft).await;
        let values = [
            ("network", uuid::Uuid::new_v4().to_string()),
            ("authorization", format!("at{}", uuid::Uuid::new_v4().simple())),
        ];
        let mut ids = vec![];
        for (kind, value) in values {
            let draft = json!({"id": null, "name": format!("Plant {kind}"), "kind": kind, "region": region,
                "value": {"kind": "set", "value": value}, "serial": "", "permission": "full"});
            ids.push(self.call::<TokenView>("tokens.save", draft).await.token.id);
        }
        let mut relay = blank["relay"].clone();
        let filter = json!({"filter": "load/#", "qos": 2, "enabled": true});
        for (field, value) in [
            ("name", json!("Plant")),
            ("brokerId", json!(broker.broker.id)),
            ("mappings", json!([filter])),
            ("region", region.clone()),
            ("networkTokenId", json!(ids[0])),
            ("authorizationId", json!(ids[1])),
            ("downlinkPort", json!("")),
            ("enabled", json!(true)),
        ] {
            relay[field] = value;
        }
        let _: RelayView = self.call("relays.save", relay).await;
    }

    /// Starts, stops or restarts the only relay.
    pub(crate) async fn act(&self, action: &str) {
        let id = self.status().await.id;
        let _: Value = self.call("relays.act", json!({"id": id, "action": action})).await;
    }

    /// Waits until the only relay is connected and its filter is granted.
    pub(crate) async fn connected(&self) {
        eventually("the relay to be connected", async || {
            let relays: Vec<RelayView> = self.call("relays.list", ()).await;
            (self.status().await.broker.words == "connected" && relays[0].grants.len() == 1).then_some(())
        })
        .await;
    }

    /// Stops in order.
    pub(crate) async fn stop(mut self) {
        let _: Value = self.call("test.stop", ()).await;
        soon("the engine's process to end", self.process.child.wait()).await.unwrap();
    }
}

/// Run by [`Remote`], in a process of its own.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a part of other tests"]
async fn an_engine_of_its_own() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let config = EngineConfig { data_dir: folder.into(), keychain: false, idle: false };
    let engine = Engine::start(config).await.unwrap();
    // As without a window: what is measured is the relay's memory, not the inspector's.
    engine.keep_events(EVENTS);
    loop {
        let next = tokio::task::spawn_blocking(|| std::io::stdin().lines().next());
        let Some(Ok(line)) = next.await.unwrap() else { return };
        let mut ask: Value = serde_json::from_str(&line).unwrap();
        let name = ask["name"].as_str().unwrap().to_owned();
        let answer = match name.as_str() {
            "test.rows" => json!({"ok": engine.follow(0, usize::MAX).0}),
            "test.stop" => json!({"ok": engine.shutdown(Duration::from_secs(20)).await}),
            _ => match api::call(&engine, &name, ask["request"].take()).await {
                Ok(value) => json!({"ok": value}),
                Err(error) => json!({"error": error}),
            },
        };
        println!("\n{ANSWER}{answer}");
        if name == "test.stop" {
            return;
        }
    }
}

/// What a command prints, once it ended well.
pub(crate) async fn prints(command: &mut Command) -> Result<String, String> {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| error.to_string())?;
    let (mut out, mut err) = (String::new(), String::new());
    let (mut stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let (read, also) = tokio::join!(stdout.read_to_string(&mut out), stderr.read_to_string(&mut err));
    read.and(also).unwrap();
    let said = err + &out;
    if child.wait().await.unwrap().success() { Ok(said) } else { Err(said) }
}
