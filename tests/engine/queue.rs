//! The queue as delivering reads it: a page at a time, bounded in entries and in bytes, nothing left out.

use bytes::Bytes;
use relayscope_domain::id::{MessageId, RelayId};
use relayscope_domain::message::Qos;
use relayscope_engine::queue::{Group, Incoming, Page, Queue};
use uuid::Uuid;

const MIB: usize = 1024 * 1024;

fn message(topic: &str, size: usize) -> Incoming {
    Incoming {
        message_id: MessageId(Uuid::now_v7()),
        topic: topic.into(),
        payload: Bytes::from(vec![b'x'; size]),
        qos: Qos::AtLeastOnce,
        retain: false,
        received_at: 1_700_000_000_000,
    }
}

/// A queue with messages of these sizes on topics `odd` and `even`, numbered from 1.
async fn filled(folder: &tempfile::TempDir, relay: RelayId, sizes: &[usize]) -> Queue {
    let (queue, _) = Queue::open(&folder.path().join("queue.db"), "now").await.unwrap();
    let first = queue.reserve(sizes.len());
    let topic = |id: i64| if id % 2 == 0 { "even" } else { "odd" };
    let arrived = (first..).zip(sizes).map(|(id, size)| (id, message(topic(id), *size))).collect();
    queue.commit(relay, &Group { arrived, ..Group::default() }).await.unwrap();
    queue
}

/// The numbers of a range's entries, page by page, and the payload bytes of the largest page that has several entries.
async fn pages(mut read: impl AsyncFnMut(i64) -> Page) -> (Vec<i64>, usize) {
    let (mut ids, mut largest) = (vec![], 0);
    loop {
        let Page { entries, whole } = read(ids.last().copied().unwrap_or(i64::MIN)).await;
        assert!(whole || !entries.is_empty(), "a page that goes no further");
        if entries.len() > 1 {
            largest = largest.max(entries.iter().map(|entry| entry.message.payload.len()).sum());
        }
        ids.extend(entries.iter().map(|entry| entry.id));
        if whole {
            return (ids, largest);
        }
    }
}

#[tokio::test]
async fn a_page_of_large_messages_is_small_and_nothing_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let relay = RelayId(Uuid::now_v7());
    // Small ones, then some of which two are too much for a page, one that is too much alone, and small ones again.
    let mut sizes = vec![100; 1_500];
    sizes.extend([MIB * 3 / 2; 8]);
    sizes.push(5 * MIB);
    sizes.extend([100; 1_200]);
    let queue = filled(&folder, relay, &sizes).await;
    let count = sizes.len() as i64;

    let (ids, largest) = pages(async |after| queue.entries_between(relay, after, i64::MAX).await.unwrap()).await;
    assert_eq!(ids, (1..=count).collect::<Vec<_>>());
    // The last entry of a page may go beyond the 2 MiB.
    assert!((2 * MIB..2 * MIB + 5 * MIB).contains(&largest), "{largest} bytes in one page");

    let (ids, largest) = pages(async |after| queue.lane(relay, "odd", after, i64::MAX).await.unwrap()).await;
    assert_eq!(ids, (1..=count).step_by(2).collect::<Vec<_>>());
    assert!((2 * MIB..2 * MIB + 5 * MIB).contains(&largest), "{largest} bytes in one page");
    queue.close().await;
}
