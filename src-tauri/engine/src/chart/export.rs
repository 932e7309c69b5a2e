//! The values of a chart as CSV: `at` (RFC 3339, UTC, microseconds), `source`, `topic`, `path`, `value`; one row a value,
//! line by line, oldest first. Values that were thinned away are not in it.

use super::Chart;
use super::series::micros;
use crate::api::wire::ChartSpan;
use crate::exports::csv_field;
use chrono::{DateTime, SecondsFormat};
use relayscope_domain::chart::Point;
use std::io::{self, Write};
use std::time::SystemTime;

impl Chart {
    /// Writes the values of a part of time; returns how many. Blocks.
    pub(crate) fn export(&self, span: ChartSpan, mut out: impl Write) -> io::Result<u64> {
        // Copied, so that nothing waits for a slow disk.
        let lines: Vec<(String, Vec<Point>)> = {
            let state = self.state();
            let (from, until) = state.bounds(span, micros(SystemTime::now()));
            let end = if matches!(span, ChartSpan::Between { .. }) { until } else { i64::MAX };
            let lines = state.series.iter().flat_map(|series| series.lines.iter().map(move |line| (series, line)));
            lines
                .map(|(series, line)| {
                    let named = [&*line.place.source, &line.topic, &series.wanted.path].map(csv_field);
                    (named.join(","), line.track.points(from, end).collect())
                })
                .collect()
        };
        write!(out, "at,source,topic,path,value\r\n")?;
        let mut count = 0;
        for (named, points) in lines {
            for Point { at, value } in points {
                let at = DateTime::from_timestamp_micros(at).unwrap_or_default();
                write!(out, "{},{named},{value}\r\n", at.to_rfc3339_opts(SecondsFormat::Micros, true))?;
                count += 1;
            }
        }
        out.flush()?;
        Ok(count)
    }
}
