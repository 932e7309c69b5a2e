//! Takes typed values out of the tree and collects every problem and note on the way.
//!
//! Owns the tolerance for numbers and switches written as texts; knows no setting by name.

use super::ImportProblem;
use super::tree::{Node, Table, Value};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// What is said of a file.
pub(super) struct Report {
    pub(super) file: String,
    pub(super) problems: Vec<ImportProblem>,
    pub(super) notes: Vec<String>,
}

impl Report {
    /// A problem of a value that stands somewhere.
    pub(super) fn problem(&mut self, key: String, node: &Node, message: impl Into<String>) {
        let message = match &node.variable {
            Some(variable) => format!("Environment variable {variable}: {}", message.into()),
            None => message.into(),
        };
        self.problems.push(ImportProblem { file: self.file.clone(), key: Some(key), line: node.line, message });
    }

    pub(super) fn note(&mut self, key: &str, message: impl AsRef<str>) {
        let note = format!("{key}: {}", message.as_ref());
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

/// A table under its key.
pub(super) struct Section<'a> {
    pub(super) path: String,
    table: Option<&'a Table>,
    line: Option<usize>,
    asked: RefCell<BTreeSet<&'static str>>,
}

impl<'a> Section<'a> {
    pub(super) fn new(path: String, table: &'a Table, line: Option<usize>) -> Self {
        Self { path, table: Some(table), line, asked: RefCell::default() }
    }

    /// The table under `key`; an empty one when it is missing.
    pub(super) fn section(&self, key: &'static str, report: &mut Report) -> Section<'a> {
        let node = self.node(key);
        let table = match node.map(|node| (node, &node.value)) {
            Some((_, Value::Table(table))) => Some(table),
            Some((node, other)) => {
                report.problem(self.key(key), node, format!("A table is wanted here, not {}.", other.words()));
                None
            }
            None => None,
        };
        Section { path: self.key(key), table, line: node.and_then(|node| node.line), asked: RefCell::default() }
    }

    pub(super) fn is_missing(&self) -> bool {
        self.table.is_none()
    }

    pub(super) fn key(&self, key: &str) -> String {
        format!("{}.{key}", self.path)
    }

    pub(super) fn node(&self, key: &'static str) -> Option<&'a Node> {
        self.asked.borrow_mut().insert(key);
        self.table?.get(key)
    }

    /// Notes the problem of a key that stands nowhere, with keys that may have been meant.
    pub(super) fn missing(&self, key: &'static str, message: &str, report: &mut Report) {
        let near = self
            .table
            .into_iter()
            .flat_map(Table::keys)
            .find(|other| !self.asked.borrow().contains(other.as_str()) && is_near(other, key));
        let message = match near {
            Some(other) => format!("{}; “{other}” stands there and is probably meant.", message.trim_end_matches('.')),
            None => message.to_owned(),
        };
        report.problems.push(ImportProblem {
            file: report.file.clone(),
            key: Some(self.key(key)),
            line: self.line,
            message,
        });
    }

    /// A text; a number counts as its digits.
    pub(super) fn text(&self, key: &'static str, report: &mut Report) -> Option<(String, &'a Node)> {
        let node = self.node(key)?;
        match &node.value {
            Value::Text(text) | Value::Number(text) => Some((text.clone(), node)),
            other => {
                report.problem(
                    self.key(key),
                    node,
                    format!("A text in quotation marks is wanted here, not {}.", other.words()),
                );
                None
            }
        }
    }

    /// A text that is not blank, without the spaces around it.
    pub(super) fn filled(&self, key: &'static str, report: &mut Report) -> Option<(String, &'a Node)> {
        self.text(key, report).map(|(text, node)| (text.trim().to_owned(), node)).filter(|(text, _)| !text.is_empty())
    }

    /// A switch, also written as a text.
    pub(super) fn flag(&self, key: &'static str, report: &mut Report) -> Option<bool> {
        let node = self.node(key)?;
        let found = match &node.value {
            Value::Flag(flag) => return Some(*flag),
            Value::Text(text) if text.trim().eq_ignore_ascii_case("true") => return Some(true),
            Value::Text(text) if text.trim().eq_ignore_ascii_case("false") => return Some(false),
            Value::Text(text) | Value::Number(text) => format!("“{}”", text.chars().take(40).collect::<String>()),
            other => other.words().to_owned(),
        };
        report.problem(self.key(key), node, format!("It is either true or false, not {found}."));
        None
    }

    /// A whole number, also written as a text. A blank text counts as missing.
    pub(super) fn number<T: TryFrom<u64>>(
        &self,
        key: &'static str,
        what: &str,
        min: u64,
        max: u64,
        report: &mut Report,
    ) -> Option<T> {
        let (text, node) = self.filled(key, report)?;
        match crate::broker::number(&text, what, min, max) {
            Ok(number) => Some(number),
            Err(message) => {
                let shown: String = text.chars().take(40).collect();
                report.problem(self.key(key), node, format!("{}, not “{shown}”.", message.trim_end_matches('.')));
                None
            }
        }
    }

    /// A list of texts; one text counts as a list of one, or of several between commas in square brackets.
    pub(super) fn texts(&self, key: &'static str, report: &mut Report) -> Option<Vec<(String, Node)>> {
        let node = self.node(key)?;
        let items = match &node.value {
            Value::List(items) => items.clone(),
            Value::Text(text) if text.trim_start().starts_with('[') => {
                match super::tree::read("", &format!("list = {text}")) {
                    Ok(parsed) => match parsed.get("list").map(|list| &list.value) {
                        Some(Value::List(items)) => items
                            .iter()
                            .map(|item| Node {
                                line: node.line,
                                variable: node.variable.clone(),
                                value: item.value.clone(),
                            })
                            .collect(),
                        _ => vec![],
                    },
                    Err(_) => vec![node.clone()],
                }
            }
            Value::Text(_) => vec![node.clone()],
            other => {
                report.problem(self.key(key), node, format!("A list of texts is wanted here, not {}.", other.words()));
                return None;
            }
        };
        let mut texts = vec![];
        for item in items {
            match &item.value {
                Value::Text(text) => texts.push((text.clone(), item)),
                other => report.problem(
                    self.key(key),
                    &item,
                    format!("Each entry is a text in quotation marks, not {}.", other.words()),
                ),
            }
        }
        Some(texts)
    }

    /// Notes keys that nobody asked for and variables that stood in for the file.
    pub(super) fn finish(&self, report: &mut Report) {
        for (key, node) in self.table.into_iter().flatten() {
            if !self.asked.borrow().contains(key.as_str()) {
                report.note(&self.key(key), "Relayscope does not know this setting and leaves it out.");
            } else if let Some(variable) = &node.variable
                && !matches!(node.value, Value::Table(_))
            {
                report.note(&self.key(key), format!("Taken from the environment ({variable}), not from the file."));
            }
        }
    }
}

/// Whether a misspelling is likely: the same letters in another order, or at most two of them different.
fn is_near(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) =
        (a.to_lowercase().chars().filter(|c| *c != '-').collect(), b.chars().collect());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (slot, y) in row.iter_mut().skip(1).zip(&b) {
            let next = (diagonal + usize::from(x != y)).min(*slot + 1).min(left + 1);
            diagonal = *slot;
            *slot = next;
            left = next;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().is_some_and(|distance| *distance <= 2)
}
