//! The project's own text files, and which of their lines are code, and of the product.

use std::fs;
use std::path::Path;

/// A file of this project.
pub(crate) struct Source {
    /// From the top of the repository, with slashes on every system.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A line without its comment.
pub(crate) struct Line<'a> {
    pub(crate) number: usize,
    pub(crate) text: &'a str,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether it belongs to the page.
    pub(crate) fn is_page(&self) -> bool {
        self.path.starts_with("ui/src/")
    }

    /// Whether the whole file is a test or serves tests.
    pub(crate) fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        self.path.starts_with("tests/")
            || self.path.starts_with("src-tauri/fuzz/")
            || self.path.contains("/tests/")
            || name == "tests.rs"
            || name.contains(".test.")
            || name.starts_with("test-")
            || name.starts_with("fake-")
    }

    /// Lines that hold code, without their comments.
    pub(crate) fn code(&self) -> impl Iterator<Item = Line<'_>> {
        let lines =
            self.text.lines().enumerate().map(|(at, line)| Line { number: at + 1, text: without_comment(line) });
        lines.filter(|line| !line.text.trim().is_empty())
    }

    /// Lines of code that are in the product: none of a test file, none of a `#[cfg(test)]` module.
    pub(crate) fn product(&self) -> impl Iterator<Item = Line<'_>> {
        let whole = self.is_test();
        let mut state = Skip::No;
        self.code().filter(move |line| {
            state = state.after(line.text);
            !whole && matches!(state, Skip::No)
        })
    }

    /// `path:line: text` for each of the lines.
    pub(crate) fn places<'a>(&self, lines: impl Iterator<Item = Line<'a>>) -> Vec<String> {
        lines.map(|line| format!("{}:{}: {}", self.path, line.number, line.text.trim())).collect()
    }
}

/// Where a reader of lines stands with regard to `#[cfg(test)]`.
#[derive(Clone, Copy)]
enum Skip {
    No,
    /// The attribute was just read: what follows is for tests.
    Attribute,
    /// In an item for tests that began with this indentation and has not closed.
    Item(usize),
    /// The last line of such an item.
    Last,
}

impl Skip {
    fn after(self, line: &str) -> Self {
        let indent = line.len() - line.trim_start().len();
        match self {
            Self::No | Self::Last if line.trim() == "#[cfg(test)]" => Self::Attribute,
            Self::No | Self::Last => Self::No,
            Self::Attribute if line.trim_start().starts_with("#[") => Self::Attribute,
            Self::Attribute if line.trim_end().ends_with('{') => Self::Item(indent),
            Self::Attribute => Self::Last,
            Self::Item(from) if indent == from && line.trim_start().starts_with('}') => Self::Last,
            Self::Item(from) => Self::Item(from),
        }
    }
}

/// Cuts a line comment; `//` after a colon is an address.
fn without_comment(line: &str) -> &str {
    let mut from = 0;
    while let Some(at) = line[from..].find("//").map(|at| at + from) {
        if !line[..at].ends_with(':') {
            return &line[..at];
        }
        from = at + 2;
    }
    line
}

/// Everything written by hand: Rust, the page, manifests. Not what is generated, built or fetched.
pub(crate) fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for top in ["Cargo.toml", "src-tauri", "tests", "ui/src"] {
        collect(root, top, &mut found);
    }
    found
}

fn collect(root: &Path, path: &str, found: &mut Vec<Source>) {
    let full = root.join(path);
    let name = path.rsplit('/').next().unwrap_or_default();
    if full.is_dir() {
        if matches!(name, "bindings" | "gen" | "node_modules" | "target") {
            return;
        }
        let entries = fs::read_dir(&full).expect("a folder of the project").flatten();
        let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        for name in names {
            collect(root, &format!("{path}/{name}"), found);
        }
    } else if [".rs", ".ts", ".svelte", ".css", ".toml", ".sql"].iter().any(|end| name.ends_with(end)) {
        let text = fs::read_to_string(&full).expect("a file of the project");
        found.push(Source { path: path.to_owned(), text });
    }
}
