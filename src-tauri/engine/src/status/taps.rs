//! How each tap does.

use super::words;
use crate::api::wire::{StateWords, TapStatus, Tone};
use crate::feed::unix_millis;
use crate::front::Attempt;
use crate::runtime::{Runtime, UnitKey};
use crate::store::{Store, StoreError};
use relayscope_domain::broker::Broker;
use relayscope_domain::filter::SourceKind;
use relayscope_domain::id::TapId;
use std::collections::HashMap;
use std::time::Instant;

/// Messages per second of each tap, from one snapshot to the next.
pub(super) type TapRates = HashMap<TapId, Rate>;

/// Messages from and to clients at a moment, and how many a second that made.
pub(super) struct Rate {
    at: Instant,
    messages: [u64; 2],
    rates: [f64; 2],
}

impl Rate {
    fn update(&mut self, messages: [u64; 2]) {
        let now = Instant::now();
        let seconds = now.duration_since(self.at).as_secs_f64();
        if seconds >= 0.95 {
            self.rates = [0, 1].map(|way| messages[way].saturating_sub(self.messages[way]) as f64 / seconds);
            (self.at, self.messages) = (now, messages);
        }
    }
}

pub(super) async fn status(
    store: &Store,
    brokers: &[Broker],
    runtime: &Runtime,
    rates: &mut TapRates,
) -> Result<Vec<TapStatus>, StoreError> {
    let taps = store.taps().await?;
    rates.retain(|id, _| taps.iter().any(|tap| tap.id == *id));
    let one = |tap: relayscope_domain::tap::Tap| {
        let at = runtime.tap(tap.id);
        let traffic = at.as_ref().map(|at| at.connections.traffic()).unwrap_or_default();
        let messages = [traffic[0], traffic[2]];
        let rate = rates.entry(tap.id).or_insert_with(|| Rate { at: Instant::now(), messages, rates: [0.0; 2] });
        rate.update(messages);
        let configured = std::net::SocketAddr::new(tap.listener.address, tap.listener.port);
        TapStatus {
            id: tap.id,
            enabled: tap.enabled,
            state: words::unit(&runtime.status(UnitKey::Tap(tap.id)), "stopped"),
            address: at.as_ref().map_or(configured, |at| at.address).to_string(),
            target_name: brokers
                .iter()
                .find(|broker| broker.id == tap.broker_id)
                .map(|broker| broker.name.clone())
                .unwrap_or_default(),
            target: target(at.as_ref().and_then(|at| at.target.last())),
            clients: at.as_ref().map_or(0, |at| at.connections.count() as u32),
            messages_in: messages[0],
            messages_out: messages[1],
            rate_in: rate.rates[0],
            rate_out: rate.rates[1],
            faults: at.map_or(0, |at| at.faults().len() as u32),
            findings: runtime.findings.count(SourceKind::Tap, &tap.name) as u32,
            name: tap.name,
        }
    };
    Ok(taps.into_iter().map(one).collect())
}

/// The broker behind a tap, as the last client that came found it.
fn target(last: Option<Attempt>) -> StateWords {
    match last {
        None => StateWords { words: "no client came yet".into(), tone: Tone::Idle, since: None },
        Some(Attempt { at, result: Ok(()) }) => {
            StateWords { words: "reached".into(), tone: Tone::Ok, since: Some(unix_millis(at)) }
        }
        Some(Attempt { at, result: Err(why) }) => {
            StateWords { words: format!("can't be reached: {why}"), tone: Tone::Bad, since: Some(unix_millis(at)) }
        }
    }
}
