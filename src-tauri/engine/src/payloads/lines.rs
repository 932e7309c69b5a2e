//! A long text, or many bytes, as lines of a width that a page shows, found by their number.

use bytes::Bytes;
use std::fmt::Write;

pub(crate) use crate::api::wire::LinesForm as Form;

/// Lines.
#[derive(Debug)]
pub(crate) struct Lines {
    columns: usize,
    of: Of,
}

#[derive(Debug)]
enum Of {
    // The text, and where its lines begin.
    Text(Box<str>, Vec<u32>),
    // The bytes, and how many stand in a line.
    Bytes(Bytes, usize),
}

impl Lines {
    /// A text by lines; a longer line goes on in the next. Texts have less than 4 GiB.
    pub(super) fn of_text(text: &str, columns: usize) -> Self {
        let mut begins = vec![];
        let mut at = 0;
        for line in text.split('\n') {
            begins.push(at as u32);
            let wraps = line.char_indices().enumerate().filter(|(count, _)| *count > 0 && count % columns == 0);
            begins.extend(wraps.map(|(_, (place, _))| (at + place) as u32));
            at += line.len() + 1;
        }
        Self { columns, of: Of::Text(text.into(), begins) }
    }

    /// Bytes as offset, hexadecimal and ASCII: sixteen in a line where they have room, else eight or four.
    pub(super) fn of_bytes(bytes: Bytes, columns: usize) -> Self {
        let row = match columns {
            77.. => 16,
            43.. => 8,
            _ => 4,
        };
        Self { columns, of: Of::Bytes(bytes, row) }
    }

    pub(super) fn is(&self, form: Form, columns: usize) -> bool {
        self.columns == columns && matches!(self.of, Of::Text(..)) == (form == Form::Pretty)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        match &self.of {
            Of::Text(_, begins) => begins.len(),
            Of::Bytes(bytes, row) => bytes.len().div_ceil(*row),
        }
    }

    /// Some of them.
    pub(crate) fn get(&self, from: usize, count: usize) -> Vec<String> {
        let end = from.saturating_add(count).min(self.len());
        (from..end).map(|number| self.line(number)).collect()
    }

    fn line(&self, number: usize) -> String {
        match &self.of {
            Of::Text(text, begins) => {
                let end = begins.get(number + 1).map_or(text.len(), |end| *end as usize);
                text[begins[number] as usize..end].trim_end_matches(['\n', '\r']).to_owned()
            }
            Of::Bytes(bytes, row) => hex(&bytes[number * row..bytes.len().min((number + 1) * row)], number * row, *row),
        }
    }
}

fn hex(line: &[u8], offset: usize, row: usize) -> String {
    let mut out = format!("{offset:08x}  ");
    for column in 0..row {
        match line.get(column) {
            // Writing to a String does not fail.
            Some(byte) => drop(write!(out, "{byte:02x} ")),
            None => out.push_str("   "),
        }
        if column % 8 == 7 || column + 1 == row {
            out.push(' ');
        }
    }
    out.extend(line.iter().map(|byte| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '.' }));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_bytes_are_broken_into_lines_that_join_again() {
        let lines = Lines::of_text("{\r\n  \"é\": 12345\n}\n", 6);
        assert_eq!(lines.get(0, 10), ["{", "  \"é\":", " 12345", "}", ""]);
        assert_eq!((lines.len(), lines.get(1, 2).len(), lines.get(9, 3).len()), (5, 2, 0));
        assert_eq!(Lines::of_text("", 80).get(0, 9), [""]);
        let bytes = Lines::of_bytes(Bytes::from_static(b"\x00\xffabc defg"), 43);
        assert_eq!(
            bytes.get(0, 9),
            ["00000000  00 ff 61 62 63 20 64 65  ..abc de", "00000008  66 67                    fg"]
        );
        assert_eq!(Lines::of_bytes(Bytes::from(vec![0; 33]), 80).len(), 3);
        assert_eq!(Lines::of_bytes(Bytes::from_static(b"abcde"), 42).get(1, 1), ["00000004  65           e"]);
    }
}
