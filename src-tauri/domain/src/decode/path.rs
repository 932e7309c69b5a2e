//! Paths into a decoded payload: the text that is copied, the value it leads to, and the numbers a chart can show.

use super::tree::{Key, Kind, Node};
use super::words;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A number in a payload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct NumberAt {
    /// Its path: `$.sensors[2].temp`.
    pub path: String,
    /// Its value, rounded to a double.
    pub number: f64,
}

/// A key's name and step. A key longer than `room` bytes is cut, and then its path leads nowhere.
pub(super) fn named(key: &Key, room: usize) -> (String, String) {
    match key {
        Key::Root => (String::new(), "$".to_owned()),
        Key::Index(index) => (index.to_string(), format!("[{index}]")),
        Key::Field(name) => {
            let name = words::clip(name, room);
            let step = if plain(&name) { format!(".{name}") } else { format!("[{}]", quoted(&name)) };
            (name, step)
        }
        Key::Of(name, which) => {
            let name = words::clip(&format!("{name}[{which}]"), room);
            let step = format!(".{name}");
            (name, step)
        }
        Key::Other(name) => {
            let name = words::clip(name, room);
            let step = format!("{{{name}}}");
            (name, step)
        }
    }
}

/// Whether a name may stand after a dot.
fn plain(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|other| other.is_ascii_alphanumeric() || other == '_')
}

/// A JSON string.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The path of the node that is reached by taking child `children[0]`, of it child `children[1]` and so on.
pub fn of(root: &Node, children: &[usize]) -> Option<String> {
    let mut path = root.step.clone();
    let mut node = root;
    for at in children {
        node = node.children.get(*at)?;
        path.push_str(&node.step);
    }
    Some(path)
}

/// The node at a path. Of a key that stands twice, the last, as most readers of JSON have it.
pub fn find<'a>(root: &'a Node, path: &str) -> Option<&'a Node> {
    let mut rest = path.trim().strip_prefix(root.step.as_str())?;
    let mut node = root;
    while !rest.is_empty() {
        (node, rest) = node.children.iter().rev().find_map(|child| {
            let rest = rest.strip_prefix(child.step.as_str())?;
            (rest.is_empty() || rest.starts_with(['.', '[', '{'])).then_some((child, rest))
        })?;
    }
    Some(node)
}

/// The number at a path.
pub fn number(root: &Node, path: &str) -> Option<f64> {
    find(root, path).and_then(|node| node.number)
}

/// The first `limit` numbers of a tree with their paths, in the order of the payload.
pub fn numbers(root: &Node, limit: usize) -> Vec<NumberAt> {
    let mut out = vec![];
    // The end of the parent's path in `path`, and the node.
    let mut left = vec![(0, root)];
    let mut path = String::new();
    while let Some((parent, node)) = left.pop() {
        if out.len() >= limit {
            break;
        }
        path.truncate(parent);
        path.push_str(&node.step);
        if let (Kind::Number, Some(number)) = (node.kind, node.number) {
            out.push(NumberAt { path: path.clone(), number });
        }
        left.extend(node.children.iter().rev().map(|child| (path.len(), child)));
    }
    out
}
