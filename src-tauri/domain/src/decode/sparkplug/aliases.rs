//! What births have told: of every edge node the names and types behind aliases, and the types behind names.
//! A value that is handed from message to message; whoever holds it decides which messages it has seen.

use super::topic::{self, Place, Role};
use crate::decode::wire::{self, Raw};
use std::collections::{BTreeMap, VecDeque};

/// Metrics that are kept, over all edge nodes; past it the edge node whose birth is oldest is forgotten.
const MAX_METRICS: usize = 200_000;

/// Bytes of names that are kept, over all edge nodes.
const MAX_NAME_BYTES: usize = 32 << 20;

/// A metric as its birth told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Born {
    pub(crate) name: String,
    pub(crate) datatype: Option<u32>,
    alias: Option<u64>,
}

#[derive(Clone, Debug, Default)]
struct EdgeNode {
    /// By device; the node's own under "", which no device is called.
    metrics: BTreeMap<String, Vec<Born>>,
    /// Alias to device and place among its metrics: an alias is unique over a whole edge node
    /// (specification 3.0, tck-id-payloads-alias-uniqueness).
    aliases: BTreeMap<u64, (String, usize)>,
    /// Name to place, by device.
    names: BTreeMap<(String, String), usize>,
    bytes: usize,
    count: usize,
}

/// What births have told so far.
#[derive(Clone, Debug, Default)]
pub struct Aliases {
    nodes: BTreeMap<(String, String), EdgeNode>,
    /// Edge nodes, that of the oldest birth first.
    order: VecDeque<(String, String)>,
}

impl Aliases {
    /// Takes note of a message; only births and deaths say something. A birth that cannot be read says nothing.
    pub fn learn(&mut self, topic: &str, payload: &[u8]) {
        let Some(place) = topic::parse(topic) else { return };
        match place.role {
            // The birth of an edge node ends its session: its devices are born anew after it.
            Role::NodeBirth => {
                let Some(metrics) = births(payload) else { return };
                self.forget(place);
                self.keep(place, "", metrics);
            }
            Role::DeviceBirth => {
                let Some(metrics) = births(payload) else { return };
                self.keep(place, place.device.unwrap_or_default(), metrics);
            }
            // After a death come births before data, so what was told may stay, to read older messages with.
            Role::NodeDeath | Role::DeviceDeath => {}
            Role::NodeData | Role::DeviceData | Role::NodeCommand | Role::DeviceCommand | Role::State => {}
        }
    }

    /// The metric behind an alias of an edge node.
    pub(crate) fn by_alias(&self, place: &Place<'_>, alias: u64) -> Option<&Born> {
        let node = self.nodes.get(&key(place))?;
        let (device, at) = node.aliases.get(&alias)?;
        node.metrics.get(device)?.get(*at)
    }

    /// The metric of a name, of the edge node or of the device that the message is of.
    pub(crate) fn by_name(&self, place: &Place<'_>, name: &str) -> Option<&Born> {
        let node = self.nodes.get(&key(place))?;
        let device = place.device.unwrap_or_default();
        let at = node.names.get(&(device.to_owned(), name.to_owned()))?;
        node.metrics.get(device)?.get(*at)
    }

    /// Edge nodes that were born.
    pub fn edge_nodes(&self) -> usize {
        self.nodes.len()
    }

    fn forget(&mut self, place: Place<'_>) {
        let key = key(&place);
        self.nodes.remove(&key);
        self.order.retain(|other| *other != key);
    }

    fn keep(&mut self, place: Place<'_>, device: &str, metrics: Vec<Born>) {
        let key = key(&place);
        if !self.nodes.contains_key(&key) {
            self.order.push_back(key.clone());
        }
        let node = self.nodes.entry(key).or_default();
        node.replace(device, metrics);
        while self.nodes.values().map(|node| node.count).sum::<usize>() > MAX_METRICS
            || self.nodes.values().map(|node| node.bytes).sum::<usize>() > MAX_NAME_BYTES
        {
            let Some(oldest) = self.order.pop_front() else { return };
            self.nodes.remove(&oldest);
        }
    }
}

impl EdgeNode {
    fn replace(&mut self, device: &str, metrics: Vec<Born>) {
        self.aliases.retain(|_, (owner, _)| owner != device);
        self.names.retain(|(owner, _), _| owner != device);
        for (at, metric) in metrics.iter().enumerate() {
            if let Some(alias) = metric.alias {
                self.aliases.insert(alias, (device.to_owned(), at));
            }
            self.names.insert((device.to_owned(), metric.name.clone()), at);
        }
        self.metrics.insert(device.to_owned(), metrics);
        let all =
            || self.metrics.iter().flat_map(|(device, metrics)| metrics.iter().map(move |metric| (device, metric)));
        self.count = all().count();
        self.bytes = all().map(|(device, metric)| 2 * (metric.name.len() + device.len())).sum();
    }
}

fn key(place: &Place<'_>) -> (String, String) {
    (place.group.to_owned(), place.node.to_owned())
}

/// Name, alias and type of every metric of a birth.
fn births(payload: &[u8]) -> Option<Vec<Born>> {
    let (mut metrics, mut at) = (vec![], 0);
    while at < payload.len() {
        let field = wire::field(payload, at).ok()?;
        at = field.end;
        let (2, Raw::Bytes(metric)) = (field.number, field.raw) else { continue };
        let (mut name, mut alias, mut datatype, mut inside) = (None, None, None, 0);
        while inside < metric.len() {
            let field = wire::field(metric, inside).ok()?;
            inside = field.end;
            match (field.number, field.raw) {
                (1, Raw::Bytes(text)) => name = String::from_utf8(text.to_vec()).ok(),
                (2, Raw::Varint(number)) => alias = Some(number),
                (4, Raw::Varint(number)) => datatype = u32::try_from(number).ok(),
                _ => {}
            }
        }
        if let Some(name) = name.filter(|_| metrics.len() < MAX_METRICS) {
            metrics.push(Born { name, datatype, alias });
        }
    }
    Some(metrics)
}
