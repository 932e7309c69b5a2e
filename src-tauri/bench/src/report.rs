//! Figures of all runs, as a table for people and as JSON. Each cell is the median of the rounds and, with several, their
//! range; a ratio is taken within one round, because a machine is never equally busy twice.

use crate::Outcome;
use crate::process::stopped;
use serde::Serialize;
use std::fmt::Write as _;
use std::path::Path;

/// The relay that ratios are taken to.
const YARDSTICK: &str = "null";
/// The figure that ratios are taken of.
const RATED: &str = "msg/s";

/// One run of one relay.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    scenario: String,
    case: String,
    relay: String,
    round: u32,
    figures: Vec<(String, f64)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

impl Row {
    /// A run without figures yet.
    pub fn new(scenario: &str, case: &str, relay: &str, round: u32) -> Self {
        let (scenario, case, relay) = (scenario.to_owned(), case.to_owned(), relay.to_owned());
        Self { scenario, case, relay, round, figures: vec![], note: None }
    }

    /// One more figure.
    pub fn with(mut self, name: &str, value: f64) -> Self {
        self.figures.push((name.to_owned(), value));
        self
    }

    /// Why there are no figures.
    pub fn noted(mut self, note: &str) -> Self {
        self.note = Some(note.to_owned());
        self
    }

    fn figure(&self, name: &str) -> Option<f64> {
        self.figures.iter().find(|(found, _)| found == name).map(|(_, value)| *value)
    }
}

/// All runs so far.
#[derive(Default, Serialize)]
pub struct Report {
    /// What was measured where.
    about: Vec<(String, String)>,
    rows: Vec<Row>,
    failed: usize,
}

impl Report {
    /// Without runs yet.
    pub fn new(about: Vec<(String, String)>) -> Self {
        Self { about, rows: vec![], failed: 0 }
    }

    /// Adds a run, and says it on standard error.
    pub fn add(&mut self, row: Row) {
        let figures: Vec<String> =
            row.figures.iter().map(|(name, value)| format!("{name} {}", number(*value))).collect();
        let note = row.note.as_deref().unwrap_or_default();
        eprintln!("{}, {}, {}, round {}: {}{note}", row.scenario, row.case, row.relay, row.round, figures.join(", "));
        self.rows.push(row);
    }

    /// Adds what a run gives. One that fails is noted in its place, and the others go on; but not once asked to stop.
    pub fn attempt(&mut self, row: Row, run: impl FnOnce(Row) -> Outcome<Row>) -> Outcome<()> {
        let done = match run(row.clone()) {
            Ok(done) => done,
            Err(problem) if stopped() => return Err(problem),
            Err(problem) => {
                self.failed += 1;
                row.noted(&problem)
            }
        };
        self.add(done);
        Ok(())
    }

    /// Runs that failed.
    pub fn failed(&self) -> usize {
        self.failed
    }

    /// Markdown: one table for each scenario.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        for (name, value) in &self.about {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "- {name}: {value}");
        }
        for scenario in distinct(self.rows.iter().map(|row| row.scenario.as_str())) {
            let _ = writeln!(text, "\n### {scenario}\n");
            self.table(&mut text, scenario);
        }
        text
    }

    /// Writes everything as JSON.
    pub fn write_json(&self, path: &Path) -> Outcome<()> {
        let text = serde_json::to_string_pretty(self).map_err(|error| error.to_string())?;
        std::fs::write(path, text + "\n").map_err(|error| format!("{}: {error}.", path.display()))
    }

    fn table(&self, text: &mut String, scenario: &str) {
        let rows: Vec<&Row> = self.rows.iter().filter(|row| row.scenario == scenario).collect();
        let names = distinct(rows.iter().flat_map(|row| row.figures.iter().map(|(name, _)| name.as_str())));
        let rated = rows.iter().any(|row| row.relay == YARDSTICK) && names.contains(&RATED);
        let mut head = vec!["case", "relay"];
        head.extend(names.iter().copied());
        if rated {
            head.push("of null");
        }
        let _ = writeln!(text, "| {} |\n|{}", head.join(" | "), "---|".repeat(head.len()));
        for case in distinct(rows.iter().map(|row| row.case.as_str())) {
            let of_case: Vec<&&Row> = rows.iter().filter(|row| row.case == case).collect();
            for relay in distinct(of_case.iter().map(|row| row.relay.as_str())) {
                let runs: Vec<&Row> = of_case.iter().filter(|row| row.relay == relay).map(|row| **row).collect();
                let mut cells = vec![case.to_owned(), relay.to_owned()];
                cells.extend(names.iter().map(|name| range(runs.iter().filter_map(|run| run.figure(name)).collect())));
                if rated {
                    cells.push(range(ratios(&runs, &of_case)));
                }
                if let Some(note) = runs.iter().find_map(|run| run.note.as_deref()) {
                    cells[1] = format!("{relay}: {note}");
                }
                let _ = writeln!(text, "| {} |", cells.join(" | "));
            }
        }
    }
}

/// Of each run, its rate in relation to the yardstick's of the same round.
fn ratios(runs: &[&Row], all: &[&&Row]) -> Vec<f64> {
    let base = |round| all.iter().find(|row| row.relay == YARDSTICK && row.round == round)?.figure(RATED);
    runs.iter().filter_map(|run| Some(run.figure(RATED)? / base(run.round).filter(|base| *base > 0.0)?)).collect()
}

/// The median and, of several, the smallest and largest.
fn range(mut values: Vec<f64>) -> String {
    values.sort_by(f64::total_cmp);
    let (Some(first), Some(last)) = (values.first(), values.last()) else { return "–".into() };
    let middle = (values[(values.len() - 1) / 2] + values[values.len() / 2]) / 2.0;
    let middle = number(middle);
    if values.len() == 1 || first == last {
        middle
    } else {
        format!("{middle} ({}–{})", number(*first), number(*last))
    }
}

/// Three digits that count, thousands apart.
fn number(value: f64) -> String {
    if value.fract() == 0.0 || value.abs() >= 100.0 {
        let digits = format!("{:.0}", value.abs());
        let grouped: Vec<&str> =
            digits.as_bytes().rchunks(3).rev().filter_map(|part| str::from_utf8(part).ok()).collect();
        return format!("{}{}", if value < 0.0 { "-" } else { "" }, grouped.join(","));
    }
    if value.abs() >= 10.0 { format!("{value:.1}") } else { format!("{value:.2}") }
}

fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut found: Vec<&str> = vec![];
    for name in names {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_medians_ranges_and_ratios_within_a_round() {
        let mut report = Report::default();
        for (relay, round, rate) in [("a", 1, 500.0), ("null", 1, 1_000.0), ("a", 2, 900.0), ("null", 2, 3_000.0)] {
            report.add(Row::new("throughput", "QoS 1", relay, round).with("msg/s", rate));
        }
        report.add(Row::new("throughput", "QoS 1", "b", 1).noted("left out"));
        let text = report.markdown();
        assert!(text.contains("| QoS 1 | a | 700 (500–900) | 0.40 (0.30–0.50) |"), "{text}");
        assert!(text.contains("| QoS 1 | null | 2,000 (1,000–3,000) | 1 |"), "{text}");
        assert!(text.contains("| QoS 1 | b: left out | – | – |"), "{text}");
        let failing = report.attempt(Row::new("throughput", "QoS 1", "c", 1), |_| Err("it fell over".into()));
        assert_eq!((failing, report.failed()), (Ok(()), 1));
        assert!(report.markdown().contains("| QoS 1 | c: it fell over | – | – |"));
    }
}
