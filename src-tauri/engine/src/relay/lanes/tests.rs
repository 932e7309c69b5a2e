//! Who is next, step by step.

use super::*;
use crate::queue::Incoming;
use relayscope_domain::id::MessageId;
use relayscope_domain::message::Qos;

fn entry(id: i64, topic: &str) -> Entry {
    let message = Incoming {
        message_id: MessageId(uuid::Uuid::nil()),
        topic: topic.into(),
        payload: bytes::Bytes::new(),
        qos: Qos::AtLeastOnce,
        retain: false,
        received_at: 0,
    };
    Entry { id, message, attempts: 0, first_try_at: None }
}

fn held(id: i64, topic: &str) -> Held {
    Held { entry: entry(id, topic), slot: None }
}

fn ids(parcel: &Parcel) -> Vec<i64> {
    parcel.held.iter().map(|held| held.entry.id).collect()
}

fn next(lanes: &mut Lanes) -> Option<i64> {
    lanes.next().map(|parcel| parcel.held[0].entry.id)
}

fn topic(name: &str) -> Key {
    Key::Topic(name.into())
}

#[test]
fn lanes_take_turns_and_keep_their_order() {
    let mut lanes = Lanes::new(Order::Topic, 1);
    for (id, topic) in [(1, "a"), (2, "a"), (3, "b"), (4, "a")] {
        assert!(lanes.add(held(id, topic)));
    }
    assert_eq!((next(&mut lanes), next(&mut lanes), next(&mut lanes)), (Some(1), Some(3), None));
    assert_eq!(lanes.done(topic("a")), None);
    let Some(parcel) = lanes.next() else { unreachable!("the second of a is ready") };
    assert_eq!((ids(&parcel), next(&mut lanes)), (vec![2], None));
    lanes.again(parcel);
    assert_eq!(lanes.next().map(|parcel| (ids(&parcel), parcel.held[0].entry.attempts)), Some((vec![2], 1)));
    lanes.done(topic("a"));
    lanes.done(topic("b"));
    assert_eq!(next(&mut lanes), Some(4));
    lanes.done(topic("a"));
    assert_eq!((lanes.held(), lanes.lanes.len()), ((0, 0), 0));
}

#[test]
fn without_an_order_every_message_goes_at_once() {
    let mut lanes = Lanes::new(Order::None, 1);
    assert!((1..=3).all(|id| lanes.add(held(id, "a"))));
    assert_eq!([next(&mut lanes), next(&mut lanes), next(&mut lanes)], [Some(1), Some(2), Some(3)]);
    lanes.done(Key::Alone(2));
    assert_eq!(lanes.lanes.len(), 2);
}

#[test]
fn a_refused_batch_goes_one_by_one_and_then_together_again() {
    let mut lanes = Lanes::new(Order::Topic, 3);
    assert!((1..=8).all(|id| lanes.add(held(id, "a"))));
    let Some(parcel) = lanes.next() else { unreachable!("a is ready") };
    assert_eq!(ids(&parcel), [1, 2, 3]);
    lanes.singly(parcel);
    for id in 1..=3 {
        assert_eq!(lanes.next().map(|parcel| ids(&parcel)), Some(vec![id]));
        lanes.done(topic("a"));
    }
    assert_eq!(lanes.next().map(|parcel| ids(&parcel)), Some(vec![4, 5, 6]));
}

#[test]
fn a_waiting_lane_leaves_its_tail_on_disk_and_reads_it_in_order() {
    let now = Instant::now();
    let mut lanes = Lanes::new(Order::Topic, 1);
    assert!((1..=40).all(|id| lanes.add(held(id, "a"))));
    let Some(parcel) = lanes.next() else { unreachable!("a is ready") };
    let until = lanes.wait(parcel, None, now);
    assert_eq!((lanes.held().0, until), (KEPT, now + FIRST_WAIT));
    (41..=50).for_each(|id| assert!(!lanes.add(held(id, "a"))));
    assert_eq!((lanes.held().0, next(&mut lanes)), (KEPT, None));
    lanes.wake(until);
    let (mut sent, mut wanted) = (vec![], None);
    while let Some(id) = next(&mut lanes) {
        sent.push(id);
        wanted = lanes.done(topic("a"));
    }
    let wanted = wanted.unwrap_or_else(|| unreachable!("the tail is on disk"));
    assert_eq!((wanted.after, wanted.upto), (KEPT as i64, 50));
    lanes.arrived(&wanted, (17..=30).map(|id| entry(id, "a")).collect(), false);
    lanes.add(held(51, "a"));
    while let Some(id) = next(&mut lanes) {
        sent.push(id);
        if let Some(more) = lanes.done(topic("a")) {
            assert_eq!((more.after, more.upto), (30, 51));
            lanes.arrived(&more, (31..=51).map(|id| entry(id, "a")).collect(), true);
        }
    }
    assert_eq!(sent, (1..=51).collect::<Vec<_>>());
    assert_eq!((lanes.lanes.len(), lanes.held()), (0, (0, 0)));
}
