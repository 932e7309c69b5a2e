//! What waits to be acknowledged: the order, what is written when, and what a failed write leaves.

use super::*;
use relayscope_domain::id::MessageId;
use relayscope_domain::message::Qos;

fn message() -> Incoming {
    Incoming {
        message_id: MessageId(uuid::Uuid::nil()),
        topic: "a".into(),
        payload: bytes::Bytes::new(),
        qos: Qos::AtLeastOnce,
        retain: false,
        received_at: 0,
    }
}

const QUIET: Duration = Duration::from_millis(1);
const SHORT: Patience = Patience::SHORT;

fn filled(count: i64, now: Instant) -> Intake {
    let mut intake = Intake::default();
    for id in 1..=count {
        intake.push(id, message(), None, 10, now);
    }
    intake
}

fn released(intake: &mut Intake) -> usize {
    intake.release(&mut vec![])
}

fn ids(group: Vec<(i64, Incoming)>) -> Vec<i64> {
    group.into_iter().map(|(id, _)| id).collect()
}

#[test]
fn acknowledgements_leave_in_order_whether_stored_or_delivered() {
    let now = Instant::now();
    let mut intake = filled(4, now);
    assert_eq!(intake.finished(Some(1)), Stood::Nowhere);
    assert_eq!((released(&mut intake), intake.boundary()), (0, 1));
    assert_eq!(ids(intake.take_unwritten(10, u64::MAX, None, now)), [1, 3, 4]);
    assert_eq!(intake.finished(Some(2)), Stood::Underway);
    intake.push(5, message(), None, 10, now);
    intake.written();
    assert_eq!((released(&mut intake), intake.boundary()), (40, 5));
    assert_eq!(intake.finished(Some(3)), Stood::OnDisk);
    assert_eq!(intake.unsent_from(5).map(|(place, id, _)| (place, id)).collect::<Vec<_>>(), [(4, 5)]);
    assert_eq!(intake.finished(Some(4)), Stood::Nowhere);
    assert_eq!((released(&mut intake), intake.is_empty(), intake.boundary()), (10, true, 6));
}

#[test]
fn a_failed_write_is_made_again_without_what_was_delivered_meanwhile() {
    let now = Instant::now();
    let mut intake = filled(3, now);
    assert_eq!(intake.take_unwritten(2, u64::MAX, None, now).len(), 2);
    assert_eq!(intake.finished(Some(0)), Stood::Underway);
    assert_eq!(intake.due(SHORT, QUIET, now), Some(now + QUIET));
    assert_eq!(intake.not_written(), [1]);
    assert_eq!(intake.due(SHORT, QUIET, now), Some(now + QUIET));
    assert_eq!(ids(intake.take_unwritten(10, u64::MAX, None, now)), [2, 3]);
    assert_eq!(released(&mut intake), 10);
}

#[test]
fn what_came_just_now_is_spared_the_disk_for_a_moment() {
    let now = Instant::now();
    let mut intake = filled(2, now);
    assert_eq!(intake.due(SHORT, QUIET, now), Some(now + QUIET), "a broker with a small window waits");
    let later = now + SHORT.age - QUIET / 2;
    intake.push(3, message(), None, 10, later);
    assert_eq!(intake.due(SHORT, QUIET, later), Some(now + SHORT.age), "messages go on coming: the oldest counts");
    assert_eq!(ids(intake.take_unwritten(10, u64::MAX, Some(SHORT), now + SHORT.age)), [1, 2]);
    assert_eq!(
        ids(intake.take_unwritten(10, u64::MAX, None, now + SHORT.age)),
        [3],
        "nothing is spared when it is quiet"
    );
    assert_eq!(intake.due(SHORT, QUIET, later), None);
}

#[test]
fn a_burst_waits_for_a_working_destination_but_for_what_it_refused() {
    let now = Instant::now();
    let mut intake = filled(Patience::SHORT.many as i64, now);
    let long = now + Patience::LONG.age;
    let always = Duration::from_secs(60);
    assert_eq!(intake.due(Patience::LONG, always, now), Some(long), "they are not much yet");
    (0..10).for_each(|place| intake.sent(place));
    intake.failed(3);
    assert_eq!(intake.due(Patience::LONG, always, now), Some(now + Patience::SHORT.age));
    assert_eq!(ids(intake.take_unwritten(10, u64::MAX, Some(Patience::LONG), now + Patience::SHORT.age)), [4]);
    intake.written();
    assert_eq!(intake.due(Patience::LONG, always, now), Some(long), "the others may wait again");
}

#[test]
fn many_are_written_but_for_those_on_their_way() {
    let now = Instant::now();
    let mut intake = filled(SHORT.many as i64, now);
    intake.sent(0);
    intake.sent(1);
    intake.failed(1);
    assert_eq!(intake.due(SHORT, QUIET, now), Some(now));
    assert_eq!(intake.take_unwritten(SHORT.many, u64::MAX, Some(SHORT), now).len(), SHORT.many - 1);
    assert_eq!(intake.due(SHORT, QUIET, now), Some(now + QUIET));
}
