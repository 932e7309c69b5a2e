//! TagoTiP bodies: push, pull and ack of topics `$tip/serial/push`, as `tagotip-codec` reads them.

use super::tree::{Build, Key, Kind, Leaf};
use super::{Fault, Limits, Read, encode};
use tagotip_codec::{
    AckDetail, AckStatus, LocationSuffix, MetaPair, Operator, ParseError, PassthroughEncoding, PushBody,
    StructuredBody, Value, Variable, parse_ack_inner, parse_pull_body, parse_push_body,
};

/// Bytes of a body (TagoTiP, limits).
const MAX_BYTES: usize = 16_384;

/// Whether a topic is one of TagoTiP whose bodies are read here.
pub(super) fn is_topic(topic: &str) -> bool {
    let levels: Vec<&str> = topic.split('/').collect();
    matches!(levels.as_slice(), ["$tip", _, "push" | "pull" | "ack"])
}

/// Reads a body; what it is, the last level of the topic says. Without it, it is read as a push.
pub(super) fn read(bytes: &[u8], topic: &str, limits: &Limits) -> Result<Read, Fault> {
    if topic.starts_with("$tips/") {
        return Err(Fault::all("The body is encrypted (TagoTiP/S), and its key is not known here."));
    }
    if bytes.len() > MAX_BYTES {
        return Err(Fault::all("A TagoTiP body has at most 16,384 bytes; this one has more."));
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|error| Fault::at(error.valid_up_to(), "this is not UTF-8, and TagoTiP is"))?;
    let text = text.trim_end_matches(['\r', '\n']);
    let mut read = Reader { build: Build::new(limits), text };
    read.build.open(&Key::Root, Kind::Object, 0, None)?;
    let body = read.counter()?;
    let begins = text.len() - body.len();
    let failed = |error: ParseError| {
        let words = error.to_string();
        let words = words.split(" at byte ").next().unwrap_or_default();
        Fault::at((begins + error.position).min(text.len()), words)
    };
    match topic.rsplit('/').next() {
        Some("ack") => read.ack(body).map_err(failed)?,
        Some("pull") => {
            let pull = parse_pull_body(body).map_err(failed)?;
            for (at, name) in pull.variables.iter().enumerate() {
                read.leaf(&Key::Of("variables".to_owned(), at.to_string()), name, Leaf::new(Kind::Text, *name));
            }
        }
        _ => match parse_push_body(body).map_err(failed)? {
            PushBody::Passthrough(passed) => {
                let (form, words) = match passed.encoding {
                    PassthroughEncoding::Hex => (encode::Form::Hex, "hex"),
                    PassthroughEncoding::Base64 => (encode::Form::Base64, "Base64"),
                };
                let leaf = match encode::encode(form, passed.data) {
                    Ok(inside) => Leaf::bytes(&inside, read.build.room()),
                    Err(mistake) => Leaf::new(Kind::Text, passed.data).noted(Some(mistake.message)),
                };
                let note = Some(format!("passed on to the payload parser, written as {words}"));
                read.leaf(&Key::Field("passthrough".to_owned()), passed.data, leaf.noted(note));
            }
            PushBody::Structured(body) => read.push(&body)?,
        },
    }
    read.build.close(bytes.len());
    read.build.finish(None)
}

struct Reader<'a> {
    build: Build,
    text: &'a str,
}

impl<'a> Reader<'a> {
    /// Where a part of the text stands in it.
    fn place(&self, part: &str) -> (usize, usize) {
        let start = (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize).min(self.text.len());
        (start, (start + part.len()).min(self.text.len()))
    }

    fn leaf(&mut self, key: &Key, part: &str, leaf: Leaf) {
        let (start, end) = self.place(part);
        self.build.leaf(key, start, end, |_| leaf);
    }

    fn field(&mut self, name: &str, part: Option<&str>, leaf: fn(&str) -> Leaf) {
        if let Some(part) = part {
            self.leaf(&Key::Field(name.to_owned()), part, leaf(part));
        }
    }

    /// Reads `!N|` before a body, if it is there.
    fn counter(&mut self) -> Result<&'a str, Fault> {
        let Some(rest) = self.text.strip_prefix('!') else { return Ok(self.text) };
        let (number, body) = rest.split_once('|').ok_or_else(|| Fault::at(0, "after the counter !N stands |"))?;
        number.parse::<u32>().map_err(|_| Fault::at(1, "the counter is a number of at most 32 bits"))?;
        self.field("counter", Some(number), number_leaf);
        Ok(body)
    }

    fn ack(&mut self, body: &str) -> Result<(), ParseError> {
        let ack = parse_ack_inner(body)?;
        let status = match ack.status {
            AckStatus::Ok => "OK",
            AckStatus::Pong => "PONG",
            AckStatus::Cmd => "CMD",
            AckStatus::Err => "ERR",
        };
        self.leaf(&Key::Field("status".to_owned()), body.split('|').next().unwrap_or_default(), {
            Leaf::new(Kind::Text, status)
        });
        match ack.detail {
            Some(AckDetail::Count(count)) => {
                let part = body.split('|').nth(1).unwrap_or_default();
                let leaf = Leaf::number(count.to_string(), count.into());
                self.leaf(&Key::Field("count".to_owned()), part, leaf);
            }
            Some(AckDetail::Variables(text)) => self.field("variables", Some(text), text_leaf),
            Some(AckDetail::Command(text)) => self.field("command", Some(text), text_leaf),
            Some(AckDetail::Error { text, .. }) => self.field("error", Some(text), text_leaf),
            Some(AckDetail::Raw(text)) => self.field("detail", Some(text), text_leaf),
            None => {}
        }
        Ok(())
    }

    fn push(&mut self, body: &StructuredBody<'_>) -> Result<(), Fault> {
        self.location(body.location)?;
        self.field("time", body.timestamp, time_leaf);
        self.field("group", body.group, text_leaf);
        self.metadata(body.body_metadata())?;
        self.build.open(&Key::Field("variables".to_owned()), Kind::Object, 0, None)?;
        for variable in body.variables.iter() {
            self.variable(variable, body.variable_metadata(variable))?;
        }
        let end = self.text.len();
        self.build.close(end);
        Ok(())
    }

    fn variable(&mut self, variable: &Variable<'_>, metadata: &[MetaPair<'_>]) -> Result<(), Fault> {
        let (leaf, part) = match variable.value {
            Value::Number(written) => (number_leaf(written), written),
            Value::String(written) => (text_leaf(written), written),
            Value::Boolean(value) => (Leaf::new(Kind::Bool, value.to_string()), variable.name),
            Value::Location { lat, lng, alt } => {
                let alt = alt.map(|alt| format!(", {alt} m")).unwrap_or_default();
                (Leaf::new(Kind::Other, format!("{lat}, {lng}{alt}")), lng)
            }
        };
        let kind = match variable.operator {
            Operator::Number => "number",
            Operator::String => "string",
            Operator::Boolean => "boolean",
            Operator::Location => "location",
        };
        let note = variable.unit.map_or_else(|| kind.to_owned(), |unit| format!("{kind}, {unit}"));
        let (start, _) = self.place(variable.name);
        let (_, end) = self.place(part);
        self.build.open_value(&Key::Field(variable.name.to_owned()), start, |_| leaf.noted(Some(note)))?;
        self.field("unit", variable.unit, text_leaf);
        self.location(variable.location)?;
        self.field("time", variable.timestamp, time_leaf);
        self.field("group", variable.group, text_leaf);
        self.metadata(metadata)?;
        self.build.close(end);
        Ok(())
    }

    fn location(&mut self, location: Option<LocationSuffix<'_>>) -> Result<(), Fault> {
        let Some(location) = location else { return Ok(()) };
        let (start, mut end) = (self.place(location.lat).0, self.place(location.lng).1);
        self.build.open(&Key::Field("location".to_owned()), Kind::Object, start, None)?;
        self.field("lat", Some(location.lat), number_leaf);
        self.field("lng", Some(location.lng), number_leaf);
        self.field("alt", location.alt, number_leaf);
        if let Some(alt) = location.alt {
            end = self.place(alt).1;
        }
        self.build.close(end);
        Ok(())
    }

    fn metadata(&mut self, pairs: &[MetaPair<'_>]) -> Result<(), Fault> {
        let (Some(first), Some(last)) = (pairs.first(), pairs.last()) else { return Ok(()) };
        let (start, end) = (self.place(first.key).0, self.place(last.value).1);
        self.build.open(&Key::Field("metadata".to_owned()), Kind::Object, start, None)?;
        for pair in pairs {
            self.field(pair.key, Some(pair.value), text_leaf);
        }
        self.build.close(end);
        Ok(())
    }
}

fn number_leaf(written: &str) -> Leaf {
    Leaf::number(written, written.parse().unwrap_or(f64::NAN))
}

/// A time in milliseconds since 1970.
fn time_leaf(written: &str) -> Leaf {
    number_leaf(written).noted(written.parse().ok().and_then(super::words::utc))
}

/// A text without its escapes.
fn text_leaf(written: &str) -> Leaf {
    let mut out = vec![0; written.len()];
    let plain = tagotip_codec::escape::unescape_into(written, &mut out)
        .map(|end| String::from_utf8_lossy(&out[..end]).into_owned());
    Leaf::new(Kind::Text, plain.unwrap_or_else(|| written.to_owned()))
}
