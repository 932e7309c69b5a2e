//! What arrived and is not acknowledged yet, in the order of arrival. A place is settled when its message is on disk, or
//! was delivered before it had to be, or is not wanted; acknowledgements leave from the front only (MQTT-4.6.0-2). Pure.

use crate::mqtt::session::AckToken;
use crate::queue::Incoming;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Messages that may be here; well below what an MQTT 5 broker may have on its way.
pub(super) const PLACES: usize = 24_576;

/// How long what arrived may wait to be delivered before it is written. The broker keeps it meanwhile.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Since a message came.
    age: Duration,
    /// Messages that are neither stored nor delivered: with so many, they are written at any time.
    many: usize,
    /// What these may cost, bytes.
    bytes: u64,
}

impl Patience {
    /// The destination takes what it is sent: nearly all of a burst is delivered before it has to be written.
    pub(super) const LONG: Self = Self { age: Duration::from_millis(500), many: 20_480, bytes: 12 * 1024 * 1024 };
    /// It does not, or it is not known.
    pub(super) const SHORT: Self = Self { age: Duration::from_millis(25), many: 2_048, bytes: 4 * 1024 * 1024 };
}

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
    // No place before this number is fresh.
    fresh_from: u64,
    // When the last message came.
    came: Option<Instant>,
    // Whether a request with a message that is not written has failed since the last group.
    failed: bool,
}

struct Place {
    id: i64,
    ack: Option<AckToken>,
    // Bytes that the session counts until it is released.
    bytes: usize,
    state: State,
    message: Option<Incoming>,
    came: Instant,
    // Whether a request with it is under way or went well.
    sent: bool,
    // Whether a request with it failed.
    failed: bool,
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

    /// Messages that are not acknowledged.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether everything was acknowledged.
    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Takes a message; returns the number of its place.
    pub(super) fn push(
        &mut self,
        id: i64,
        message: Incoming,
        ack: Option<AckToken>,
        bytes: usize,
        now: Instant,
    ) -> u64 {
        self.fresh += 1;
        self.pending += message.cost();
        self.last = id;
        self.came = Some(now);
        self.place(Place {
            id,
            ack,
            bytes,
            state: State::Fresh,
            message: Some(message),
            came: now,
            sent: false,
            failed: false,
        })
    }

    /// Takes what is only to be acknowledged.
    pub(super) fn push_settled(&mut self, ack: Option<AckToken>, bytes: usize, now: Instant) {
        let id = self.last;
        self.place(Place { id, ack, bytes, state: State::Done, message: None, came: now, sent: false, failed: false });
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
    pub(super) fn sent(&mut self, number: u64) {
        if let Some(place) = self.get(number) {
            place.sent = true;
        }
    }

    /// A request with the message failed: it has to be written.
    pub(super) fn failed(&mut self, number: u64) {
        let Some(place) = self.get(number) else { return };
        place.sent = false;
        place.failed = true;
        self.failed |= place.state == State::Fresh;
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

    /// When messages have to be written, if there are any: when they are many, when the oldest has waited long enough to
    /// be delivered, when a request with one of them failed, or when nothing came for as long as `quiet`: a broker with a
    /// small window then waits for us.
    pub(super) fn due(&mut self, patience: Patience, quiet: Duration, now: Instant) -> Option<Instant> {
        if self.fresh == 0 {
            return None;
        }
        if self.is_much(patience) {
            return Some(now);
        }
        self.fresh_from = self.fresh_from.max(self.base);
        while self.get(self.fresh_from).is_some_and(|place| place.state != State::Fresh) {
            self.fresh_from += 1;
        }
        let age = if self.failed { patience.age.min(Patience::SHORT.age) } else { patience.age };
        let oldest = self.get(self.fresh_from)?.came + age;
        Some(self.came.map_or(oldest, |came| oldest.min(came + quiet)))
    }

    fn is_much(&self, patience: Patience) -> bool {
        self.fresh >= patience.many || self.pending >= patience.bytes
    }

    /// Whether nothing came for as long as `quiet`.
    pub(super) fn is_quiet(&self, quiet: Duration, now: Instant) -> bool {
        self.came.is_none_or(|came| now >= came + quiet)
    }

    /// Messages to be written now, oldest first, about as many as there is `room` for (bytes). With `spare`, those that
    /// came just now are left out while they are on their way, and all of them while there are few; never those whose
    /// request failed.
    pub(super) fn take_unwritten(
        &mut self,
        most: usize,
        room: u64,
        spare: Option<Patience>,
        now: Instant,
    ) -> Vec<(i64, Incoming)> {
        let mut group = vec![];
        if self.fresh == 0 {
            return group;
        }
        self.failed = false;
        // Half the time, so that the next group is not due at once.
        let spare = spare.map(|patience| (patience.age / 2, self.is_much(patience)));
        let mut bytes = 0;
        for place in &mut self.places {
            let spared = |(age, much): (Duration, bool)| {
                !place.failed && (place.sent || !much) && now.duration_since(place.came) < age
            };
            if place.state != State::Fresh || spare.is_some_and(spared) {
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
                    self.fresh_from = self.base;
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
            .filter(|(_, place)| !place.sent)
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

#[cfg(test)]
mod tests;
