//! What the filter can ask of an event, and which instant a moment means here and now.

use super::event::{self, Event, Kind};
use super::row::{self, unix_millis};
use chrono::{Local, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use relayscope_domain::filter::{Compiled, Direction, Filter, KindName, KindSet, Moment, Outcome, SourceKind, Subject};
use relayscope_domain::id::MessageId;
use relayscope_domain::message::Qos;
use std::borrow::Cow;
use std::time::SystemTime;

/// Makes a filter ready: times of day are today's, spans end now.
pub(super) fn compile(filter: &Filter) -> Compiled {
    filter.compile(instant)
}

/// The Unix milliseconds of a moment, as of now.
pub(super) fn instant(moment: Moment) -> i64 {
    match moment {
        Moment::Clock { millis } => local(Local::now().date_naive(), millis),
        Moment::Date { year, month, day, millis } => {
            NaiveDate::from_ymd_opt(year.into(), month.into(), day.into()).map_or(0, |date| local(date, millis))
        }
        Moment::Unix { millis } => millis,
        Moment::Ago { millis } => unix_millis(SystemTime::now()).saturating_sub_unsigned(millis),
    }
}

/// Unix milliseconds of a local date and time. Of one that comes twice, the first; of one that is left out, an hour later.
fn local(date: NaiveDate, millis: u32) -> i64 {
    let time = NaiveTime::from_num_seconds_from_midnight_opt(millis / 1_000, millis % 1_000 * 1_000_000);
    let at = NaiveDateTime::new(date, time.unwrap_or_default());
    let found = Local.from_local_datetime(&at).earliest();
    let found = found.or_else(|| Local.from_local_datetime(&(at + chrono::Duration::hours(1))).earliest());
    found.map_or(0, |at| at.timestamp_millis())
}

const SOCKET: KindSet = KindSet::of(&[KindName::Connect, KindName::Socket]);
const NOT_SECURED: KindSet = KindSet::of(&[KindName::Connect, KindName::Socket, KindName::Error]);
const CLOSED: KindSet = KindSet::of(&[KindName::Disconnect, KindName::Socket]);
const CONNECT: KindSet = KindSet::of(&[KindName::Connect]);
const PING: KindSet = KindSet::of(&[KindName::Connect, KindName::Ping]);
const CONNECTED: KindSet = KindSet::of(&[KindName::Connect, KindName::Connected]);
const REFUSED: KindSet = KindSet::of(&[KindName::Connect, KindName::Refused, KindName::Error]);
const DISCONNECT: KindSet = KindSet::of(&[KindName::Disconnect]);
const SUBSCRIBE: KindSet = KindSet::of(&[KindName::Subscribe]);
const NOT_SUBSCRIBED: KindSet = KindSet::of(&[KindName::Subscribe, KindName::Error]);
const UNSUBSCRIBE: KindSet = KindSet::of(&[KindName::Unsubscribe]);
const PUBLISH: KindSet = KindSet::of(&[KindName::Publish]);
const WILL: KindSet = KindSet::of(&[KindName::Publish, KindName::Will]);
const DOWNLINK: KindSet = KindSet::of(&[KindName::Publish, KindName::Downlink]);
const RECEIVE: KindSet = KindSet::of(&[KindName::Publish, KindName::Receive]);
const ACK: KindSet = KindSet::of(&[KindName::Publish, KindName::Ack]);
const FAILED_ACK: KindSet = KindSet::of(&[KindName::Publish, KindName::Ack, KindName::Error]);
const MALFORMED: KindSet = KindSet::of(&[KindName::Malformed, KindName::Error]);
const LIMIT: KindSet = KindSet::of(&[KindName::Limit, KindName::Error]);
const QUEUED: KindSet = KindSet::of(&[KindName::Delivery, KindName::Queued]);
const DELIVERED: KindSet = KindSet::of(&[KindName::Delivery, KindName::Delivered]);
const DRY_RUN: KindSet = KindSet::of(&[KindName::Delivery, KindName::DryRun]);
const RETRY: KindSet = KindSet::of(&[KindName::Delivery, KindName::Retry]);
const DEAD_LETTER: KindSet = KindSet::of(&[KindName::Delivery, KindName::DeadLetter, KindName::Error]);
const DROPPED: KindSet = KindSet::of(&[KindName::Dropped, KindName::Error]);
const FAILURE: KindSet = KindSet::of(&[KindName::Failure, KindName::Error]);
const NOTE: KindSet = KindSet::of(&[KindName::Note, KindName::Error]);

/// The payload of a message.
pub(super) fn payload_of(event: &Event) -> Option<&bytes::Bytes> {
    match &event.kind {
        Kind::Publish { payload, .. } => Some(payload),
        _ => None,
    }
}

impl Subject for Event {
    fn kinds(&self) -> KindSet {
        match &self.kind {
            Kind::Accepted { .. } | Kind::Secured { result: Ok(_) } => SOCKET,
            Kind::Secured { result: Err(_) } => NOT_SECURED,
            Kind::Closed { .. } => CLOSED,
            Kind::Connect { .. } => CONNECT,
            Kind::Ping { .. } => PING,
            Kind::Acknowledged { code: 0x80.., .. } => FAILED_ACK,
            Kind::Acknowledged { .. } => ACK,
            Kind::Malformed { .. } => MALFORMED,
            Kind::OverLimit { .. } => LIMIT,
            Kind::Connected { .. } => CONNECTED,
            Kind::Refused { .. } => REFUSED,
            Kind::Disconnected { .. } => DISCONNECT,
            Kind::Subscribed { granted: Ok(_), .. } => SUBSCRIBE,
            Kind::Subscribed { granted: Err(_), .. } => NOT_SUBSCRIBED,
            Kind::Unsubscribed { .. } => UNSUBSCRIBE,
            Kind::Publish { will: true, .. } => WILL,
            Kind::Publish { direction: event::Direction::In, .. } => PUBLISH,
            Kind::Publish { direction: event::Direction::Out, .. } => DOWNLINK,
            Kind::Publish { direction: event::Direction::ToClient, .. } => RECEIVE,
            Kind::Queued { .. } => QUEUED,
            Kind::Delivered { .. } => DELIVERED,
            Kind::DryRun { .. } => DRY_RUN,
            Kind::Retry { .. } => RETRY,
            Kind::DeadLetter { .. } => DEAD_LETTER,
            Kind::Dropped { .. } => DROPPED,
            Kind::Note { failure: true, .. } => FAILURE,
            Kind::Note { failure: false, .. } => NOTE,
        }
    }

    fn word(&self) -> &str {
        row::word(&self.kind)
    }

    fn source(&self) -> SourceKind {
        self.origin
    }

    fn name(&self) -> &str {
        &self.source
    }

    fn client(&self) -> &str {
        &self.client
    }

    fn topic(&self) -> &str {
        row::topic(&self.kind)
    }

    fn payload(&self) -> Option<&[u8]> {
        payload_of(self).map(|payload| &**payload)
    }

    fn content(&self) -> Cow<'_, str> {
        row::preview(&self.kind)
    }

    fn qos(&self) -> Option<Qos> {
        match &self.kind {
            Kind::Publish { qos, .. } => Some(*qos),
            Kind::Subscribed { requested, granted, .. } => Some(*granted.as_ref().unwrap_or(requested)),
            _ => None,
        }
    }

    fn retained(&self) -> Option<bool> {
        match &self.kind {
            Kind::Publish { retain, .. } => Some(*retain),
            _ => None,
        }
    }

    fn direction(&self) -> Option<Direction> {
        match &self.kind {
            Kind::Publish { direction, .. }
            | Kind::Acknowledged { direction, .. }
            | Kind::Malformed { direction, .. } => Some(match direction {
                event::Direction::In => Direction::In,
                event::Direction::Out | event::Direction::ToClient => Direction::Out,
            }),
            _ => None,
        }
    }

    fn outcome(&self) -> Option<Outcome> {
        match &self.kind {
            Kind::Connected { .. } | Kind::Subscribed { granted: Ok(_), .. } | Kind::Delivered { .. } => {
                Some(Outcome::Ok)
            }
            Kind::Retry { .. } => Some(Outcome::Retry),
            Kind::Refused { .. }
            | Kind::Secured { result: Err(_) }
            | Kind::Acknowledged { code: 0x80.., .. }
            | Kind::Malformed { .. }
            | Kind::OverLimit { .. }
            | Kind::Subscribed { granted: Err(_), .. }
            | Kind::DeadLetter { .. }
            | Kind::Note { failure: true, .. } => Some(Outcome::Failed),
            Kind::Dropped { .. } => Some(Outcome::Lost),
            Kind::Accepted { .. }
            | Kind::Secured { result: Ok(_) }
            | Kind::Connect { .. }
            | Kind::Acknowledged { .. }
            | Kind::Ping { .. }
            | Kind::Closed { .. }
            | Kind::Disconnected { .. }
            | Kind::Unsubscribed { .. }
            | Kind::Publish { .. }
            | Kind::Queued { .. }
            | Kind::DryRun { .. }
            | Kind::Note { failure: false, .. } => None,
        }
    }

    fn at(&self) -> i64 {
        unix_millis(self.at)
    }

    fn message(&self) -> Option<MessageId> {
        self.message_id
    }
}
