//! `mosquitto_pub` and `mosquitto_sub` in MQTT 3.1, 3.1.1 and 5.

use super::{UNKNOWN, Way};
use crate::support::broker::FULL;
use crate::support::soon;
use std::process::{Output, Stdio};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// A program with what it needs to reach the broker.
fn program(name: &str, way: &Way, version: &str, token: &str) -> Command {
    let host = if way.ca.is_some() { "localhost" } else { "127.0.0.1" };
    let mut command = Command::new(name);
    command.args(["-h", host, "-p", &way.port().to_string(), "-V", version, "-u", "Token", "-P", token]);
    if let Some(ca) = &way.ca {
        command.arg("--cafile").arg(ca);
    }
    command.kill_on_drop(true);
    command
}

async fn publish(way: &Way, version: &str, token: &str, arguments: &[&str]) -> Output {
    soon("mosquitto_pub", program("mosquitto_pub", way, version, token).args(arguments).output()).await.unwrap()
}

/// A `mosquitto_sub` whose subscription was granted.
struct Subscriber {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Subscriber {
    async fn start(way: &Way, version: &str, arguments: &[&str]) -> Self {
        // Line by line although it writes to a pipe; a message as topic, QoS, retain flag, payload.
        let mut command = Command::new("stdbuf");
        let plain = program("mosquitto_sub", way, version, FULL);
        command.arg("-oL").arg(plain.as_std().get_program()).args(plain.as_std().get_args());
        command.args(["-d", "-F", "message %t %q %r %p"]).args(arguments);
        let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut subscriber = Self { child, lines };
        subscriber.line("Subscribed").await;
        subscriber
    }

    /// The next line that begins so.
    async fn line(&mut self, begin: &str) -> String {
        let find = async {
            while let Some(line) = self.lines.next_line().await.unwrap() {
                if line.starts_with(begin) {
                    return line;
                }
            }
            panic!("mosquitto_sub ended before it said {begin}");
        };
        soon(begin, find).await
    }

    async fn message(&mut self) -> String {
        self.line("message ").await["message ".len()..].to_owned()
    }
}

/// Everything, in each version.
pub(super) async fn everything(way: &Way) {
    for version in ["mqttv31", "mqttv311", "mqttv5"] {
        let topic = |rest: &str| format!("mosquitto/{version}/{rest}");
        let refused = publish(way, version, UNKNOWN, &["-t", &topic("x"), "-m", "x"]).await;
        assert!(!refused.status.success(), "{version}: a wrong token was let in");

        let mut watcher = Subscriber::start(way, version, &["-q", "2", "-t", &topic("live/#")]).await;
        for qos in ["0", "1", "2"] {
            let live = topic(&format!("live/{qos}"));
            let sent = publish(way, version, FULL, &["-q", qos, "-t", &live, "-m", "hello"]).await;
            assert!(sent.status.success(), "{version}: {sent:?}");
            assert_eq!(watcher.message().await, format!("{live} {qos} 0 hello"));
        }

        let kept = topic("kept");
        assert!(publish(way, version, FULL, &["-q", "1", "-r", "-t", &kept, "-m", "kept"]).await.status.success());
        let mut late = Subscriber::start(way, version, &["-q", "1", "-t", &kept]).await;
        assert_eq!(late.message().await, format!("{kept} 1 1 kept"));
        assert!(publish(way, version, FULL, &["-q", "1", "-r", "-t", &kept, "-n"]).await.status.success());
        assert_eq!(late.message().await, format!("{kept} 1 0 "));
        let mut after = Subscriber::start(way, version, &["-q", "1", "-t", &kept]).await;
        assert!(publish(way, version, FULL, &["-q", "1", "-t", &kept, "-m", "live"]).await.status.success());
        assert_eq!(after.message().await, format!("{kept} 1 0 live"));

        let will = topic("live/will");
        let lost = ["--will-topic", &will, "--will-payload", "gone", "--will-qos", "1", "-t", "elsewhere"];
        let mut lost = Subscriber::start(way, version, &lost).await;
        lost.child.kill().await.unwrap();
        assert_eq!(watcher.message().await, format!("{will} 1 0 gone"));

        let share = format!("$share/{version}/{}", topic("shared"));
        let mut members = vec![];
        for _ in 0..2 {
            members.push(Subscriber::start(way, version, &["-q", "1", "-t", &share]).await);
        }
        // Each number to one of the two; a line that ends them goes to both in turn.
        let sent = publish(way, version, FULL, &["-q", "1", "-t", &topic("shared"), "-m", "0", "--repeat", "20"]).await;
        assert!(sent.status.success());
        let (one, other) = members.split_at_mut(1);
        for received in 0..20 {
            let message = async {
                tokio::select! { line = one[0].message() => line, line = other[0].message() => line }
            };
            let line = soon(&format!("message {received} of 20"), message).await;
            assert_eq!(line, format!("{} 1 0 0", topic("shared")));
        }
    }
}
