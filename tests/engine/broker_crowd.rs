//! A thousand clients that publish once a second: every event is counted and none is lost. Ten seconds, or as many as
//! RELAYSCOPE_CROWD_SECONDS says.

use crate::support::broker::{FULL, Rig, connect};
use crate::support::wire;
use crate::support::{eventually, pause, soon};
use relayscope_engine::feed::event::{Direction, Kind};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const CLIENTS: usize = 1_000;
const SECONDS: u64 = 10;

/// What the feed holds, in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Told {
    accepted: usize,
    connected: usize,
    published: usize,
    disconnected: usize,
}

fn told(rig: &Rig) -> Told {
    rig.feed.events().iter().fold(Told::default(), |mut told, event| {
        match &event.kind {
            Kind::Accepted { .. } => told.accepted += 1,
            Kind::Connected { .. } => told.connected += 1,
            Kind::Publish { direction: Direction::In, .. } => told.published += 1,
            Kind::Disconnected { clean: true, .. } => told.disconnected += 1,
            _ => {}
        }
        told
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_clients_a_second_lose_no_event() {
    let seconds = std::env::var("RELAYSCOPE_CROWD_SECONDS").ok().and_then(|it| it.parse().ok()).unwrap_or(SECONDS);
    let rig = Rig::start().await;
    let addr = rig.addr();
    let mut clients = JoinSet::new();
    let begin = Instant::now() + Duration::from_secs(5);
    for number in 0..CLIENTS {
        clients.spawn(async move {
            let name = format!("crowd-{number}");
            let (mut stream, answer) = soon("CONNACK", connect(4, &name, Some(FULL)).send(addr)).await;
            assert_eq!(answer, [0x20, 2, 0, 0]);
            let own = begin + Duration::from_micros(number as u64 * 1_000);
            for second in 0..seconds {
                pause((own + Duration::from_secs(second)).saturating_duration_since(Instant::now())).await;
                wire::write(&mut stream, &wire::publish(&format!("crowd/{number}"), &second.to_be_bytes())).await;
            }
            wire::write(&mut stream, &[0xe0, 0]).await;
            assert!(wire::read(&mut stream).await.is_empty());
        });
    }
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
    let messages = CLIENTS * seconds as usize;
    let wanted = Told { accepted: CLIENTS, connected: CLIENTS, published: messages, disconnected: CLIENTS };
    eventually("all events", async || (told(&rig).disconnected >= CLIENTS).then_some(())).await;
    let counters = rig.broker.counters();
    eprintln!("{CLIENTS} clients, {seconds} s: {:?}, {:?}", told(&rig), counters.traffic);
    assert_eq!(told(&rig), wanted);
    assert_eq!((counters.connects, counters.traffic[0]), (CLIENTS as u64, messages as u64));
    rig.broker.stop().await;
}
