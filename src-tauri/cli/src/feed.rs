//! The feed on stdout: rows as lines or as JSON.
//!
//! A row is printed once and in order; what the engine dropped from memory before it was printed is counted in a line of
//! its own. Control characters of topics and payloads never reach the terminal.

use relayscope_engine::Engine;
use relayscope_engine::api::wire::{Row, RowTone};
use std::fmt::Write as _;
use std::io::{self, Write as _};

/// Rows asked for at once.
const BATCH: usize = 512;

/// How a row is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Coloured,
    Json,
}

/// Prints the feed from its beginning on.
pub(crate) struct Printer {
    style: Style,
    last: u64,
}

impl Printer {
    pub(crate) fn new(style: Style) -> Self {
        Self { style, last: 0 }
    }

    /// Prints until printing fails or the feed ends.
    pub(crate) async fn follow(&mut self, engine: &Engine) -> io::Result<()> {
        let mut changes = engine.feed_changes();
        loop {
            changes.borrow_and_update();
            while let Some(text) = self.next(engine) {
                // On a thread of its own: a stopped terminal must not keep us from hearing a signal.
                let printed = tokio::task::spawn_blocking(move || {
                    let mut out = io::stdout().lock();
                    out.write_all(text.as_bytes()).and_then(|()| out.flush())
                });
                printed.await.map_err(io::Error::other)??;
            }
            if changes.changed().await.is_err() {
                return Ok(());
            }
        }
    }

    /// The text of the next rows, or nothing when all are printed.
    fn next(&mut self, engine: &Engine) -> Option<String> {
        let (rows, missed) = engine.follow(self.last, BATCH);
        let newest = rows.last()?.seq;
        let mut text = String::new();
        if missed > 0 {
            text.push_str(&missed_line(missed, self.style));
        }
        for row in &rows {
            text.push_str(&line(row, self.style));
        }
        self.last = newest;
        Some(text)
    }
}

fn missed_line(count: u64, style: Style) -> String {
    match style {
        Style::Json => format!("{{\"kind\":\"missed\",\"count\":{count}}}\n"),
        Style::Plain | Style::Coloured => format!("… {count} events went by too fast to be printed …\n"),
    }
}

fn line(row: &Row, style: Style) -> String {
    if style == Style::Json {
        return serde_json::to_string(row)
            .map_or_else(|error| format!("{{\"kind\":\"unprintable\",\"why\":\"{error}\"}}\n"), |json| json + "\n");
    }
    let (on, off) = if style == Style::Coloured { (colour(row.tone), "\x1b[0m") } else { ("", "") };
    let mut text = format!("{}  {on}{:<12}{off}  {:<20}", clock(row.at), clean(&row.kind), clean(&row.client));
    for part in [&row.topic, &row.preview] {
        if !part.is_empty() {
            text.push_str("  ");
            text.push_str(&clean(part));
        }
    }
    let mut facts: Vec<String> = vec![];
    facts.extend(row.qos.map(|qos| format!("QoS {qos}")));
    facts.extend(row.retain.then(|| "retained".to_owned()));
    facts.extend(row.size.map(|size| format!("{size} B")));
    if !facts.is_empty() {
        // Writing to a String cannot fail.
        let _ = write!(text, "  ({})", facts.join(", "));
    }
    let mut text = text.trim_end().to_owned();
    text.push('\n');
    text
}

fn colour(tone: RowTone) -> &'static str {
    match tone {
        RowTone::Connect => "\x1b[36m",
        RowTone::Quiet => "\x1b[90m",
        RowTone::Subscribe => "\x1b[35m",
        RowTone::Publish => "\x1b[34m",
        RowTone::Delivered => "\x1b[32m",
        RowTone::Warn => "\x1b[33m",
        RowTone::Bad => "\x1b[31m",
    }
}

/// Time of day in UTC.
fn clock(millis: i64) -> String {
    let day = millis.rem_euclid(86_400_000);
    format!("{:02}:{:02}:{:02}.{:03}Z", day / 3_600_000, day / 60_000 % 60, day / 1_000 % 60, day % 1_000)
}

/// The text without control characters and without those that turn the direction of writing.
fn clean(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test says what it expects")]
mod tests {
    use super::*;
    use relayscope_engine::api::wire::KindGroup;

    fn row() -> Row {
        Row {
            seq: 7,
            at: 3_723_004,
            kind: "publish".into(),
            group: KindGroup::Publish,
            tone: RowTone::Publish,
            source: "plant".into(),
            client: "sensor-07".into(),
            topic: "a/b".into(),
            preview: "21.5\u{1b}[2J".into(),
            size: Some(4),
            qos: Some(1),
            retain: true,
            message_id: None,
        }
    }

    #[test]
    fn rows_become_lines() {
        assert_eq!(
            line(&row(), Style::Plain),
            "01:02:03.004Z  publish       sensor-07             a/b  21.5\u{fffd}[2J  (QoS 1, retained, 4 B)\n"
        );
        assert!(line(&row(), Style::Coloured).contains("\u{1b}[34mpublish     \u{1b}[0m"));
        let json = line(&row(), Style::Json);
        let parsed: serde_json::Value = serde_json::from_str(&json).expect("one JSON object");
        assert_eq!((parsed["seq"].as_u64(), json.matches('\n').count()), (Some(7), 1));
        assert!(serde_json::from_str::<serde_json::Value>(&missed_line(3, Style::Json)).is_ok());
    }

    #[test]
    fn nothing_escapes_to_the_terminal() {
        assert_eq!(clean("a\x1b[2Jb\u{202e}c\n"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}");
    }

    #[test]
    fn times_are_of_the_day() {
        assert_eq!(clock(86_400_000 + 3_723_004), "01:02:03.004Z");
        assert_eq!(clock(-1), "23:59:59.999Z");
    }
}
