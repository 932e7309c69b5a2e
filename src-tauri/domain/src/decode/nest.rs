//! Walks formats that announce what follows (CBOR, MessagePack): items in arrays and maps, of a known number or up to a
//! break. The formats say what stands at a byte; this says where it belongs.

use super::tree::{Build, Key, Kind, Leaf};
use super::{Fault, Limits, Read, words};

/// What stands at a byte.
pub(super) enum Item<'a> {
    /// A value, and the bytes it takes.
    Value(Value<'a>),
    /// An array of so many items, or up to a break.
    Array(Option<u64>),
    /// A map of so many pairs, or up to a break.
    Map(Option<u64>),
    /// The end of an array or map of unknown length.
    Break,
}

/// A value, made readable only when it is shown.
pub(super) enum Value<'a> {
    Text(std::borrow::Cow<'a, str>),
    Bytes(std::borrow::Cow<'a, [u8]>),
    Integer(i128),
    Float(f64),
    Single(f32),
    Plain(Kind, String),
}

impl Value<'_> {
    fn leaf(&self, room: usize) -> Leaf {
        match self {
            Self::Text(text) => {
                let cut = (text.len() > room).then(|| words::counted(text.len() as u64, "byte", "bytes"));
                Leaf::new(Kind::Text, words::clip(text, room)).noted(cut)
            }
            Self::Bytes(bytes) => Leaf::bytes(bytes, room),
            Self::Integer(number) => Leaf::number(number.to_string(), *number as f64),
            Self::Float(number) => Leaf::number(words::float(*number), *number),
            Self::Single(number) => {
                let (written, number) = words::single(*number);
                Leaf::number(written, number)
            }
            Self::Plain(kind, value) => Leaf::new(*kind, value.as_str()),
        }
    }

    fn key(&self, room: usize) -> Key {
        match self {
            Self::Text(text) => Key::Field(text.as_ref().to_owned()),
            other => Key::Other(other.leaf(room).value),
        }
    }
}

/// One item: what it is, where its bytes end (of arrays and maps: where they begin), and what is to say of it.
pub(super) struct Token<'a> {
    pub(super) item: Item<'a>,
    pub(super) end: usize,
    pub(super) note: Option<String>,
}

struct Open {
    start: usize,
    map: bool,
    /// Items or pairs that are still to come, if that is known.
    left: Option<u64>,
    next: u64,
    /// In a map: the key whose value comes next.
    key: Option<Key>,
    /// A key that is an array or a map, being read as a node of its own.
    complex: bool,
}

/// Reads one value; `next` says what stands at a byte.
pub(super) fn read<'a>(
    bytes: &'a [u8],
    limits: &Limits,
    mut next: impl FnMut(usize) -> Result<Token<'a>, Fault>,
) -> Result<Read, Fault> {
    let mut build = Build::new(limits);
    let mut open: Vec<Open> = vec![];
    let mut at = 0;
    loop {
        if at >= bytes.len() {
            return Err(cut_short(bytes, &open));
        }
        let Token { item, end, note } = next(at)?;
        let inside = open.last_mut();
        // In a map, what comes without a key is one.
        let is_key = inside.as_ref().is_some_and(|inside| inside.map && inside.key.is_none());
        match item {
            Item::Break => match inside {
                Some(inside) if inside.left.is_none() && (!inside.map || inside.key.is_none()) => {
                    open.pop();
                    build.close(end);
                    ended(&mut open, &mut build, end);
                }
                _ => return Err(Fault::at(at, "a break stands where a value is expected")),
            },
            Item::Value(value) => match inside {
                Some(inside) if is_key => inside.key = Some(value.key(build.room())),
                inside => {
                    let key = inside.map_or(Key::Root, key_of);
                    build.leaf(&key, at, end, |room| value.leaf(room).noted(note));
                    ended(&mut open, &mut build, end);
                }
            },
            Item::Array(count) | Item::Map(count) => {
                let map = matches!(item, Item::Map(_));
                let key = match inside {
                    Some(inside) if is_key => {
                        inside.complex = true;
                        Key::Other(format!("key {}", inside.next))
                    }
                    inside => inside.map_or(Key::Root, key_of),
                };
                build.open(&key, if map { Kind::Object } else { Kind::Array }, at, note)?;
                open.push(Open { start: at, map, left: count, next: 0, key: None, complex: false });
                if count == Some(0) {
                    open.pop();
                    build.close(end);
                    ended(&mut open, &mut build, end);
                }
            }
        }
        at = end;
        if open.is_empty() {
            break;
        }
    }
    if at < bytes.len() {
        let left = words::counted((bytes.len() - at) as u64, "byte", "bytes");
        build.note(format!("After the value, which ends at byte {}, {left} are left over.", words::count(at as u64)));
    }
    build.finish(None)
}

/// The key of the next value in an array, or of a map whose key is known.
fn key_of(inside: &mut Open) -> Key {
    if inside.map {
        inside.key.take().unwrap_or(Key::Other(format!("value {}", inside.next)))
    } else {
        Key::Index(inside.next)
    }
}

/// A value ended before byte `end`: so may what holds it, and what holds that.
fn ended(open: &mut Vec<Open>, build: &mut Build, end: usize) {
    while let Some(inside) = open.last_mut() {
        if inside.complex {
            // It was a key; its value follows.
            inside.complex = false;
            inside.key = Some(Key::Other(format!("value {}", inside.next)));
            return;
        }
        inside.next += 1;
        match &mut inside.left {
            Some(left) => *left -= 1,
            None => return,
        }
        if inside.left != Some(0) {
            return;
        }
        open.pop();
        build.close(end);
    }
}

fn cut_short(bytes: &[u8], open: &[Open]) -> Fault {
    let Some(inside) = open.last() else { return Fault::all("The payload is empty.") };
    let what = if inside.map { "map" } else { "array" };
    let start = words::count(inside.start as u64);
    let missing = match inside.left {
        Some(left) => format!("{} more to come", words::counted(left, "entry", "entries")),
        None => "its break missing".to_owned(),
    };
    Fault::at(bytes.len(), format!("the payload ends inside the {what} that begins at byte {start}, {missing}"))
}

/// `count` bytes from `from`, or that the payload ends before.
pub(super) fn take(bytes: &[u8], start: usize, from: usize, count: u64) -> Result<&[u8], Fault> {
    let end = usize::try_from(count).ok().and_then(|count| from.checked_add(count));
    end.and_then(|end| bytes.get(from..end)).ok_or_else(|| {
        let (count, there) = (words::counted(count, "byte", "bytes"), bytes.len().saturating_sub(from));
        Fault::at(start, format!("this value has {count}, and {} are left", words::count(there as u64)))
    })
}
