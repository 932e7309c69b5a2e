//! The demo's devices against the embedded broker.

use crate::support::broker::{FULL, Rig};
use crate::support::{eventually, soon};
use relayscope_domain::secret::Secret;
use relayscope_engine::feed::event::Kind;
use relayscope_engine::simulator::{SimulatedDevice, Simulator};
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn three_devices_publish_what_they_promise_and_say_goodbye() {
    let rig = Rig::start().await;
    let device = |name: &str| SimulatedDevice { client_id: name.to_owned(), token: Secret::new(FULL) };
    let devices = [device("climate-01"), device("counter-02"), device("frame-03")];
    let simulator = Simulator::start(rig.addr(), devices, CancellationToken::new());
    let payload = async |client: &'static str| {
        let pick = |kind: &Kind| match kind {
            Kind::Publish { topic, payload, .. } => Some((topic.clone(), payload.clone())),
            _ => None,
        };
        rig.event("a message", client, pick).await
    };

    let (topic, climate) = payload("climate-01").await;
    assert_eq!(&*topic, "demo/greenhouse/climate-01");
    let climate: serde_json::Value = serde_json::from_slice(&climate).unwrap();
    assert_eq!((climate[0]["variable"].as_str(), climate[0]["value"].is_number()), (Some("temperature"), true));
    let (topic, counter) = payload("counter-02").await;
    assert_eq!(&*topic, "demo/line-2/counter-02");
    assert_eq!(std::str::from_utf8(&counter).unwrap().parse(), Ok(1_000));
    let (topic, frame) = payload("frame-03").await;
    assert_eq!(&*topic, "demo/camera/frame-03");
    assert!(std::str::from_utf8(&frame).is_err());
    let wills =
        rig.feed.events().iter().filter(|event| matches!(event.kind, Kind::Connected { will: true, .. })).count();
    assert_eq!(wills, 1);

    soon("the end of the devices", simulator.stop()).await;
    for name in ["climate-01", "counter-02", "frame-03"] {
        assert_eq!(rig.goodbye(name).await, ("the client sent DISCONNECT".to_owned(), true));
    }
    rig.broker.stop().await;
}

#[tokio::test]
async fn devices_stop_at_once_without_a_broker_and_come_back_with_one() {
    let device = |name: &str| SimulatedDevice { client_id: name.to_owned(), token: Secret::new(FULL) };
    let devices = || [device("climate-01"), device("counter-02"), device("frame-03")];
    let rig = Rig::start().await;
    let addr = rig.addr();
    rig.broker.stop().await;
    let simulator = Simulator::start(addr, devices(), CancellationToken::new());
    soon("the end of the devices", simulator.stop()).await;

    let simulator = Simulator::start(addr, devices(), CancellationToken::new());
    let settings = relayscope_domain::broker::Embedded { port: addr.port(), ..Default::default() };
    let (feed, accounts) = (rig.feed.clone(), rig.accounts.clone());
    let config = relayscope_engine::broker::BrokerConfig::forgetful("late", settings, feed, accounts);
    let broker = relayscope_engine::broker::EmbeddedBroker::start(config).await.unwrap();
    assert_eq!(broker.addr(), addr);
    eventually("all devices", async || (broker.client_count() == 3).then_some(())).await;
    soon("the end of the devices", simulator.stop()).await;
    broker.stop().await;
}
