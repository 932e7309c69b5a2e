//! What chips, fields and mute buttons do to a filter: the same as typing, so that line and chips never differ.

use super::parse::parse_value;
use super::{Field, Filter, Term, Test};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A change of a filter by a click.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "is", rename_all = "camelCase")]
pub enum FilterEdit {
    /// A chip: the value is asked for if it was not, and the other way round.
    Toggle {
        /// Field.
        field: Field,
        /// One value, as it stands after the colon.
        value: String,
    },
    /// A form field: replaces what the field asks for; an empty value takes it away.
    Put {
        /// Field.
        field: Field,
        /// The value, as it stands after the colon.
        value: String,
    },
    /// A mute button: what has the value is not wanted.
    Mute {
        /// Field.
        field: Field,
        /// One value, as it is.
        value: String,
    },
    /// Takes a mute back.
    Unmute {
        /// Field.
        field: Field,
        /// One value, as it is.
        value: String,
    },
    /// Only what has the value: replaces what the field asks for, and takes back a mute of the value.
    Only {
        /// Field.
        field: Field,
        /// One value, as it is.
        value: String,
    },
    /// Takes a term away.
    Remove {
        /// Its place in the list.
        term: u32,
    },
}

/// Something that is not wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(rename = "MutedTerm")]
pub struct Muted {
    /// In words: `topic plant/3/noise`.
    pub words: String,
    /// The click that takes it back.
    pub edit: FilterEdit,
}

impl Filter {
    /// The filter after a change, or what is wrong with the value.
    pub fn edited(&self, edit: &FilterEdit) -> Result<Self, String> {
        let mut filter = self.clone();
        match edit {
            FilterEdit::Toggle { field, value } => {
                let test = parse_value(*field, value)?;
                filter.toggle(false, test);
            }
            FilterEdit::Mute { field, value } => {
                let test = parse_value(*field, &super::print::quoted(value))?;
                if !filter.terms.iter().any(|term| term.not && term.test.has(&test)) {
                    filter.toggle(true, test);
                }
            }
            FilterEdit::Unmute { field, value } => {
                let test = parse_value(*field, &super::print::quoted(value))?;
                filter.unmute(&test);
            }
            FilterEdit::Only { field, value } => {
                let test = parse_value(*field, &super::print::quoted(value))?;
                filter.unmute(&test);
                filter.put(*field, Some(test));
            }
            FilterEdit::Put { field, value } => {
                let test = match value.trim() {
                    "" => None,
                    value => Some(parse_value(*field, value)?),
                };
                filter.put(*field, test);
            }
            FilterEdit::Remove { term } => {
                if (*term as usize) < filter.terms.len() {
                    filter.terms.remove(*term as usize);
                }
            }
        }
        Ok(filter)
    }

    fn place(&self, not: bool, field: Option<Field>) -> Option<usize> {
        self.terms.iter().position(|term| term.not == not && term.test.field() == field)
    }

    fn unmute(&mut self, test: &Test) {
        let of = |term: &Term| term.not && term.test.has(test);
        while let Some(at) = self.terms.iter().position(of) {
            if self.terms[at].test.toggle(test.clone()) {
                self.terms.remove(at);
            }
        }
    }

    /// What is not wanted, as chips show it: each with the click that takes it back.
    pub fn muted(&self) -> Vec<Muted> {
        let of = |(at, term): (usize, &Term)| {
            let (Test::Client(values) | Test::Topic(values) | Test::Name(values), Some(field)) =
                (&term.test, term.test.field())
            else {
                let words = Term { not: false, test: term.test.clone() }.to_string();
                return vec![Muted { words, edit: FilterEdit::Remove { term: at as u32 } }];
            };
            let muted = |value: &String| Muted {
                words: format!("{} {value}", field.word()),
                edit: FilterEdit::Unmute { field, value: value.clone() },
            };
            values.iter().map(muted).collect()
        };
        self.terms.iter().enumerate().filter(|(_, term)| term.not).flat_map(of).collect()
    }

    fn toggle(&mut self, not: bool, test: Test) {
        match self.place(not, test.field()) {
            Some(at) => {
                if self.terms[at].test.toggle(test) {
                    self.terms.remove(at);
                }
            }
            None => self.terms.push(Term { not, test }),
        }
    }

    fn put(&mut self, field: Field, test: Option<Test>) {
        match (self.place(false, Some(field)), test) {
            (Some(at), Some(test)) => self.terms[at].test = test,
            (Some(at), None) => drop(self.terms.remove(at)),
            (None, Some(test)) => self.terms.push(Term { not: false, test }),
            (None, None) => {}
        }
    }
}

impl Test {
    /// Whether all values of `other` are among those of this one.
    fn has(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Client(have), Self::Client(some))
            | (Self::Topic(have), Self::Topic(some))
            | (Self::Name(have), Self::Name(some)) => some.iter().all(|one| have.contains(one)),
            (one, other) => one == other,
        }
    }

    /// Takes the values of `other` in, or out where they are in. Whether nothing is left.
    fn toggle(&mut self, other: Self) -> bool {
        fn flip<T: PartialEq>(have: &mut Vec<T>, some: Vec<T>) -> bool {
            for one in some {
                match have.iter().position(|other| *other == one) {
                    Some(at) => drop(have.remove(at)),
                    None => have.push(one),
                }
            }
            have.is_empty()
        }
        match (self, other) {
            (Self::Kind(have), Self::Kind(some)) => flip(have, some),
            (Self::Source(have), Self::Source(some)) => flip(have, some),
            (Self::Name(have), Self::Name(some)) => flip(have, some),
            (Self::Direction(have), Self::Direction(some)) => flip(have, some),
            (Self::Outcome(have), Self::Outcome(some)) => flip(have, some),
            (Self::Qos(have), Self::Qos(some)) => flip(have, some),
            (Self::Client(have), Self::Client(some)) | (Self::Topic(have), Self::Topic(some)) => flip(have, some),
            (Self::Message(have), Self::Message(some)) => flip(have, some),
            (have, other) if *have == other => true,
            (have, other) => {
                *have = other;
                false
            }
        }
    }
}
