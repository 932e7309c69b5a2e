//! The engine's front in a process of its own, before a broker.

use crate::Outcome;
use relayscope_domain::listener::BrokerLimits;
use relayscope_engine::feed::Feed;
use relayscope_engine::front::{Connections, Front, FrontConfig, Listen, Meter, Policy, Target};
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::net::TcpListener;

/// The feed of the front: large enough to hold some seconds, small enough to be full soon.
const FEED: usize = 64 << 20;

/// What the front does.
#[derive(Clone, clap::Args)]
pub struct Before {
    /// Port of the broker.
    #[arg(long)]
    pub broker_port: u16,
    /// Only forward: no packet is read or shown.
    #[arg(long)]
    pub unread: bool,
}

/// Prints the port it listens on, and ends with its standard input.
pub fn run(before: &Before) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("No threads for the front: {error}."))?;
    let front = runtime.block_on(start(before)).map_err(|error| format!("The front does not start: {error}."))?;
    println!("{}", front.address().port());
    // Ends when whoever measures it closes the stream; nothing is said on it.
    let _ = std::io::stdin().read_to_end(&mut vec![]);
    Ok(())
}

async fn start(before: &Before) -> std::io::Result<Front> {
    let config = FrontConfig {
        name: "front".into(),
        feed: Feed::new(FEED),
        listen: Listen::tcp(None),
        target: Target::local(SocketAddr::from((Ipv4Addr::LOCALHOST, before.broker_port)), false),
        meter: Meter::new(BrokerLimits::UNLIMITED),
        policy: Policy { parse: !before.unread, ..Policy::default() },
        connections: Connections::default(),
        faults: None,
    };
    Front::start(config, TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?)
}
