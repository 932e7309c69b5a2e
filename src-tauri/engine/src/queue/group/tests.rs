//! The ledger after any groups, with the last one lost as a killed process loses it.
#![allow(clippy::unwrap_used)]

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;
use relayscope_domain::id::MessageId;
use relayscope_domain::message::Qos;

fn message() -> Incoming {
    Incoming {
        message_id: MessageId(uuid::Uuid::from_u128(7)),
        topic: "plant/1".into(),
        payload: vec![b'x'; 20].into(),
        qos: Qos::AtLeastOnce,
        retain: false,
        received_at: 1_763_733_600_000,
    }
}

fn dead(id: i64, stored: bool) -> Dead {
    Dead {
        entry: Entry { id, message: message(), attempts: 3, first_try_at: None },
        stored,
        reason: "refused".to_owned(),
        status: Some(400),
        answer: String::new(),
        request: String::new(),
        died_at: 1_763_733_600_000,
    }
}

/// A group with these numbers: of what arrives, is only counted (three kinds), goes (three kinds), dies stored and unstored.
fn group(numbers: [usize; 9], next: &mut i64, stored: &mut Vec<i64>) -> Group {
    let [arrived, passed, filtered, dropped, delivered, left_out, expired, dead_stored, dead_fresh] = numbers;
    let mut number = || {
        *next += 1;
        *next
    };
    let mut go = |count: usize| stored.drain(..count.min(stored.len())).collect::<Vec<_>>();
    let mut gone = |count| go(count).into_iter().map(|id| Gone { id, cost: message().cost() }).collect();
    let (delivered, left_out, expired) = (gone(delivered), gone(left_out), gone(expired));
    let mut all: Vec<Dead> = go(dead_stored).into_iter().map(|id| dead(id, true)).collect();
    all.extend((0..dead_fresh).map(|_| dead(number(), false)));
    let arrived: Vec<_> = (0..arrived).map(|_| (number(), message())).collect();
    stored.extend(arrived.iter().map(|(id, _)| *id));
    let (passed, filtered, dropped) = (passed as u64, filtered as u64, dropped as u64);
    Group { arrived, passed, filtered, dropped, delivered, left_out, expired, dead: all, ..Group::default() }
}

proptest! {
    // Each case is a file of SQLite.
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_ledger_balances_whenever_a_process_is_killed(
        groups in vec(prop::array::uniform9(0usize..4), 1..12),
        killed_at in 0usize..12,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let (path, relay) = (folder.path().join("queue.db"), RelayId(uuid::Uuid::from_u128(1)));
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let (mut next, mut stored, mut received) = (0, vec![], 0);
            let (queue, _) = Queue::open(&path, "1").await.unwrap();
            for numbers in &groups[..killed_at.min(groups.len())] {
                let group = group(*numbers, &mut next, &mut stored);
                received += group.arrived.len() as u64 + group.counted();
                received += group.dead.iter().filter(|dead| !dead.stored).count() as u64;
                queue.commit(relay, &group).await.unwrap();
            }
            // The groups behind are lost with the process.
            drop(queue);
            let (queue, _) = Queue::open(&path, "2").await.unwrap();
            let ledger = queue.ledger(relay).await.unwrap();
            assert_eq!((ledger.difference(), ledger.received), (0, received), "{ledger:?}");
            assert_eq!(queue.difference(relay).await.unwrap(), 0, "{ledger:?}");
            assert_eq!(queue.count(relay).await.unwrap(), (stored.len() as u64, ledger.dead));
            queue.close().await;
        });
    }
}
