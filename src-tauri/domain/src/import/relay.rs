//! The tables `[relay]`: tokens, address of the API, downlink, filters and names.

use super::read::{Report, Section};
use super::tree::{Node, Table, Value};
use super::{DEFAULT_DOWNLINK_PORT, DEFAULT_QOS, ImportProblem, ImportedRelay, broker};
use crate::message::Qos;
use crate::relay::Mapping;
use crate::secret::Secret;
use crate::token::{self, Region, TokenKind};
use crate::topic;
use std::collections::BTreeMap;

type Files<'a> = &'a dyn Fn(&str) -> Result<String, String>;

/// Reads every relay of the file. The result counts only when no problem was noted.
pub(super) fn relays(root: &Table, files: Files<'_>, report: &mut Report) -> Vec<ImportedRelay> {
    let mut relays = vec![];
    let missing = |report: &mut Report| {
        let message = "The table [relay] is missing; the file begins with it.".to_owned();
        report.problems.push(ImportProblem {
            file: report.file.clone(),
            key: Some("relay".into()),
            line: None,
            message,
        });
    };
    for key in root.keys().filter(|key| *key != "relay") {
        report.note(key, "Relayscope does not know this table and leaves it out.");
    }
    match root.get("relay") {
        None => missing(report),
        Some(Node { value: Value::Table(table), line, .. }) => {
            relays.extend(relay(Section::new("relay".into(), table, *line), 0, true, files, report));
        }
        Some(Node { value: Value::List(items), .. }) if !items.is_empty() => {
            for (at, item) in items.iter().enumerate() {
                let path = if items.len() == 1 { "relay".to_owned() } else { format!("relay.{}", at + 1) };
                match &item.value {
                    Value::Table(table) => {
                        relays.extend(relay(Section::new(path, table, item.line), at, items.len() == 1, files, report));
                    }
                    other => report.problem(path, item, format!("A table is wanted here, not {}.", other.words())),
                }
            }
        }
        Some(Node { value: Value::List(_), .. }) => missing(report),
        Some(node) => report.problem(
            "relay".into(),
            node,
            format!("A table is wanted here ([relay]), not {}.", node.value.words()),
        ),
    }
    settle(&mut relays, report);
    relays.into_iter().map(|(relay, _)| relay).collect()
}

fn relay(
    section: Section<'_>,
    at: usize,
    sole: bool,
    files: Files<'_>,
    report: &mut Report,
) -> Option<(ImportedRelay, String)> {
    let network = token(&section, "network_token", TokenKind::Network, report);
    let authorization = token(&section, "authorization_token", TokenKind::Authorization, report);
    let own = section.section("relayscope", report);
    let name = name(&own, at, report);
    let region = region(&section, &own, report);
    let downlink_port = downlink(&section, &own, sole, report);
    let enabled = own.flag("enabled", report).unwrap_or(true);
    let mqtt = section.section("mqtt", report);
    if mqtt.is_missing() && section.node("mqtt").is_none() {
        section.missing("mqtt", "The table [relay.mqtt] with the broker's address is missing.", report);
    }
    let (connection, mappings) = if mqtt.is_missing() {
        (None, vec![])
    } else {
        (broker::broker(&mqtt, &own, files, report), mappings(&mqtt, &own, report))
    };
    let path = section.path.clone();
    for part in [&mqtt, &own, &section] {
        part.finish(report);
    }
    let (connection, secrets) = connection?;
    let relay = ImportedRelay {
        name,
        broker_name: connection.host.clone(),
        connection,
        secrets,
        mappings,
        region: region?,
        network_token: network?,
        authorization: authorization?,
        downlink_port,
        enabled,
    };
    Some((relay, path))
}

fn token(section: &Section<'_>, key: &'static str, kind: TokenKind, report: &mut Report) -> Option<Secret> {
    let Some(node) = section.node(key) else {
        let message = match kind {
            TokenKind::Network => {
                "The network token is missing; TagoIO shows it under Integrations, your network, Tokens."
            }
            TokenKind::Authorization | TokenKind::Device => {
                "The authorization is missing; TagoIO shows it under Devices, Authorization."
            }
        };
        section.missing(key, message, report);
        return None;
    };
    let (value, _) = section.text(key, report)?;
    let value = value.trim();
    if value.is_empty() {
        report.problem(
            section.key(key),
            node,
            format!("The {} is empty; paste it between the quotation marks.", kind.words()),
        );
        return None;
    }
    if let Err(message) = token::check_value(kind, value) {
        report.problem(section.key(key), node, message);
        return None;
    }
    if value.to_ascii_lowercase().starts_with("your-") {
        report.note(
            &section.key(key),
            format!(
                "This is still the sample's placeholder; TagoIO will refuse it until the real {} stands there.",
                kind.words()
            ),
        );
    }
    Some(Secret::new(value))
}

fn name(own: &Section<'_>, at: usize, report: &mut Report) -> String {
    if let Some((name, node)) = own.filled("name", report) {
        if name.chars().count() > 80 {
            report.problem(own.key("name"), node, "A name has at most 80 characters.");
        }
        return name;
    }
    if at == 0 { "TagoIO relay".to_owned() } else { format!("TagoIO relay {}", at + 1) }
}

fn region(section: &Section<'_>, own: &Section<'_>, report: &mut Report) -> Option<Region> {
    let local = own.filled("region", report);
    let url = section.filled("tagoio_url", report);
    if let Some((text, node)) = local {
        if text == "local" {
            return Some(Region::Local);
        }
        report.problem(
            own.key("region"),
            node,
            format!("“{text}” is no region; write \"local\" for the local stand-in, or set tagoio_url."),
        );
        return None;
    }
    let Some((url, node)) = url else {
        report.note(&section.key("tagoio_url"), "Not given; https://api.tago.io is used, as the official relay does.");
        return Some(Region::Classic);
    };
    let region = Region::from_url(&url);
    if let Err(message) = token::check_region(&region) {
        report.problem(section.key("tagoio_url"), node, format!("“{}”: {message}", redact(&url)));
        return None;
    }
    if url.starts_with("http://") {
        report.note(&section.key("tagoio_url"), "This address has no TLS: tokens and data travel readable.");
    }
    Some(region)
}

/// An address as it may be repeated: without what stands before an @.
fn redact(url: &str) -> String {
    let shown = url.rsplit_once('@').map_or_else(|| url.to_owned(), |(_, host)| format!("…@{host}"));
    shown.chars().take(100).collect()
}

fn downlink(section: &Section<'_>, own: &Section<'_>, sole: bool, report: &mut Report) -> Option<u16> {
    let key = section.key("downlink_port");
    let port = section.number::<u16>("downlink_port", "downlink port", 1, 65_535, report);
    if own.flag("downlink", report) == Some(false) {
        return None;
    }
    let blank = match section.node("downlink_port").map(|node| &node.value) {
        None => false,
        Some(Value::Text(text)) => text.trim().is_empty(),
        Some(_) => false,
    };
    if blank {
        report.note(&key, "Empty, so nothing listens for downlinks; the official relay always listens.");
        return None;
    }
    if section.node("downlink_port").is_none() {
        if !sole {
            report.note(
                &key,
                "Not given, so this relay listens for no downlinks; each relay of a file needs a port of its own.",
            );
            return None;
        }
        report.note(&key, format!("Not given; {DEFAULT_DOWNLINK_PORT} is used, as the official relay does."));
    }
    let port = if section.node("downlink_port").is_none() { Some(DEFAULT_DOWNLINK_PORT) } else { port };
    if let Some(port) = port {
        report.note(
            &key,
            format!("Downlinks are taken at http://127.0.0.1:{port}/publish, without the client certificate that is built into the official relay; a tunnel or proxy of yours brings TagoIO there."),
        );
    }
    port
}

fn mappings(mqtt: &Section<'_>, own: &Section<'_>, report: &mut Report) -> Vec<Mapping> {
    let wanted = qos(own, report);
    let mut mappings: Vec<Mapping> = vec![];
    let lists = [("subscribe", mqtt, true), ("disabled", own, false)];
    for (key, section, enabled) in lists {
        for (filter, node) in section.texts(key, report).into_iter().flatten() {
            if let Err(message) = topic::check_filter(&filter) {
                let message = if message.starts_with('“') { message } else { format!("“{filter}”: {message}") };
                report.problem(section.key(key), &node, message);
            } else if mappings.iter().any(|earlier| earlier.filter == filter) {
                report.note(&section.key(key), format!("The filter “{filter}” stands there twice; it is taken once."));
            } else {
                let qos = wanted.get(&filter).copied().unwrap_or(DEFAULT_QOS);
                mappings.push(Mapping { filter, qos, enabled });
            }
        }
    }
    for filter in wanted.keys().filter(|filter| mappings.iter().all(|mapping| mapping.filter != **filter)) {
        report.note(&own.key("qos"), format!("The filter “{filter}” is not subscribed to; its QoS has no effect."));
    }
    let key = mqtt.key("subscribe");
    match mqtt.node("subscribe") {
        None if mappings.is_empty() => {
            mqtt.missing("subscribe", "The list of topic filters is missing; write for example subscribe = [\"/tago/#\"].", report);
        }
        Some(node) if mappings.is_empty() => {
            if matches!(&node.value, Value::List(items) if items.is_empty()) {
                report.problem(key, node, "The list is empty; name at least one topic filter.");
            }
        }
        _ if mappings.iter().any(|mapping| !wanted.contains_key(&mapping.filter)) => report.note(
            &key,
            "The filters are asked for at QoS 1. The official relay asks for QoS 0 and loses what is published while it is away.",
        ),
        _ => {}
    }
    mappings
}

fn qos(own: &Section<'_>, report: &mut Report) -> BTreeMap<String, Qos> {
    let mut wanted = BTreeMap::new();
    let Some(node) = own.node("qos") else { return wanted };
    let Value::Table(table) = &node.value else {
        report.problem(own.key("qos"), node, "A table of filters is wanted here, as in qos = { \"plant/#\" = 2 }.");
        return wanted;
    };
    for (filter, node) in table {
        let number = match &node.value {
            Value::Number(text) | Value::Text(text) => {
                text.trim().parse::<u8>().ok().and_then(|number| Qos::try_from(number).ok())
            }
            Value::Flag(_) | Value::List(_) | Value::Table(_) | Value::Date => None,
        };
        match number {
            Some(qos) => drop(wanted.insert(filter.clone(), qos)),
            None => report.problem(own.key("qos"), node, format!("The QoS of “{filter}” is 0, 1 or 2.")),
        }
    }
    wanted
}

/// What can be said only when all relays are known: unique names and ports, shared brokers, equal client identifiers.
fn settle(relays: &mut [(ImportedRelay, String)], report: &mut Report) {
    for at in 0..relays.len() {
        let (earlier, rest) = relays.split_at_mut(at);
        let Some((relay, path)) = rest.first_mut() else { continue };
        let clash = |text: &str| earlier.iter().find(|(other, _)| other.name == text);
        if let Some((_, other)) = clash(&relay.name) {
            let key = format!("{path}.relayscope.name");
            let message = format!("“{}” is the name of {other} already; names are unique.", relay.name);
            report.problems.push(ImportProblem { file: report.file.clone(), key: Some(key), line: None, message });
        }
        if let Some(port) = relay.downlink_port
            && let Some((_, other)) = earlier.iter().find(|(other, _)| other.downlink_port == Some(port))
        {
            let message = format!("Port {port} is taken by {other} already; each relay needs a port of its own.");
            report.problems.push(ImportProblem {
                file: report.file.clone(),
                key: Some(format!("{path}.downlink_port")),
                line: None,
                message,
            });
        }
        let connection = &relay.connection;
        let twin = earlier.iter().find(|(other, _)| {
            (&other.connection.host, other.connection.port, &other.connection.client_id)
                == (&connection.host, connection.port, &connection.client_id)
        });
        if let Some((_, other)) = twin {
            report.note(
                &format!("{path}.mqtt.client_id"),
                format!(
                    "{other} uses “{}” at the same broker; two clients with one id push each other out.",
                    connection.client_id
                ),
            );
        }
        let same = earlier.iter().find(|(other, _)| other.connection == *connection && other.secrets == relay.secrets);
        relay.broker_name = match same {
            Some((other, _)) => other.broker_name.clone(),
            None => {
                let taken = |name: &str| earlier.iter().any(|(other, _)| other.broker_name == name);
                let numbered = (2..).map(|number| format!("{} {number}", connection.host));
                std::iter::once(connection.host.clone()).chain(numbered).find(|name| !taken(name)).unwrap_or_default()
            }
        };
    }
}
