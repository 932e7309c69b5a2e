//! Files that are written for people: where they lie, how they are named, how CSV is spelled. Knows nothing of what is in
//! them. Never overwrites a file.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

/// The person's folder for downloads, or one beside the databases.
pub(crate) fn folder(data_dir: &Path) -> PathBuf {
    let downloads = directories::UserDirs::new().and_then(|dirs| {
        let named = dirs.download_dir().map(Path::to_owned);
        named.or_else(|| Some(dirs.home_dir().join("Downloads"))).filter(|folder| folder.is_dir())
    });
    downloads.unwrap_or_else(|| data_dir.join("exports"))
}

/// A file that was not there before: `relayscope-dead-letters-plant-2026-11-21-140300.csv`, with a number when needed.
pub(crate) fn new_file(folder: &Path, what: &str, ending: &str) -> io::Result<(std::fs::File, PathBuf)> {
    let stem = format!("relayscope-{what}-{}", chrono::Local::now().format("%Y-%m-%d-%H%M%S"));
    let mut number = 1;
    loop {
        let name = if number == 1 { format!("{stem}.{ending}") } else { format!("{stem}-{number}.{ending}") };
        let path = folder.join(name);
        match std::fs::File::options().write(true).create_new(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            other => return other.map(|file| (file, path)),
        }
    }
}

/// A text as a field of CSV (RFC 4180). What a spreadsheet would take for a formula begins with an apostrophe.
pub(crate) fn csv_field(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err();
    let text = if formula { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_where_they_must_be() {
        for (text, expected) in
            [("a", "a"), ("a,\"b\"\n", "\"a,\"\"b\"\"\n\""), ("=1+1", "'=1+1"), ("-21.5", "-21.5"), ("-x", "'-x")]
        {
            assert_eq!(csv_field(text), expected);
        }
    }
}
