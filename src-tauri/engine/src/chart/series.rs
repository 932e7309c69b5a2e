//! One number that is charted: which messages have it, and a line for each of their topics.

use super::reader::{Message, Read, Reader};
use crate::feed::event::{Direction, Event, Kind};
use relayscope_domain::chart::{Point, Track};
use relayscope_domain::decode::Decoder;
use relayscope_domain::decode::sparkplug::Aliases;
use relayscope_domain::filter::SourceKind;
use relayscope_domain::topic;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Topics that are left out of a series at most.
const LEFT_OUT: usize = 1_000;

/// Where a message is seen. One message is seen by a broker, on its way to each client, and by relays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) origin: SourceKind,
    pub(super) source: Arc<str>,
    pub(super) direction: Direction,
}

/// What is charted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Wanted {
    /// Topic or topic filter.
    pub(super) topic: String,
    pub(super) path: String,
    /// `None`: wherever a topic is seen first.
    pub(super) place: Option<Place>,
    /// `None`: what is bound or certain.
    pub(super) decoder: Option<Decoder>,
}

/// What is kept of a series over a restart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Charted {
    #[serde(flatten)]
    pub(super) wanted: Wanted,
    /// Topics that a person took out.
    pub(super) left_out: BTreeSet<Arc<str>>,
}

/// The values of one topic.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) number: u32,
    pub(super) topic: Arc<str>,
    pub(super) place: Place,
    pub(super) track: Track,
}

#[derive(Debug)]
pub(super) struct Series {
    pub(super) number: u32,
    pub(super) wanted: Wanted,
    pub(super) lines: Vec<Line>,
    /// The next event to look at.
    pub(super) next: u64,
    /// Messages without the number, and why the last had none.
    pub(super) without: u64,
    pub(super) why: Option<String>,
    /// Whether a topic had no line because there was no room.
    pub(super) more: bool,
    left_out: BTreeSet<Arc<str>>,
    aliases: Aliases,
}

impl Series {
    /// A series that begins at the oldest event kept.
    pub(super) fn new(number: u32, charted: Charted) -> Self {
        Self {
            number,
            wanted: charted.wanted,
            lines: vec![],
            next: 1,
            without: 0,
            why: None,
            more: false,
            left_out: charted.left_out,
            aliases: Aliases::default(),
        }
    }

    /// What is kept of it.
    pub(super) fn charted(&self) -> Charted {
        Charted { wanted: self.wanted.clone(), left_out: self.left_out.clone() }
    }

    /// Gives up a line, for good.
    pub(super) fn leave_out(&mut self, line: u32) {
        if let Some(at) = self.lines.iter().position(|other| other.number == line) {
            let line = self.lines.remove(at);
            if self.left_out.len() < LEFT_OUT {
                self.left_out.insert(line.topic);
            }
        }
    }

    /// Takes the number of an event, if it has one; gives back its time. `room` gives a line its number while there is
    /// room for one.
    pub(super) fn take(
        &mut self,
        event: &Event,
        reader: &Reader,
        read: &mut Read,
        room: &mut dyn FnMut() -> Option<u32>,
    ) -> Option<i64> {
        let Kind::Publish { topic, payload, direction, .. } = &event.kind else { return None };
        if topic.starts_with("spBv1.0/") && self.wanted.topic.starts_with("spBv1.0/") {
            self.aliases.learn(topic, payload);
        }
        if !self.wants(topic) {
            return None;
        }
        let seen = |place: &Place| {
            place.direction == *direction && place.origin == event.origin && place.source == event.source
        };
        let line = self.lines.iter().position(|line| line.topic == *topic);
        let elsewhere = match (&self.wanted.place, line.and_then(|at| self.lines.get(at))) {
            (Some(place), _) => !seen(place),
            (None, Some(line)) => !seen(&line.place),
            (None, None) => false,
        };
        if elsewhere {
            return None;
        }
        let message = Message { event, topic, payload };
        let number = reader.number(&message, &self.wanted.path, self.wanted.decoder.as_ref(), &self.aliases, read);
        let value = match number {
            Ok(value) => value,
            Err(why) => {
                self.without += 1;
                self.why = Some(why);
                return None;
            }
        };
        let at = micros(message.event.at);
        match line.and_then(|at| self.lines.get_mut(at)) {
            Some(line) => drop(line.track.add(Point { at, value })),
            None => {
                let Some(number) = room() else {
                    self.more = true;
                    return None;
                };
                let place = Place { origin: event.origin, source: event.source.clone(), direction: *direction };
                let mut line = Line { number, topic: topic.clone(), place, track: Track::default() };
                line.track.add(Point { at, value });
                self.lines.push(line);
            }
        }
        Some(at)
    }

    fn wants(&self, topic: &Arc<str>) -> bool {
        let matches = *self.wanted.topic == **topic || topic::matches(&self.wanted.topic, topic);
        matches && !self.left_out.contains(topic)
    }
}

/// Unix microseconds.
pub(super) fn micros(at: SystemTime) -> i64 {
    at.duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
