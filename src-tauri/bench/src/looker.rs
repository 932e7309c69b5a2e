//! The engine with an ad-hoc session at a broker and no page: what the inspector costs when nobody looks.

use crate::{Outcome, process};
use relayscope_engine::api::wire::{BrokerView, SessionView, SessionsFrame, StatusSnapshot};
use relayscope_engine::{Engine, EngineConfig, api};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::io::BufRead;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The time a session has to be granted what it asks for, and the engine to stop.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is looked at.
#[derive(Clone, clap::Args)]
pub struct Look {
    /// Port of the broker.
    #[arg(long)]
    pub broker_port: u16,
    /// Filter to subscribe to.
    #[arg(long)]
    pub filter: String,
    /// 0, 1 or 2.
    #[arg(long)]
    pub qos: u8,
    /// The engine's data folder.
    #[arg(long)]
    pub folder: PathBuf,
}

/// What came so far.
#[derive(Clone, Copy, Default, Debug, Serialize, Deserialize)]
pub struct Looked {
    /// Messages that came.
    pub received: u64,
    /// Those that are not in the feed.
    pub lost: u64,
    /// Bytes the feed holds.
    pub feed_bytes: u64,
    /// Bytes it may hold.
    pub feed_budget: u64,
}

/// Says `ready` once subscribed, then [`Looked`] for each line of its standard input, with which it ends.
pub fn run(look: &Look) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("No threads for the engine: {error}."))?;
    let config = EngineConfig { data_dir: look.folder.clone(), keychain: false, idle: false };
    let engine =
        runtime.block_on(Engine::start(config)).map_err(|error| format!("The engine does not start: {error}."))?;
    runtime.block_on(open(&engine, look))?;
    println!("ready");
    for _ in std::io::stdin().lock().lines() {
        let looked = runtime.block_on(looked(&engine))?;
        println!("{}", serde_json::to_string(&looked).map_err(|error| error.to_string())?);
    }
    runtime.block_on(engine.shutdown(PATIENCE));
    Ok(())
}

async fn call<T: DeserializeOwned>(engine: &Engine, name: &str, request: Value) -> Outcome<T> {
    let answer = api::call(engine, name, request).await.map_err(|error| format!("{name}: {error:?}"))?;
    serde_json::from_value(answer).map_err(|error| format!("{name}: {error}"))
}

/// Saves the broker and opens a session as a person does; returns when the filter is granted.
async fn open(engine: &Engine, look: &Look) -> Outcome<()> {
    let mut draft = call::<Value>(engine, "app.blank", Value::Null).await?["broker"].take();
    draft["name"] = json!("bench");
    draft["host"] = json!("127.0.0.1");
    draft["port"] = json!(look.broker_port.to_string());
    let broker: BrokerView = call(engine, "brokers.save", draft).await?;
    let filters = json!([{"filter": look.filter, "qos": look.qos}]);
    let session = json!({"brokerId": broker.broker.id, "filters": filters, "everything": false});
    let _: SessionView = call(engine, "sessions.open", session).await?;
    let begun = Instant::now();
    while !session_of(engine).await?.filters.iter().all(|filter| filter.words.starts_with("granted")) {
        if begun.elapsed() > PATIENCE {
            return Err("The session was not granted its filter.".into());
        }
        process::pause(Duration::from_millis(20))?;
    }
    Ok(())
}

async fn session_of(engine: &Engine) -> Outcome<SessionView> {
    let frame: SessionsFrame = call(engine, "sessions.list", Value::Null).await?;
    frame.sessions.into_iter().next().ok_or_else(|| "The session is gone.".to_owned())
}

async fn looked(engine: &Engine) -> Outcome<Looked> {
    let session = session_of(engine).await?;
    let totals = call::<StatusSnapshot>(engine, "app.status", Value::Null).await?.totals;
    Ok(Looked {
        received: session.received,
        lost: session.lost,
        feed_bytes: totals.feed_bytes,
        feed_budget: totals.feed_budget,
    })
}
