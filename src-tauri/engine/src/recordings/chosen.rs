//! Events that a person chose: rows of a view, a part of them, or the history under a filter. Their numbers are found
//! first, then they are read in parts, oldest first.

use crate::Engine;
use crate::api::wire::CaptureOf;
use crate::feed::Feed;
use crate::feed::event::Event;
use crate::feed::history::{History, HistoryError};
use relayscope_domain::filter::parse;
use std::time::Duration;

/// Between two looks at whether a view has looked at everything.
const LOOK: Duration = Duration::from_millis(10);

/// Why chosen events can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ChosenError {
    /// The view was closed.
    #[error("The view is no longer open: it was closed, or its recording was.")]
    Gone,
    /// The filter has a mistake.
    #[error("{0}")]
    Filter(String),
    /// The history can't be read.
    #[error(transparent)]
    History(#[from] HistoryError),
}

/// Events of a feed or of the history, oldest first; payloads of a feed are shared.
pub(crate) enum Chosen {
    /// Of a feed, by their numbers.
    Feed(Feed, Vec<u64>),
    /// Of the history, by theirs.
    History(History, Vec<i64>),
}

/// Events of a feed that are read at once.
const PAGE: usize = 1_000;

/// Some of the chosen events.
pub(crate) struct Page {
    /// Without those that are no longer kept.
    pub(crate) events: Vec<Event>,
    /// The place at which the next ones begin.
    pub(crate) next: usize,
}

impl Chosen {
    /// Finds the events. `look` is told how many events of the history were looked at, and whether to go on.
    pub(crate) async fn find(
        engine: &Engine,
        of: &CaptureOf,
        look: impl FnMut(u64) -> bool,
    ) -> Result<Self, ChosenError> {
        match of {
            CaptureOf::View { view } => {
                let feed = engine.feed_of_view(*view);
                let numbers = numbers(&feed, *view).await?;
                Ok(Self::Feed(feed, numbers))
            }
            CaptureOf::Range { view, from, to } => {
                let feed = engine.feed_of_view(*view);
                let mut numbers = numbers(&feed, *view).await?;
                let range = *from.min(to)..=*from.max(to);
                numbers.retain(|number| range.contains(number));
                Ok(Self::Feed(feed, numbers))
            }
            CaptureOf::History { line } => {
                let filter = parse(line).map_err(|mistakes| {
                    let words: Vec<String> = mistakes.into_iter().map(|mistake| mistake.message).collect();
                    ChosenError::Filter(words.join(" "))
                })?;
                let ids = engine.history.chosen(&filter, look).await?;
                Ok(Self::History(engine.history.clone(), ids))
            }
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Feed(_, numbers) => numbers.len(),
            Self::History(_, ids) => ids.len(),
        }
    }

    /// Those from a place on that are read at once: a thousand of a feed, of the history as many as its own limit of bytes
    /// allows. `None` after the last.
    pub(crate) async fn page(&self, from: usize) -> Result<Option<Page>, ChosenError> {
        if from >= self.len() {
            return Ok(None);
        }
        let (events, count) = match self {
            Self::Feed(feed, numbers) => {
                let some = &numbers[from..(from + PAGE).min(numbers.len())];
                (feed.copies(some), some.len())
            }
            Self::History(history, ids) => history.events(&ids[from..]).await?,
        };
        Ok(Some(Page { events, next: from + count }))
    }
}

/// Numbers of a view's rows, once it has looked at everything.
async fn numbers(feed: &Feed, view: u32) -> Result<Vec<u64>, ChosenError> {
    loop {
        let frame = feed.frame(view).ok_or(ChosenError::Gone)?;
        if frame.looked >= frame.to_look {
            return feed.numbers(view).ok_or(ChosenError::Gone);
        }
        // Whoever opened the view is at it.
        tokio::time::sleep(LOOK).await;
    }
}
