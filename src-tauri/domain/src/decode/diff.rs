//! What differs between two payloads: trees field by field, texts line by line, bytes run by run. The work is bounded:
//! where two sides are too long and too different, the part between is shown as taken away and put in.

use super::tree::{Kind, Node};
use super::{Decoded, hex, words};
use serde::{Deserialize, Serialize};
use similar::{Algorithm, DiffTag, capture_diff_slices};
use std::collections::BTreeMap;
use std::fmt::Write;
use ts_rs::TS;

/// Pieces of both sides together up to which they are compared piece by piece: the work grows with the square.
const MAX_PIECES: usize = 8_000;

/// Lines of a diff.
pub const MAX_LINES: usize = 20_000;

/// What a line of a diff says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(rename = "DiffMark")]
pub enum Mark {
    /// On both sides.
    Same,
    /// On both sides, with another value.
    Changed,
    /// On the left only.
    Removed,
    /// On the right only.
    Added,
}

/// A line of a diff.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(rename = "DiffLine")]
pub struct Line {
    /// What it says.
    pub mark: Mark,
    /// Levels it is indented.
    pub depth: u64,
    /// In trees the path, in bytes the offset on the side it is on (the left one when on both), in texts nothing.
    pub place: String,
    /// In trees the name of the field.
    pub name: String,
    /// What stands on the left; of a field with children what they are: `3 fields`.
    pub left: Option<String>,
    /// What stands on the right.
    pub right: Option<String>,
}

/// The difference of two payloads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(rename = "PayloadDiff")]
pub struct Diff {
    /// The lines, in order.
    pub lines: Vec<Line>,
    /// Whether nothing differs in what was compared.
    pub same: bool,
    /// What was not compared or not shown.
    pub notes: Vec<String>,
}

/// Compares two decoded payloads: their trees where both have one of more than a single text, else their texts.
pub fn decoded(left: &Decoded, right: &Decoded) -> Diff {
    let single = |side: &Decoded| side.total <= 1 && matches!(side.root.kind, Kind::Text | Kind::Bytes);
    if single(left) || single(right) {
        return texts(&left.text, &right.text);
    }
    let mut diff = trees(&left.root, &right.root);
    if left.shown < left.total || right.shown < right.total {
        diff.notes.push("Only the nodes that are shown were compared.".to_owned());
    }
    diff
}

/// Compares two trees. Fields are matched by their path, items by their number; what is the same below is one line.
pub fn trees(left: &Node, right: &Node) -> Diff {
    let mut out = Out::default();
    let mut path = String::new();
    node(&mut out, &mut path, 0, Some(left), Some(right));
    out.finish()
}

/// Whether two nodes have the same value, wherever they stand.
fn same(left: &Node, right: &Node, cut: &mut bool) -> bool {
    *cut |= left.value.ends_with('…') && right.value.ends_with('…');
    left.kind == right.kind
        && left.value == right.value
        && left.children.len() == right.children.len()
        && left
            .children
            .iter()
            .zip(&right.children)
            .all(|(left, right)| left.step == right.step && same(left, right, cut))
}

#[derive(Default)]
struct Out {
    lines: Vec<Line>,
    differs: bool,
    missing: u64,
    cut: bool,
    rough: bool,
}

impl Out {
    fn push(&mut self, line: Line) {
        self.differs |= line.mark != Mark::Same;
        if self.lines.len() < MAX_LINES {
            self.lines.push(line);
        } else {
            self.missing += 1;
        }
    }

    fn finish(self) -> Diff {
        let mut notes = vec![];
        if self.missing > 0 {
            let all = words::count(self.missing + MAX_LINES as u64);
            notes.push(format!("Shown {} of {all} lines.", words::count(MAX_LINES as u64)));
        }
        if self.cut {
            notes.push("Values that are cut (…) were compared by their beginning.".to_owned());
        }
        if self.rough {
            notes.push("The sides are too long and too different to be matched piece by piece.".to_owned());
        }
        Diff { lines: self.lines, same: !self.differs, notes }
    }
}

/// Adds the lines of a node that is on one side or on both. Trees are as deep as their limits allow.
fn node(out: &mut Out, path: &mut String, depth: u64, left: Option<&Node>, right: Option<&Node>) {
    let Some(either) = left.or(right) else { return };
    let mut cut = false;
    let (mark, open) = match (left, right) {
        (Some(left), Some(right)) if same(left, right, &mut cut) => (Mark::Same, depth == 0),
        // A field that holds something on both sides is itself the same; what it holds differs.
        (Some(left), Some(right)) if left.kind == right.kind && (left.value == right.value || holds(left)) => {
            (Mark::Same, true)
        }
        (Some(_), Some(_)) => (Mark::Changed, true),
        (Some(_), None) => (Mark::Removed, true),
        _ => (Mark::Added, true),
    };
    out.cut |= cut;
    let before = path.len();
    path.push_str(&either.step);
    out.push(Line {
        mark,
        depth,
        place: path.clone(),
        name: either.name.clone(),
        left: left.map(|node| node.value.clone()),
        right: right.map(|node| node.value.clone()),
    });
    if open {
        let (left, right) = (children(left), children(right));
        // The right children by step; of a key that stands twice, one after the other.
        let mut by_step: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, child) in right.iter().enumerate().rev() {
            by_step.entry(&child.step).or_default().push(at);
        }
        let mut taken = vec![false; right.len()];
        for child in left {
            let at = by_step.get_mut(child.step.as_str()).and_then(Vec::pop);
            if let Some(at) = at {
                taken[at] = true;
            }
            node(out, path, depth + 1, Some(child), at.map(|at| &right[at]));
        }
        for (child, _) in right.iter().zip(&taken).filter(|(_, taken)| !**taken) {
            node(out, path, depth + 1, None, Some(child));
        }
    }
    path.truncate(before);
}

fn holds(node: &Node) -> bool {
    matches!(node.kind, Kind::Object | Kind::Array)
}

fn children(node: Option<&Node>) -> &[Node] {
    node.map_or(&[], |node| &node.children)
}

/// Compares two texts line by line.
pub fn texts(left: &str, right: &str) -> Diff {
    let (left, right): (Vec<&str>, Vec<&str>) = (left.split('\n').collect(), right.split('\n').collect());
    let mut out = Out::default();
    for (mark, from, to) in runs(&left, &right, &mut out.rough) {
        let side = if mark == Mark::Added { &right } else { &left };
        for line in &side[from..to] {
            let text = (*line).to_owned();
            let left = (mark != Mark::Added).then(|| text.clone());
            let right = (mark != Mark::Removed).then_some(text);
            out.push(Line { mark, depth: 0, place: String::new(), name: String::new(), left, right });
        }
    }
    out.finish()
}

/// A payload as it was kept.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// What was kept of it.
    pub kept: &'a [u8],
    /// Its size in bytes, which may be more.
    pub whole: usize,
}

impl Part<'_> {
    fn is_cut(&self) -> bool {
        self.whole > self.kept.len()
    }
}

/// Compares two payloads of which one or both were cut for keeping: only as far as both are known, and undecoded, as text
/// when `as_text` and both are. How much that is stands in the notes.
pub fn parts(left: Part<'_>, right: Part<'_>, as_text: bool) -> Diff {
    let known = [left, right].iter().filter(|side| side.is_cut()).map(|side| side.kept.len()).min();
    let upto = known.unwrap_or(usize::MAX);
    let [one, other] = [left, right].map(|side| &side.kept[..side.kept.len().min(upto)]);
    let mut diff = match (text(one), text(other)) {
        (Some(one), Some(other)) if as_text => texts(one, other),
        _ => bytes(one, other),
    };
    let counted = |size: usize| words::counted(size as u64, "byte", "bytes");
    let mut notes = vec![];
    for (side, name) in [(left, "the message it is compared with"), (right, "this message")] {
        if side.is_cut() {
            notes.push(format!(
                "Of {name}, only the first {} of {} were kept.",
                words::count(side.kept.len() as u64),
                counted(side.whole)
            ));
        }
    }
    notes.push(format!("Compared: the first {}, undecoded. What follows is not known.", counted(upto)));
    if left.whole != right.whole {
        diff.same = false;
        notes.push(format!("They differ in size: {} and {}.", counted(left.whole), counted(right.whole)));
    }
    notes.append(&mut diff.notes);
    Diff { notes, ..diff }
}

/// Bytes as text; a character at the end may be cut.
fn text(bytes: &[u8]) -> Option<&str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(error) if error.error_len().is_none() => std::str::from_utf8(bytes.get(..error.valid_up_to())?).ok(),
        Err(_) => None,
    }
}

/// Compares two payloads byte by byte; lines have up to sixteen bytes each.
pub fn bytes(left: &[u8], right: &[u8]) -> Diff {
    let mut out = Out::default();
    for (mark, from, to) in runs(left, right, &mut out.rough) {
        let side = if mark == Mark::Added { right } else { left };
        for (row, line) in side[from..to].chunks(16).enumerate() {
            let (mut place, mut text) = (String::new(), String::new());
            // Writing to a String does not fail.
            let _ = write!(place, "{:08x}", from + row * 16);
            hex::push_row(&mut text, line);
            let left = (mark != Mark::Added).then(|| text.clone());
            let right = (mark != Mark::Removed).then_some(text);
            out.push(Line { mark, depth: 0, place, name: String::new(), left, right });
        }
    }
    out.finish()
}

/// Runs that are the same, removed (`from..to` of the left side) or added (of the right side).
fn runs<T: Eq + std::hash::Hash + Ord>(left: &[T], right: &[T], rough: &mut bool) -> Vec<(Mark, usize, usize)> {
    let before = left.iter().zip(right).take_while(|(left, right)| left == right).count();
    let (l, r) = (&left[before..], &right[before..]);
    let after = l.iter().rev().zip(r.iter().rev()).take_while(|(left, right)| left == right).count();
    let (l, r) = (&l[..l.len() - after], &r[..r.len() - after]);
    let mut out = vec![(Mark::Same, 0, before)];
    if l.is_empty() || r.is_empty() || l.len() + r.len() > MAX_PIECES {
        *rough = !l.is_empty() && !r.is_empty();
        out.push((Mark::Removed, before, before + l.len()));
        out.push((Mark::Added, before, before + r.len()));
    } else {
        for op in capture_diff_slices(Algorithm::Myers, l, r) {
            let (tag, old, new) = op.as_tag_tuple();
            if tag == DiffTag::Equal {
                out.push((Mark::Same, before + old.start, before + old.end));
            } else {
                out.push((Mark::Removed, before + old.start, before + old.end));
                out.push((Mark::Added, before + new.start, before + new.end));
            }
        }
    }
    out.push((Mark::Same, left.len() - after, left.len()));
    out.retain(|(_, from, to)| from < to);
    out
}
