//! Commands about the chart of the Live Inspector.

use super::error;
use super::wire::*;
use crate::Engine;
use crate::chart::ChartError;
use crate::exports;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use relayscope_domain::decode::path;
use relayscope_domain::problem::{Problem, Problems};
use relayscope_domain::topic;
use std::fs::File;
use std::io::{self, BufWriter, Write};

/// The most bytes of a picture.
const PICTURE: usize = 32 << 20;
/// What a PNG begins with.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

impl From<ChartError> for ApiError {
    fn from(problem: ChartError) -> Self {
        error::failed(problem.to_string())
    }
}

pub(super) async fn pick(engine: &Engine, request: ChartPick) -> Result<Nothing, ApiError> {
    let published = super::decoders::published(engine, request.seq, false).await?;
    let looked = engine.look_again(published, request.decoder.as_ref()).await?;
    let number = looked.read.as_ref().ok().and_then(|decoded| path::number(&decoded.root, &request.path));
    if number.is_none() {
        return Err(error::failed(format!("There is no number at {} in this message.", request.path)));
    }
    let (events, _) = engine.feed_of_event(request.seq).after(request.seq.saturating_sub(1), 1);
    let event = events.first().filter(|event| event.seq == request.seq).ok_or_else(|| error::not_found("event"))?;
    let decoder = match &request.decoder {
        Some(draft) => Some(engine.drafted(draft).await?),
        None => None,
    };
    engine.runtime.chart.pick(event, &request.path, decoder)?;
    read_up(engine).await?;
    keep(engine).await
}

pub(super) async fn add(engine: &Engine, request: ChartDraft) -> Result<Nothing, ApiError> {
    let (filter, path) = (request.topic.trim(), request.path.trim());
    let mut problems = Problems::default();
    problems.take("topic", topic::check_filter(filter));
    if filter.starts_with("$share/") {
        problems.add("topic", "Write the filter without $share/group/: messages arrive under their topic.");
    }
    if !path.starts_with('$') {
        problems.add("path", "Write the path from the payload's root on, as $.temperature; $ is the payload itself.");
    }
    problems.finish(()).map_err(|problems: Vec<Problem>| ApiError {
        code: ErrorCode::Invalid,
        problems,
        ..error::failed("The field can't be charted yet.")
    })?;
    engine.runtime.chart.add(filter, path)?;
    read_up(engine).await?;
    keep(engine).await
}

/// Keeps what is charted for the next start.
async fn keep(engine: &Engine) -> Result<Nothing, ApiError> {
    Ok(engine.store.save_charts(|| engine.runtime.chart.charted()).await?)
}

/// Reads what the feed keeps: at once as far as it goes in a moment, then on and on.
async fn read_up(engine: &Engine) -> Result<Nothing, ApiError> {
    let (chart, feed) = (engine.runtime.chart.clone(), engine.feed.clone());
    chart.renew(&engine.store).await?;
    let newest = feed.usage().recorded;
    let first = move || {
        chart.look(&feed);
        if !chart.has_read(newest) {
            // Ends when it has read everything, or nothing is charted any more.
            tokio::task::spawn_blocking(move || {
                while !chart.has_read(newest) {
                    chart.look(&feed);
                }
            });
        }
    };
    tokio::task::spawn_blocking(first).await.map_err(|problem| error::failed(problem.to_string()))
}

pub(super) async fn remove(engine: &Engine, request: ChartRemoval) -> Result<Nothing, ApiError> {
    engine.runtime.chart.remove(request.series, request.line);
    keep(engine).await
}

pub(super) async fn points(engine: &Engine, request: ChartRequest) -> Result<ChartPoints, ApiError> {
    let (chart, feed) = (engine.runtime.chart.clone(), engine.feed.clone());
    let points = move || chart.points(request.span, request.steps, request.known, &feed);
    tokio::task::spawn_blocking(points).await.map_err(|problem| error::failed(problem.to_string()))
}

pub(super) async fn export(engine: &Engine, request: ChartExport) -> Result<Exported, ApiError> {
    let chart = engine.runtime.chart.clone();
    write_file(engine, "csv", move |out| chart.export(request.span, out)).await.map(|(path, count)| Exported {
        path,
        count,
        words: if count == 1 { "1 value was written.".to_owned() } else { format!("{count} values were written.") },
    })
}

pub(super) async fn picture(engine: &Engine, request: ChartPicture) -> Result<Exported, ApiError> {
    let png = STANDARD.decode(&request.png).ok().filter(|png| png.starts_with(PNG) && png.len() <= PICTURE);
    let png = png.ok_or_else(|| error::failed("The picture is no PNG, or larger than 32 MB."))?;
    let words = format!("{} bytes were written.", png.len());
    let (path, count) = write_file(engine, "png", move |out| out.write_all(&png).map(|()| 1)).await?;
    Ok(Exported { path, count, words })
}

/// Writes a new file into the folder for downloads; nothing half written stays. Its path, and what `write` says.
async fn write_file(
    engine: &Engine,
    ending: &'static str,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<u64> + Send + 'static,
) -> Result<(String, u64), ApiError> {
    let folder = exports::folder(&engine.data_dir);
    let work = move || {
        let unwritten = |path: &std::path::Path, problem: &io::Error| {
            let path = path.display();
            error::failed(format!(
                "The chart could not be written to {path}: {problem}. Free some space or mend the folder."
            ))
        };
        std::fs::create_dir_all(&folder).map_err(|problem| unwritten(&folder, &problem))?;
        let (file, path) =
            exports::new_file(&folder, "chart", ending).map_err(|problem| unwritten(&folder, &problem))?;
        let mut out = BufWriter::new(file);
        let written = write(&mut out).and_then(|count| out.flush().map(|()| count));
        match written {
            Ok(count) => Ok((path.display().to_string(), count)),
            Err(problem) => {
                let _ = std::fs::remove_file(&path);
                Err(unwritten(&path, &problem))
            }
        }
    };
    tokio::task::spawn_blocking(work).await.map_err(|problem| error::failed(problem.to_string()))?
}
