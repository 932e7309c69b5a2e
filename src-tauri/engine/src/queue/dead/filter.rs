//! Which dead letters are meant: a filter of a list, or a choice made in it. Builds conditions, runs nothing.

use relayscope_domain::id::RelayId;
use sqlx::{QueryBuilder, Sqlite};

// SQLite takes patterns of 50,000 bytes; a character may become eight.
const MOST_CHARACTERS: usize = 1_000;

/// Selects dead letters. Discarded ones are never selected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LetterFilter {
    /// Of one relay, or of all.
    pub relay: Option<RelayId>,
    /// What topic, reason, answer or payload must contain; upper and lower case are the same. Empty selects all.
    pub text: String,
    /// HTTP status, or `Some(None)`: no answer came. `None` selects all.
    pub status: Option<Option<u16>>,
}

/// Letters that something is to be done with.
#[derive(Clone, Debug)]
pub enum Chosen {
    /// These.
    These(Vec<i64>),
    /// Whatever the filter selects, but nothing that came later and not the exceptions.
    Matching {
        /// The filter.
        filter: LetterFilter,
        /// The highest number that counts: what a person saw when choosing.
        upto: i64,
        /// Not these.
        except: Vec<i64>,
    },
}

impl LetterFilter {
    pub(super) fn push_to(&self, query: &mut QueryBuilder<Sqlite>) {
        query.push("discarded_at IS NULL");
        if let Some(relay) = self.relay {
            query.push(" AND relay_id = ").push_bind(relay.0.as_bytes().to_vec());
        }
        if let Some(status) = self.status {
            query.push(" AND status IS ").push_bind(status);
        }
        if !self.text.is_empty() {
            let pattern = pattern(&self.text);
            for (word, column) in
                [(" AND (", "topic"), (" OR ", "reason"), (" OR ", "answer"), (" OR ", "CAST(payload AS TEXT)")]
            {
                query.push(word).push(column).push(" GLOB ").push_bind(pattern.clone());
            }
            query.push(")");
        }
    }
}

impl Chosen {
    pub(super) fn push_to(&self, query: &mut QueryBuilder<Sqlite>) {
        match self {
            Self::These(ids) => {
                query.push("discarded_at IS NULL AND id IN (SELECT value FROM json_each(").push_bind(json(ids));
                query.push("))");
            }
            Self::Matching { filter, upto, except } => {
                filter.push_to(query);
                query.push(" AND id <= ").push_bind(*upto);
                if !except.is_empty() {
                    query.push(" AND id NOT IN (SELECT value FROM json_each(").push_bind(json(except)).push("))");
                }
            }
        }
    }
}

/// Numbers as a JSON array: one bound value, however many they are.
pub(super) fn json(ids: &[i64]) -> String {
    let texts: Vec<String> = ids.iter().map(i64::to_string).collect();
    format!("[{}]", texts.join(","))
}

/// A GLOB pattern for texts that contain `text`: SQLite's own `LIKE` and `lower` know the case of ASCII only.
fn pattern(text: &str) -> String {
    let mut out = String::from("*");
    for c in text.chars().take(MOST_CHARACTERS) {
        let mut variants: Vec<char> = vec![c];
        for other in [single(c.to_lowercase()), single(c.to_uppercase())].into_iter().flatten() {
            if !variants.contains(&other) {
                variants.push(other);
            }
        }
        if variants.len() > 1 || matches!(c, '*' | '?' | '[') {
            out.push('[');
            out.extend(variants);
            out.push(']');
        } else {
            out.push(c);
        }
    }
    out.push('*');
    out
}

fn single(mut characters: impl Iterator<Item = char>) -> Option<char> {
    characters.next().filter(|_| characters.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_know_case_and_take_wildcards_for_text() {
        for (text, expected) in
            [("aB1", "*[aA][Bb]1*"), ("[x]*?", "*[[][xX]][*][?]*"), ("öß", "*[öÖ]ß*"), ("^-", "*^-*")]
        {
            assert_eq!(pattern(text), expected);
        }
    }
}
