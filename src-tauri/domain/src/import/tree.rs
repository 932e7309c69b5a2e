//! The file as a tree whose every value knows its line, and the environment laid over it.
//!
//! Owns TOML syntax and the spelling of variables (`TAGOIO__RELAY__MQTT__PORT`); knows no setting by name.

use super::ImportProblem;
use std::collections::BTreeMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

const PREFIX: &str = "TAGOIO__";

pub(super) type Table = BTreeMap<String, Node>;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// Line in the file; `None` when it comes from the environment.
    pub(super) line: Option<usize>,
    /// The environment variable it comes from.
    pub(super) variable: Option<String>,
    pub(super) value: Value,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    /// Whole numbers in decimal; everything else as written.
    Number(String),
    Flag(bool),
    List(Vec<Node>),
    Table(Table),
    Date,
}

impl Value {
    /// What it is, in words.
    pub(super) fn words(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Number(_) => "a number",
            Self::Flag(_) => "true or false",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Date => "a date",
        }
    }
}

/// Reads TOML; on failure every syntax error with its line.
pub(super) fn read(file: &str, text: &str) -> Result<Table, Vec<ImportProblem>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(table(document.get_ref(), text));
    }
    let mut problems: Vec<ImportProblem> = vec![];
    for error in errors {
        let line = error.span().map(|span| line_of(text, span.start));
        let what = error.message().trim().trim_end_matches('.').replace('\n', "; ");
        let message = format!("This is not valid TOML: {what}.");
        // The parser goes on after an error and stumbles again right behind it; only errors further down are news.
        let echo =
            problems.last().is_some_and(|last| line <= last.line.map(|line| line + 1) || message == last.message);
        if !echo {
            problems.push(ImportProblem { file: file.into(), key: None, line, message });
        }
    }
    Err(problems)
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}

fn table(parsed: &DeTable<'_>, text: &str) -> Table {
    let entry = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
        let key: &std::borrow::Cow<'_, str> = key.get_ref();
        (key.to_string(), node(value, text))
    };
    parsed.iter().map(entry).collect()
}

fn node(parsed: &Spanned<DeValue<'_>>, text: &str) -> Node {
    let value = match parsed.get_ref() {
        DeValue::String(value) => Value::Text(value.to_string()),
        DeValue::Integer(value) => {
            let digits = value.as_str().replace('_', "");
            Value::Number(i64::from_str_radix(&digits, value.radix()).map_or(digits, |number| number.to_string()))
        }
        DeValue::Float(value) => Value::Number(value.as_str().to_owned()),
        DeValue::Boolean(value) => Value::Flag(*value),
        DeValue::Datetime(_) => Value::Date,
        DeValue::Array(items) => Value::List(items.iter().map(|item| node(item, text)).collect()),
        DeValue::Table(inner) => Value::Table(table(inner, text)),
    };
    Node { line: Some(line_of(text, parsed.span().start)), variable: None, value }
}

/// Lays the variables that begin with `TAGOIO__` over the table, in the order of their names. Double underscores lead
/// into tables, a number into a list (the first is 1); names are taken in lower case.
pub(super) fn overlay(file: &str, root: &mut Table, env: &[(String, String)]) -> Vec<ImportProblem> {
    let mut problems = vec![];
    let mut sorted: Vec<(Vec<String>, &str, &str)> = env
        .iter()
        .filter_map(|(name, value)| {
            let path: Vec<String> = name.strip_prefix(PREFIX)?.to_lowercase().split("__").map(str::to_owned).collect();
            let ours = path.first().is_some_and(|first| first == "relay")
                && path.get(1).is_some_and(|key| key != "config_path");
            ours.then_some((path, name.as_str(), value.as_str()))
        })
        .collect();
    // Numbers sort as numbers, so that SUBSCRIBE__10 comes after SUBSCRIBE__9.
    sorted.sort_by_key(|(path, ..)| {
        path.iter().map(|part| (part.parse::<u32>().unwrap_or(0), part.clone())).collect::<Vec<_>>()
    });
    for (path, name, value) in sorted {
        if let Err(message) = put(root, &path, name, value) {
            problems.push(ImportProblem {
                file: file.into(),
                key: Some(path.join(".")),
                line: None,
                message: format!("Environment variable {name}: {message}"),
            });
        }
    }
    problems
}

fn put(table: &mut Table, path: &[String], name: &str, value: &str) -> Result<(), String> {
    let Some((key, rest)) = path.split_first() else { return Ok(()) };
    if rest.is_empty() {
        let value = Value::Text(value.to_owned());
        table.insert(key.clone(), Node { line: None, variable: Some(name.to_owned()), value });
        return Ok(());
    }
    let numbered = rest.first().is_some_and(|part| part.parse::<u32>().is_ok());
    let fresh = || if numbered { Value::List(vec![]) } else { Value::Table(Table::new()) };
    let inner = table.entry(key.clone()).or_insert_with(|| Node {
        line: None,
        variable: Some(name.to_owned()),
        value: fresh(),
    });
    if let Value::Table(inner) = &mut inner.value {
        return if numbered {
            Err(format!("{key} is a table and has no numbered parts."))
        } else {
            put(inner, rest, name, value)
        };
    }
    if !numbered {
        return match &mut inner.value {
            Value::List(items) if items.len() == 1 => match items.first_mut().map(|item| &mut item.value) {
                Some(Value::Table(only)) => put(only, rest, name, value),
                _ => Err(format!("{key} has no part named {}.", rest.join("."))),
            },
            Value::List(_) => Err(format!(
                "It does not say which {key} it is for; write {PREFIX}{}__1__… for the first.",
                key.to_uppercase()
            )),
            other => Err(format!("{key} is {}, not a table.", other.words())),
        };
    }
    put_numbered(inner, rest, name, value)
}

fn put_numbered(inner: &mut Node, rest: &[String], name: &str, value: &str) -> Result<(), String> {
    let (number, deeper) =
        rest.split_first().map_or((0, rest), |(number, deeper)| (number.parse::<usize>().unwrap_or(0), deeper));
    if deeper.is_empty() {
        // The first numbered variable replaces the file's list as a whole; the others are added to it.
        if inner.variable.is_none() || !matches!(inner.value, Value::List(_)) {
            *inner = Node { line: None, variable: Some(name.to_owned()), value: Value::List(vec![]) };
        }
        if let Value::List(items) = &mut inner.value {
            items.push(Node { line: None, variable: Some(name.to_owned()), value: Value::Text(value.to_owned()) });
        }
        return Ok(());
    }
    let Value::List(items) = &mut inner.value else { return Err("It is not a list.".into()) };
    if number == items.len() + 1 {
        items.push(Node { line: None, variable: Some(name.to_owned()), value: Value::Table(Table::new()) });
    }
    match number.checked_sub(1).and_then(|at| items.get_mut(at)).map(|item| &mut item.value) {
        Some(Value::Table(table)) => put(table, deeper, name, value),
        _ => Err(format!("There is no number {number}.")),
    }
}
