//! The tree that decoders build: nodes up to the limits, and a count of all that there are.

use super::{Fault, Limits, Read, path, words};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Bytes of a name or value once [`Limits::values`] is spent.
pub const SHORT: usize = 64;

/// Levels of a tree at most: as JSON each is two, and many readers follow 128.
pub const MAX_DEPTH: usize = 60;

/// Levels past which no decoder follows.
pub(super) const MAX_NESTING: usize = 10_000;

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(rename = "PayloadKind")]
pub enum Kind {
    /// Named children.
    Object,
    /// Numbered children.
    Array,
    /// Characters.
    Text,
    /// A number.
    Number,
    /// true or false.
    Bool,
    /// Nothing.
    Null,
    /// Bytes, shown as hex.
    Bytes,
    /// Anything else, in words.
    Other,
}

/// Bytes `start..end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ByteRange {
    /// First byte.
    pub start: u64,
    /// First byte past it.
    pub end: u64,
}

/// One value of a payload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(rename = "PayloadNode")]
pub struct Node {
    /// Its key, index or field; empty at the root.
    pub name: String,
    /// What it adds to its parent's path: `$` at the root, `.temp`, `["a b"]`, `[2]`, `{7}` for a key that is no text.
    pub step: String,
    /// What it is.
    pub kind: Kind,
    /// Its value, numbers as written; of objects and arrays what they hold: `3 fields`.
    pub value: String,
    /// The value for charts: of numbers that a double can hold (rounded when it must be), of `true` and `false` (1 and 0),
    /// and of texts that are a number and nothing else.
    pub number: Option<f64>,
    /// Where it stands, where that is known.
    pub range: Option<ByteRange>,
    /// What is to say of it: a tag, a type, a key that stands twice.
    pub note: Option<String>,
    /// What it holds, as far as shown.
    pub children: Vec<Node>,
}

/// How a node is called in its parent.
#[derive(Clone, Debug)]
pub(super) enum Key {
    Root,
    Index(u64),
    Field(String),
    /// A key that is no text, or a field of which only the number is known.
    Other(String),
    /// One of several of a field: its name, and what stands in brackets after it.
    Of(String, String),
}

/// A value without children.
pub(super) struct Leaf {
    pub(super) kind: Kind,
    pub(super) value: String,
    pub(super) number: Option<f64>,
    pub(super) note: Option<String>,
}

impl Leaf {
    pub(super) fn new(kind: Kind, value: impl Into<String>) -> Self {
        Self { kind, value: value.into(), number: None, note: None }
    }

    /// A number as written, with what a chart makes of it.
    pub(super) fn number(written: impl Into<String>, number: f64) -> Self {
        Self { number: Some(number).filter(|number| number.is_finite()), ..Self::new(Kind::Number, written) }
    }

    pub(super) fn bytes(bytes: &[u8], limit: usize) -> Self {
        let cut = (bytes.len() > limit / 2).then(|| words::counted(bytes.len() as u64, "byte", "bytes"));
        Self { note: cut, ..Self::new(Kind::Bytes, words::hex(bytes, limit)) }
    }

    pub(super) fn noted(mut self, note: Option<String>) -> Self {
        self.note = match (self.note, note) {
            (Some(one), Some(other)) => Some(format!("{one}; {other}")),
            (one, other) => one.or(other),
        };
        self
    }
}

/// What a chart makes of a value that is no number: switches are 0 and 1, and many devices send numbers as texts.
fn measured(kind: Kind, value: &str) -> Option<f64> {
    match kind {
        Kind::Bool => Some(if value == "true" { 1.0 } else { 0.0 }),
        // No longer than the longest that is written by hand, and no `inf`.
        Kind::Text if value.len() <= 32 && value.trim().ends_with(|last: char| last.is_ascii_digit()) => {
            value.trim().parse().ok().filter(|number: &f64| number.is_finite())
        }
        _ => None,
    }
}

/// An open object or array. `node` is `None` where it is counted only.
struct Open {
    node: Option<Node>,
    count: u64,
}

/// Builds a tree from a walk over a payload.
pub(super) struct Build {
    limits: Limits,
    open: Vec<Open>,
    root: Option<Node>,
    shown: u64,
    total: u64,
    spent: usize,
    cut_depth: bool,
    notes: Vec<String>,
}

impl Build {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            limits: Limits { depth: limits.depth.min(MAX_DEPTH), ..*limits },
            open: vec![],
            root: None,
            shown: 0,
            total: 0,
            spent: 0,
            cut_depth: false,
            notes: vec![],
        }
    }

    /// How many bytes the next name or value may have.
    pub(super) fn room(&self) -> usize {
        self.limits.value.min(self.limits.values.saturating_sub(self.spent)).max(SHORT)
    }

    /// Something to say of the whole, once.
    pub(super) fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        if self.notes.len() < 20 && !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Whether the next node is shown.
    fn wanted(&mut self) -> bool {
        let parent = self.open.last().is_none_or(|open| open.node.is_some());
        let deep = self.open.len() >= self.limits.depth;
        self.cut_depth |= parent && deep;
        parent && !deep && (self.shown < self.limits.nodes || self.open.is_empty())
    }

    fn node(&mut self, key: &Key, leaf: Leaf, start: usize, end: usize) -> Node {
        let room = self.room();
        let (name, step) = path::named(key, room);
        let value = words::clip(&leaf.value, room);
        let number = leaf.number.or_else(|| measured(leaf.kind, &leaf.value));
        self.spent += name.len() + value.len() + leaf.note.as_ref().map_or(0, String::len);
        self.shown += 1;
        let range = (end > start).then_some(ByteRange { start: start as u64, end: end as u64 });
        Node { name, step, kind: leaf.kind, value, number, range, note: leaf.note, children: vec![] }
    }

    fn place(&mut self, node: Node) {
        match self.open.last_mut() {
            Some(Open { node: Some(parent), .. }) => parent.children.push(node),
            Some(_) => {}
            None => self.root = Some(node),
        }
    }

    fn counted(&mut self) {
        self.total += 1;
        if let Some(parent) = self.open.last_mut() {
            parent.count += 1;
        }
    }

    /// Adds a value at bytes `start..end`; `leaf` is asked only where it is shown, and told its room in bytes.
    pub(super) fn leaf(&mut self, key: &Key, start: usize, end: usize, leaf: impl FnOnce(usize) -> Leaf) {
        self.counted();
        if self.wanted() {
            let leaf = leaf(self.room());
            let node = self.node(key, leaf, start, end);
            self.place(node);
        }
    }

    /// Opens an object or array that begins at byte `start`.
    pub(super) fn open(&mut self, key: &Key, kind: Kind, start: usize, note: Option<String>) -> Result<(), Fault> {
        self.open_value(key, start, |_| Leaf::new(kind, "").noted(note))
    }

    /// Opens a value that has children of its own, such as properties.
    pub(super) fn open_value(
        &mut self,
        key: &Key,
        start: usize,
        leaf: impl FnOnce(usize) -> Leaf,
    ) -> Result<(), Fault> {
        if self.open.len() >= MAX_NESTING {
            let levels = words::count(MAX_NESTING as u64);
            return Err(Fault::at(start, format!("more than {levels} levels stand in each other")));
        }
        self.counted();
        let node = self.wanted().then(|| {
            let leaf = leaf(self.room());
            self.node(key, leaf, start, start + 1)
        });
        self.open.push(Open { node, count: 0 });
        Ok(())
    }

    /// Closes what was opened last, which ends before byte `end`.
    pub(super) fn close(&mut self, end: usize) {
        let Some(Open { node, count }) = self.open.pop() else { return };
        let Some(mut node) = node else { return };
        match node.kind {
            Kind::Array => node.value = words::counted(count, "item", "items"),
            Kind::Object => node.value = words::counted(count, "field", "fields"),
            _ => {}
        }
        let range = node.range.map(|range| ByteRange { end: end as u64, ..range });
        node.range = range.filter(|range| range.end > range.start);
        self.place(node);
    }

    /// Whether what was opened last is shown and more fits into it.
    pub(super) fn shows(&self) -> bool {
        self.shown < self.limits.nodes && self.open.last().is_some_and(|open| open.node.is_some())
    }

    /// Adds a note to what was opened last.
    pub(super) fn note_open(&mut self, note: &str) {
        if let Some(Open { node: Some(node), .. }) = self.open.last_mut()
            && node.note.as_ref().is_none_or(|noted| noted.len() < 200)
        {
            node.note = Some(node.note.take().map_or_else(|| note.to_owned(), |noted| format!("{noted}; {note}")));
        }
    }

    /// The tree of one value at bytes `0..end`.
    pub(super) fn single(mut self, key: &Key, leaf: Leaf, end: usize) -> Node {
        self.node(key, leaf, 0, end)
    }

    /// The tree; `text` makes the readable text, else it is made from the tree.
    pub(super) fn finish(mut self, text: Option<String>) -> Result<Read, Fault> {
        while !self.open.is_empty() {
            self.close(0);
        }
        let Some(root) = self.root else { return Err(Fault::all("The payload is empty.")) };
        let cut = words::count(self.limits.text as u64);
        let text = text.unwrap_or_else(|| lines(&root, self.limits.text));
        if self.shown < self.total {
            let (shown, total) = (words::count(self.shown), words::count(self.total));
            self.notes.push(format!("Shown {shown} of {total} nodes."));
        }
        if self.cut_depth {
            self.notes.push(format!("Levels deeper than {} are not shown.", self.limits.depth));
        }
        if text.len() > self.limits.text {
            self.notes.push(format!("The text is cut after {cut} bytes."));
        }
        Ok(Read { root, text, shown: self.shown, total: self.total, notes: self.notes })
    }
}

/// The tree as indented lines, `name: value (note)`, of a little more than `limit` bytes.
pub(super) fn lines(root: &Node, limit: usize) -> String {
    let mut out = String::new();
    let mut left: Vec<(usize, &Node)> = vec![(0, root)];
    while let Some((depth, node)) = left.pop() {
        if out.len() > limit {
            out.push('…');
            break;
        }
        out.extend(std::iter::repeat_n("  ", depth));
        if !node.name.is_empty() {
            out.push_str(&node.name);
            out.push_str(": ");
        }
        out.push_str(&node.value);
        if let Some(note) = &node.note {
            out.push_str(" (");
            out.push_str(note);
            out.push(')');
        }
        out.push('\n');
        left.extend(node.children.iter().rev().map(|child| (depth + 1, child)));
    }
    if out.ends_with('\n') {
        out.pop();
    }
    out
}
