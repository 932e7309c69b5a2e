//! What an event of the history published, for decoders: the message itself, the one before it, the births it is read with.

use super::pages::Candidates;
use super::stored::Stored;
use super::{History, HistoryError, READ_AT_MOST};
use crate::feed::event::Kind;
use crate::feed::filter::compile;
use crate::feed::published::{Place, Published};
use bytes::Bytes;
use relayscope_domain::decode::sparkplug;
use relayscope_domain::filter::{Direction, Filter, KindName, Subject, Term, Test};
use relayscope_domain::message::Qos;
use std::ops::ControlFlow;
use std::sync::Arc;

impl History {
    /// What an event published: `None` when it is no longer kept, the inner `None` when it published nothing.
    pub async fn published(&self, id: u64) -> Result<Option<Option<Published>>, HistoryError> {
        let Some(table) = self.table(false).await? else { return Ok(None) };
        let found = table.event(i64::try_from(id).unwrap_or(i64::MAX)).await?;
        Ok(found.map(Stored::published))
    }

    /// The number of the newest message of the same topic, from the same source and the same way, before an event.
    pub async fn previous(&self, id: u64) -> Result<Option<u64>, HistoryError> {
        let id = i64::try_from(id).unwrap_or(i64::MAX);
        let Some(table) = self.table(false).await? else { return Ok(None) };
        let Some(stored) = table.event(id).await? else { return Ok(None) };
        let ways: Vec<Direction> = stored.direction().into_iter().collect();
        let filter = of(vec![
            Test::Kind(vec![KindName::Publish]),
            Test::Topic(vec![stored.topic().to_owned()]),
            Test::Direction(ways),
        ]);
        let mut found = None;
        self.before(&filter, id, |other| {
            if other.payload.is_none() || other.name() != stored.name() {
                return ControlFlow::Continue(());
            }
            found = Some(other.id.unsigned_abs());
            ControlFlow::Break(())
        })
        .await?;
        Ok(found)
    }

    /// The births up to an event that tell aliases of its topic, oldest first.
    pub async fn births(&self, event: &Published) -> Result<Vec<(Arc<str>, Bytes)>, HistoryError> {
        let filter = of(vec![Test::Kind(vec![KindName::Publish]), Test::Text("BIRTH".to_owned())]);
        let upto = i64::try_from(event.seq).unwrap_or(i64::MAX).saturating_add(1);
        let mut births = vec![];
        self.before(&filter, upto, |stored| {
            if let Some(Some(birth)) = Some(stored.published())
                && birth.cut_from.is_none()
                && sparkplug::tells(&birth.topic, &event.topic)
            {
                births.push((birth.topic, birth.payload));
            }
            ControlFlow::Continue(())
        })
        .await?;
        births.reverse();
        Ok(births)
    }

    /// Shows the events before an id that a filter selects, newest first, as far as one look reaches.
    async fn before(
        &self,
        filter: &Filter,
        before: i64,
        mut look: impl FnMut(Stored) -> ControlFlow<()>,
    ) -> Result<(), HistoryError> {
        let Some(table) = self.table(false).await? else { return Ok(()) };
        let compiled = compile(filter);
        let (mut candidates, mut read) = (Candidates::before(&table, filter, before), 0);
        while !candidates.is_done() && read < READ_AT_MOST {
            for stored in candidates.next().await? {
                read += 1;
                if compiled.selects(&stored) && look(stored).is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

fn of(tests: Vec<Test>) -> Filter {
    Filter { terms: tests.into_iter().map(|test| Term { not: false, test }).collect() }
}

impl Stored {
    /// What it published, if it did.
    fn published(self) -> Option<Published> {
        let payload = Bytes::from(self.payload?);
        let row = self.told.row;
        let properties = match self.told.exact {
            Some(Kind::Publish { properties, .. }) => properties,
            _ => vec![],
        };
        let whole = row.size.map_or(payload.len(), |size| size as usize);
        Some(Published {
            place: Place::History,
            seq: self.id.unsigned_abs(),
            source: row.source.into(),
            topic: row.topic.into(),
            cut_from: (whole > payload.len()).then_some(whole),
            payload,
            qos: row.qos.and_then(|qos| Qos::try_from(qos).ok()).unwrap_or(Qos::AtMostOnce),
            retain: row.retain,
            properties,
        })
    }
}
