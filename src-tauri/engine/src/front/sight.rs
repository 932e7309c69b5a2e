//! What is seen of the bytes of one connection while they pass: counts, limits, the faults that are pressed for it.

use super::Way;
use super::faults::{Effect, Eye};
use super::framing::Header;
use super::limits::{Excess, Meter};
use super::mirror::Mirror;
use super::table::Live;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

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
    /// Whether a client that sent DISCONNECT has ended, though its socket is open (MQTT 5.0 section 3.14.4).
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
