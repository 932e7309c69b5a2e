//! What arrived and is not acknowledged yet, in the order of arrival. A place is settled when its message is on disk, or
//! was delivered before it had to be, or is not wanted; acknowledgements leave from the front only (MQTT-4.6.0-2). Pure.

use crate::mqtt::session::AckToken;
use crate::queue::Incoming;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Messages that may be here; as many as an MQTT 5 broker may have on its way.
pub(super) const PLACES: usize = 65_536;
// A request that is under way this briefly may well spare its message the disk.
const SPARED: Duration = Duration::from_millis(10);

#[derive(Default)]
pub(super) struct Intake {
    places: VecDeque<Place>,
    // The number of the first place.
    base: u64,
    // Places that are neither settled nor being written.
    fresh: usize,
    last: i64,
    // What the messages that are not on disk will cost there.
    pending: u64,
    // Places whose message was sent while it was fresh, in that order.
    spared: VecDeque<u64>,
}

struct Place {
    id: i64,
    ack: Option<AckToken>,
    // Bytes that the session counts until it is released.
    bytes: usize,
    state: State,
    message: Option<Incoming>,
    sent: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In memory only.
    Fresh,
    /// Being written.
    Writing,
    /// Being written, and no longer needed.
    Obsolete,
    /// On disk; its acknowledgement may go.
    Stored,
    /// Done with; its acknowledgement may go.
    Done,
}

impl State {
    fn is_settled(self) -> bool {
        matches!(self, Self::Stored | Self::Done)
    }
}

/// Where a message stood that is done with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stood {
    /// In memory only: there is nothing to delete.
    Nowhere,
    /// It is being written: to be deleted after that.
    Underway,
    /// On disk.
    OnDisk,
}

impl Intake {
    /// An empty intake; everything up to the number `last` came before.
    pub(super) fn new(last: i64) -> Self {
        Self { last, ..Self::default() }
    }

    /// Whether more may come.
    pub(super) fn has_room(&self) -> bool {
        self.places.len() < PLACES
    }

    /// What the messages that are not on disk will cost there, bytes.
    pub(super) fn pending(&self) -> u64 {
        self.pending
    }

    /// Messages in memory only.
    pub(super) fn fresh(&self) -> usize {
        self.fresh
    }

    /// Whether everything was acknowledged.
    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Takes a message; returns the number of its place.
    pub(super) fn push(&mut self, id: i64, message: Incoming, ack: Option<AckToken>, bytes: usize) -> u64 {
        self.fresh += 1;
        self.pending += message.cost();
        self.last = id;
        self.place(Place { id, ack, bytes, state: State::Fresh, message: Some(message), sent: None })
    }

    /// Takes what is only to be acknowledged.
    pub(super) fn push_settled(&mut self, ack: Option<AckToken>, bytes: usize) {
        let id = self.last;
        self.place(Place { id, ack, bytes, state: State::Done, message: None, sent: None });
    }

    fn place(&mut self, place: Place) -> u64 {
        self.places.push_back(place);
        self.base + self.places.len() as u64 - 1
    }

    fn get(&mut self, number: u64) -> Option<&mut Place> {
        let at = number.checked_sub(self.base)?;
        self.places.get_mut(usize::try_from(at).ok()?)
    }

    /// A request with the message went out.
    pub(super) fn sent(&mut self, number: u64, now: Instant) {
        if let Some(place) = self.get(number) {
            place.sent = Some(now);
            if place.state == State::Fresh {
                self.spared.push_back(number);
            }
        }
    }

    /// A request with the message failed: it has to be written.
    pub(super) fn failed(&mut self, number: u64) {
        if let Some(place) = self.get(number) {
            place.sent = None;
        }
    }

    /// Whether a message stands on disk.
    pub(super) fn is_stored(&mut self, number: Option<u64>) -> bool {
        number.and_then(|number| self.get(number)).is_none_or(|place| place.state == State::Stored)
    }

    /// The message is done with.
    pub(super) fn finished(&mut self, number: Option<u64>) -> Stood {
        let Some(place) = number.and_then(|number| self.get(number)) else { return Stood::OnDisk };
        match place.state {
            State::Fresh => {
                place.state = State::Done;
                let cost = place.message.take().map_or(0, |message| message.cost());
                self.pending -= cost;
                self.fresh -= 1;
                Stood::Nowhere
            }
            State::Writing => {
                place.state = State::Obsolete;
                Stood::Underway
            }
            State::Stored | State::Obsolete | State::Done => {
                place.state = if place.state == State::Stored { State::Done } else { place.state };
                place.message = None;
                Stood::OnDisk
            }
        }
    }

    /// Messages to be written now, oldest first, about as many as there is `room` for (bytes). With `spare`, one that was just sent is left out for a moment.
    pub(super) fn take_unwritten(&mut self, most: usize, room: u64, spare: bool, now: Instant) -> Vec<(i64, Incoming)> {
        let mut group = vec![];
        if self.fresh == 0 {
            return group;
        }
        let mut bytes = 0;
        for place in &mut self.places {
            if place.state != State::Fresh || (spare && is_spared(place, now)) {
                continue;
            }
            if group.len() == most || bytes > room.min(BYTES) {
                break;
            }
            if let Some(message) = &place.message {
                bytes += message.cost();
                group.push((place.id, message.clone()));
                place.state = State::Writing;
                self.fresh -= 1;
            }
        }
        group
    }

    /// When a message that was spared has to be written, if there is one.
    pub(super) fn write_at(&mut self) -> Option<Instant> {
        while let Some(number) = self.spared.front().copied() {
            let sent = self.get(number).filter(|place| place.state == State::Fresh).and_then(|place| place.sent);
            match sent {
                Some(sent) => return Some(sent + SPARED),
                None => self.spared.pop_front(),
            };
        }
        None
    }

    /// What was being written is on disk; what is done with meanwhile is for the next group to delete.
    pub(super) fn written(&mut self) {
        for place in &mut self.places {
            match place.state {
                State::Writing => {
                    place.state = State::Stored;
                    self.pending -= place.message.as_ref().map_or(0, Incoming::cost);
                }
                State::Obsolete => {
                    place.state = State::Done;
                    self.pending -= place.message.take().map_or(0, |message| message.cost());
                }
                State::Fresh | State::Stored | State::Done => {}
            }
        }
    }

    /// What was being written is not on disk; returns the numbers of those that need not be any more.
    pub(super) fn not_written(&mut self) -> Vec<i64> {
        let mut obsolete = vec![];
        for place in &mut self.places {
            match place.state {
                State::Writing => {
                    place.state = State::Fresh;
                    self.fresh += 1;
                }
                State::Obsolete => {
                    place.state = State::Done;
                    self.pending -= place.message.take().map_or(0, |message| message.cost());
                    obsolete.push(place.id);
                }
                State::Fresh | State::Stored | State::Done => {}
            }
        }
        obsolete
    }

    /// The number below which every message is on disk or done with. Until the next [`Intake::release`] all others are
    /// here.
    pub(super) fn boundary(&self) -> i64 {
        self.places.iter().find(|place| !place.state.is_settled()).map_or(self.last + 1, |place| place.id)
    }

    /// The number of the first message that is here.
    pub(super) fn first(&self) -> Option<i64> {
        self.places.front().map(|place| place.id)
    }

    /// Messages from a number on that still have to be sent, oldest first, with their places.
    pub(super) fn unsent_from(&self, from: i64) -> impl Iterator<Item = (u64, i64, &Incoming)> {
        let numbered = self.places.iter().enumerate().skip_while(move |(_, place)| place.id < from);
        numbered
            .filter(|(_, place)| place.sent.is_none())
            .filter_map(|(at, place)| Some((self.base + at as u64, place.id, place.message.as_ref()?)))
    }

    /// Acknowledgements that may go, and the bytes they release.
    pub(super) fn release(&mut self, acks: &mut Vec<AckToken>) -> usize {
        let mut bytes = 0;
        while let Some(place) = self.places.pop_front_if(|place| place.state.is_settled()) {
            self.base += 1;
            bytes += place.bytes;
            acks.extend(place.ack);
        }
        bytes
    }
}

// Of payload in one group.
const BYTES: u64 = 8 * 1024 * 1024;

fn is_spared(place: &Place, now: Instant) -> bool {
    place.sent.is_some_and(|sent| now.duration_since(sent) < SPARED)
}

#[cfg(test)]
mod tests {
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

    fn filled(count: i64) -> Intake {
        let mut intake = Intake::default();
        for id in 1..=count {
            intake.push(id, message(), None, 10);
        }
        intake
    }

    fn released(intake: &mut Intake) -> usize {
        intake.release(&mut vec![])
    }

    #[test]
    fn acknowledgements_leave_in_order_whether_stored_or_delivered() {
        let now = Instant::now();
        let mut intake = filled(4);
        assert_eq!(intake.finished(Some(1)), Stood::Nowhere);
        assert_eq!((released(&mut intake), intake.boundary()), (0, 1));
        let written: Vec<i64> = intake.take_unwritten(10, u64::MAX, true, now).into_iter().map(|(id, _)| id).collect();
        assert_eq!(written, [1, 3, 4]);
        assert_eq!(intake.finished(Some(2)), Stood::Underway);
        intake.push(5, message(), None, 10);
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
        let mut intake = filled(3);
        assert_eq!(intake.take_unwritten(2, u64::MAX, true, now).len(), 2);
        assert_eq!(intake.finished(Some(0)), Stood::Underway);
        assert_eq!(intake.not_written(), [1]);
        let again: Vec<i64> = intake.take_unwritten(10, u64::MAX, true, now).into_iter().map(|(id, _)| id).collect();
        assert_eq!((again, released(&mut intake)), (vec![2, 3], 10));
    }

    #[test]
    fn what_was_just_sent_is_spared_the_disk_for_a_moment() {
        let now = Instant::now();
        let mut intake = filled(2);
        intake.sent(0, now);
        assert_eq!(
            intake.take_unwritten(10, u64::MAX, true, now).into_iter().map(|(id, _)| id).collect::<Vec<_>>(),
            [2]
        );
        assert_eq!(intake.write_at(), Some(now + SPARED));
        assert_eq!(intake.take_unwritten(10, u64::MAX, true, now + SPARED).len(), 1);
        let mut intake = filled(1);
        intake.sent(0, now);
        assert_eq!(intake.take_unwritten(10, u64::MAX, false, now).len(), 1, "nothing is spared when it matters");
        let mut intake = filled(1);
        intake.sent(0, now);
        intake.failed(0);
        assert_eq!(intake.take_unwritten(10, u64::MAX, true, now).len(), 1, "a failed one has to be written");
    }
}
