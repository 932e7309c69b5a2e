//! Each detector with what it must find and what it must leave alone.

use super::*;

#[derive(Default)]
struct Log {
    event: u64,
}

impl Log {
    fn see(&mut self, detectors: &mut Detectors, at: i64, connection: u64, client: &str, what: What<'_>) {
        self.event += 1;
        detectors.see(Seen { at, event: self.event, connection, client, what });
    }
}

fn publish(qos: u8, dup: bool, packet_id: u16) -> What<'static> {
    What::Publish { from_client: true, topic: "a/b", qos, dup, packet_id: Some(packet_id) }
}

fn kinds(detectors: &Detectors) -> Vec<(FindingKind, u64)> {
    detectors.list().into_iter().map(|finding| (finding.kind, finding.count)).collect()
}

#[test]
fn one_client_id_twice_is_no_reconnect_loop() {
    let (mut detectors, mut log) = (Detectors::new(false), Log::default());
    for turn in 0..10 {
        let at = turn as i64 * 2_000;
        log.see(&mut detectors, at, turn, "pump", What::Connect(30));
        log.see(&mut detectors, at, turn, "pump", What::Connected);
        if turn > 0 {
            log.see(&mut detectors, at, turn - 1, "pump", What::Closed);
        }
    }
    let found = detectors.list();
    assert_eq!(kinds(&detectors), [(FindingKind::ClientIdTwice, 7)]);
    assert!(found[0].sentence.contains("pump") && found[0].events.len() == EVIDENCE, "{found:?}");
    assert_eq!(found[0].last, 18_000);
}

#[test]
fn a_client_that_comes_again_and_again_is_told() {
    let (mut detectors, mut log) = (Detectors::new(false), Log::default());
    for turn in 0..6 {
        log.see(&mut detectors, turn as i64 * 5_000, turn, "pump", What::Connect(30));
        log.see(&mut detectors, turn as i64 * 5_000, turn, "pump", What::Connected);
        log.see(&mut detectors, turn as i64 * 5_000 + 10, turn, "pump", What::Closed);
        // One that takes its time is none.
        log.see(&mut detectors, turn as i64 * 20_000, 100 + turn, "calm", What::Connect(30));
    }
    assert_eq!(kinds(&detectors), [(FindingKind::ReconnectLoop, 1)]);
    assert!(detectors.list()[0].sentence.contains("6 times"));
}

#[test]
fn a_keep_alive_that_is_too_short_is_told_once_a_connection() {
    let (mut detectors, mut log) = (Detectors::new(false), Log::default());
    for (client, keep_alive) in [("slow", 10), ("fits", 90), ("none", 0)] {
        log.see(&mut detectors, 0, 1, client, What::Connect(keep_alive));
        for turn in 0..20 {
            log.see(&mut detectors, turn * 60_000, 1, client, publish(0, false, 1));
        }
    }
    assert_eq!(kinds(&detectors), [(FindingKind::ShortKeepAlive, 1)]);
    assert!(detectors.list()[0].sentence.starts_with("slow sends about every 60 s"));
    log.see(&mut detectors, 2_000_000, 1, "slow", What::KeepAlivePassed);
    assert_eq!(kinds(&detectors), [(FindingKind::ShortKeepAlive, 2)]);
}

#[test]
fn what_is_sent_again_or_never_acknowledged_is_told() {
    let (mut detectors, mut log) = (Detectors::new(false), Log::default());
    log.see(&mut detectors, 0, 1, "pump", publish(1, false, 7));
    log.see(&mut detectors, 10, 1, "pump", What::Acknowledged { from_client: true, packet_id: 7 });
    log.see(&mut detectors, 20, 1, "pump", publish(1, false, 8));
    detectors.tick(15_000);
    assert!(detectors.list().is_empty());
    detectors.tick(20_020);
    detectors.tick(40_020);
    assert_eq!(kinds(&detectors), [(FindingKind::Unacknowledged, 1)]);
    assert_eq!(detectors.list()[0].events, [3]);
    log.see(&mut detectors, 50_000, 2, "pump", publish(1, true, 8));
    assert_eq!(kinds(&detectors), [(FindingKind::Retransmission, 1), (FindingKind::Unacknowledged, 1)]);
    // What ends with its connection is not waited for.
    log.see(&mut detectors, 50_001, 2, "pump", What::Closed);
    detectors.tick(500_000);
    assert_eq!(kinds(&detectors).len(), 2);
}

#[test]
fn who_asks_for_everything_is_told() {
    let (mut detectors, mut log) = (Detectors::new(false), Log::default());
    log.see(&mut detectors, 0, 1, "nosy", What::Subscribed("#"));
    log.see(&mut detectors, 0, 2, "fine", What::Subscribed("plant/#"));
    assert_eq!(kinds(&detectors), [(FindingKind::SubscribesAll, 1)]);
}

#[test]
fn a_topic_nobody_receives_is_told_where_all_deliveries_are_seen() {
    for sees_all in [true, false] {
        let (mut detectors, mut log) = (Detectors::new(sees_all), Log::default());
        for turn in 0..11 {
            let of = |topic: &'static str, from_client| What::Publish {
                from_client,
                topic,
                qos: 0,
                dup: false,
                packet_id: None,
            };
            log.see(&mut detectors, turn * 10_000, 1, "pump", of("lost", true));
            log.see(&mut detectors, turn * 10_000, 1, "pump", of("heard", true));
            log.see(&mut detectors, turn * 10_000, 2, "reader", of("heard", false));
        }
        let expected: &[_] = if sees_all { &[(FindingKind::NobodyReceives, 2)] } else { &[] };
        assert_eq!(kinds(&detectors), expected);
    }
}

#[test]
fn memory_is_bounded_whatever_comes() {
    let (mut detectors, mut log) = (Detectors::new(true), Log::default());
    for number in 0..10_000_u64 {
        let client = format!("client-{number}");
        log.see(&mut detectors, number as i64, number, &client, What::Connect(1));
        log.see(&mut detectors, number as i64, number, &client, What::Connected);
        log.see(&mut detectors, number as i64, number, &client, What::Subscribed("#"));
        log.see(&mut detectors, number as i64, number, "one", publish(1, false, number as u16));
    }
    assert_eq!(detectors.count(), FINDINGS);
    assert_eq!(detectors.list()[0].client, "client-9999");
}
