//! What is seen of a connection while its bytes pass: counts, limits, the faults that are pressed for it, and how it ended.

use super::Way;
use super::faults::{Effect, Eye};
use super::framing::Header;
use super::gate::Fault;
use super::goodbye::Goodbye;
use super::limits::{Excess, Meter};
use super::mirror::Mirror;
use super::table::Live;
use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// How forwarding ended.
#[derive(Debug)]
pub(super) enum End {
    /// The client closed its socket, or it broke.
    Client(Option<ErrorKind>),
    /// The broker closed its socket, or it broke.
    Broker(Option<ErrorKind>),
    /// A limit was passed.
    Over(Excess),
    /// Somebody wanted it.
    Cut(Goodbye),
}

impl End {
    /// Whether a limit was passed, also one that the reader of the packets found.
    pub(super) fn is_over_limit(&self) -> bool {
        match self {
            Self::Over(_) => true,
            Self::Cut(goodbye) => goodbye.limited,
            Self::Client(_) | Self::Broker(_) => false,
        }
    }
}

/// Why nothing more of a direction is forwarded.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stop {
    Over(Excess),
    Faulty(Fault),
}

impl From<Excess> for Stop {
    fn from(excess: Excess) -> Self {
        Self::Over(excess)
    }
}

impl From<Stop> for End {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Over(excess) => Self::Over(excess),
            Stop::Faulty(fault) => Self::Cut(fault.into()),
        }
    }
}

/// What is seen of the bytes that pass.
pub(super) struct Sight {
    pub(super) live: Arc<Live>,
    pub(super) meter: Arc<Meter>,
    pub(super) mirror: Option<Mirror>,
    /// When the client last sent something.
    pub(super) heard: Instant,
    /// Whether the broker answered the CONNECT.
    pub(super) answered: bool,
    /// Whether either side sent DISCONNECT.
    pub(super) disconnected: bool,
    /// Whether nothing follows a DISCONNECT, and a client that sent one has ended, though its socket is open (MQTT 5.0
    /// section 3.14.4).
    pub(super) completes: bool,
    /// Faults that are pressed for it.
    pub(super) eye: Option<Box<Eye>>,
}

impl Sight {
    /// What counts against the client's limits, when it has any.
    pub(super) fn limited(&self) -> Option<&Meter> {
        (!self.live.is_exempt()).then_some(&*self.meter)
    }

    /// What faults do to its bytes now.
    pub(super) fn effect(&mut self) -> Effect {
        self.eye.as_mut().map_or_else(Effect::default, |eye| eye.look(&self.live))
    }

    /// Counts bytes that were read at `at`.
    pub(super) fn count(&mut self, way: Way, bytes: u64, at: Instant) {
        let counts = match way {
            Way::FromClient => {
                self.heard = at;
                &self.live.received
            }
            Way::ToClient => &self.live.sent,
        };
        counts.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts a packet; fails when it is over a limit.
    pub(super) fn passes(&self, way: Way, header: Header) -> Result<(), Excess> {
        let meter = self.limited();
        if way == Way::FromClient {
            meter.map_or(Ok(()), |meter| meter.packet(header.packet()))?;
        }
        match (way, header.kind()) {
            (Way::FromClient, 3) => {
                meter.map_or(Ok(()), Meter::publish)?;
                self.live.received.messages.fetch_add(1, Ordering::Relaxed);
            }
            (Way::FromClient, 12) => {
                self.live.pings.fetch_add(1, Ordering::Relaxed);
            }
            (Way::ToClient, 3) => {
                meter.map_or(Ok(()), Meter::receive)?;
                self.live.sent.messages.fetch_add(1, Ordering::Relaxed);
            }
            _ => {}
        }
        Ok(())
    }
}
