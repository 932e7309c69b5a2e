//! The table of cases, run against a target. A case is one normative statement of OASIS MQTT 3.1.1 or 5.0, told in our
//! own words, and what proves it on the wire. Cases share nothing, so they run side by side.

use super::cases;
use super::client::Client;
use super::packet::{Connect, Publish, Version};
use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// What went wrong, in words.
pub(crate) type Check<T = ()> = Result<T, String>;

/// Cases at the same time.
const AT_ONCE: usize = 24;
/// Longest time of a case.
const LIMIT: Duration = Duration::from_secs(40);

/// A broker to look at. It must know the user and refuse another password.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) addr: SocketAddr,
    pub(crate) username: &'static str,
    pub(crate) password: &'static str,
}

/// One statement, for one version or for both.
pub(crate) struct Case {
    /// Statement of 3.1.1; empty when it has none.
    pub(crate) v3: &'static str,
    /// Statement of 5.0; empty when it has none.
    pub(crate) v5: &'static str,
    pub(crate) says: &'static str,
    pub(crate) run: fn(Scene) -> Pin<Box<dyn Future<Output = Check> + Send>>,
}

/// `case!("3.1.1 id", "5.0 id", "what it says", function)`
macro_rules! case {
    ($v3:literal, $v5:literal, $says:literal, $run:path) => {
        $crate::suite::Case { v3: $v3, v5: $v5, says: $says, run: |scene| Box::pin($run(scene)) }
    };
}
pub(crate) use case;

/// Fails the case unless the condition holds.
macro_rules! ensure {
    ($holds:expr, $($words:tt)+) => {
        if !$holds {
            return Err(format!($($words)+));
        }
    };
}
pub(crate) use ensure;

/// What became of a case.
#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    pub(crate) version: Version,
    pub(crate) id: &'static str,
    pub(crate) says: &'static str,
    pub(crate) outcome: Check,
    pub(crate) took: Duration,
}

/// Where a case plays: its broker, its version, and names nobody else uses.
#[derive(Clone)]
pub(crate) struct Scene {
    pub(crate) target: Target,
    pub(crate) version: Version,
    tag: String,
}

impl Scene {
    pub(crate) fn v5(&self) -> bool {
        self.version == Version::V5
    }

    /// A topic of this case.
    pub(crate) fn topic(&self, rest: &str) -> String {
        format!("conf/{}/{rest}", self.tag)
    }

    /// A client id of this case.
    pub(crate) fn id(&self, name: &str) -> String {
        format!("{}{name}", self.tag)
    }

    /// A decent CONNECT with a clean session.
    pub(crate) fn hello(&self, name: &str) -> Connect {
        Connect {
            version: self.version,
            protocol: b"MQTT".to_vec(),
            level: self.version.level(),
            clean: true,
            keep_alive: 60,
            properties: vec![],
            client: self.id(name).into(),
            will: None,
            username: Some(self.target.username.into()),
            password: Some(self.target.password.into()),
            flip: 0,
        }
    }

    /// A TCP connection.
    pub(crate) async fn open(&self) -> Check<Client> {
        Client::open(self.target.addr, self.version).await
    }

    /// A client that was let in.
    pub(crate) async fn enter(&self, connect: &Connect) -> Check<Client> {
        let mut client = self.open().await?;
        let (code, _) = client.connect(connect).await?;
        ensure!(code == 0, "refused with {code:#04x}");
        Ok(client)
    }

    /// A client with a clean session.
    pub(crate) async fn client(&self, name: &str) -> Check<Client> {
        self.enter(&self.hello(name)).await
    }

    /// A publisher, and a subscriber to all topics of this case at QoS 2.
    pub(crate) async fn pair(&self) -> Check<(Client, Client)> {
        let mut subscriber = self.client("sub").await?;
        subscriber.subscribe(&self.topic("#"), 2).await?;
        Ok((self.client("pub").await?, subscriber))
    }

    /// Proves that nothing else is on its way to a subscriber of `fence`: what is published now is what comes next.
    pub(crate) async fn fence(&self, publisher: &mut Client, subscriber: &mut Client) -> Check {
        publisher.publish(Publish::new(self.topic("fence"), "fence", 1)).await?;
        let next = subscriber.message().await.map_err(|why| format!("fence: {why}"))?;
        ensure!(next.says("fence"), "came, though it should not: {next:?}");
        Ok(())
    }

    /// Sends bytes after a decent CONNECT; the broker must close the connection.
    pub(crate) async fn closes(&self, bytes: impl AsRef<[u8]>) -> Check {
        let mut client = self.client("bad").await?;
        client.send(bytes).await;
        client.closed().await.map(drop)
    }

    /// Sends a CONNECT that must not be accepted: the connection ends without a CONNACK that says yes.
    pub(crate) async fn refuses(&self, connect: impl AsRef<[u8]>) -> Check {
        let mut client = self.open().await?;
        client.send(connect).await;
        let seen = client.closed().await?;
        let accepted = seen.iter().any(|packet| matches!(packet, super::packet::Packet::Connack { code: 0, .. }));
        ensure!(!accepted, "was let in: {seen:?}");
        Ok(())
    }
}

/// Runs every case against a target.
pub(crate) async fn run(target: &Target) -> Vec<Verdict> {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    for (number, case) in cases::all().enumerate() {
        for (version, id) in [(Version::V3, case.v3), (Version::V5, case.v5)] {
            if id.is_empty() {
                continue;
            }
            let (target, places) = (target.clone(), places.clone());
            let scene = Scene { target, version, tag: format!("v{}c{number:03}", version.level()) };
            running.spawn(async move {
                let _place = places.acquire().await;
                let started = Instant::now();
                let work = tokio::spawn((case.run)(scene));
                let outcome = match tokio::time::timeout(LIMIT, work).await {
                    Ok(Ok(outcome)) => outcome,
                    Ok(Err(panic)) => Err(panic.to_string()),
                    Err(_) => Err(format!("not done after {} s", LIMIT.as_secs())),
                };
                Verdict { version, id, says: case.says, outcome, took: started.elapsed() }
            });
        }
    }
    let mut verdicts = running.join_all().await;
    verdicts.sort_by_key(|one| (one.version, order(one.id)));
    verdicts
}

/// `MQTT-3.10.4-2` in the order of its numbers.
fn order(id: &str) -> Vec<u32> {
    id.split(['-', '.']).filter_map(|part| part.parse().ok()).collect()
}

/// Statements by version that failed, with why.
pub(crate) fn failed(verdicts: &[Verdict]) -> BTreeMap<(Version, &'static str), String> {
    let failed = verdicts.iter().filter_map(|one| Some(((one.version, one.id), one.outcome.clone().err()?)));
    failed.collect()
}

/// The results as a table.
pub(crate) fn table(target: &Target, verdicts: &[Verdict]) -> String {
    let mut text = format!("\n{}: {} statements\n", target.name, verdicts.len());
    for one in verdicts {
        let mark = if one.outcome.is_ok() { "ok  " } else { "FAIL" };
        let why = one.outcome.as_ref().err().map(|why| format!("\n          {why}")).unwrap_or_default();
        let line =
            format!("{mark} {:5} {:14} {:5} ms  {}{why}\n", one.version.name(), one.id, one.took.as_millis(), one.says);
        text.push_str(&line);
    }
    let passed = verdicts.iter().filter(|one| one.outcome.is_ok()).count();
    text + &format!("{}: {passed} of {} passed\n", target.name, verdicts.len())
}
