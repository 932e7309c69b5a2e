//! The copy of what passes: handed to the connection's parser without ever waiting for it.
//!
//! When the parser is behind, copies are left out until it has room again, beginning with a whole packet; what was left
//! out is counted and shown. So a full channel costs events, never bytes, and the memory of all copies is bounded.

use super::Way;
use super::events::{Missed, Moment, Story};
use super::framing::Walked;
use super::parser::Parser;
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::mpsc;

/// Chunks that may wait for the parser of one connection.
const CHUNKS: usize = 256;
/// Bytes that may wait for the parsers of all connections of a front.
const BYTES: usize = 64 << 20;

/// Bytes that passed.
struct Chunk {
    way: Way,
    at: Moment,
    bytes: Bytes,
    /// What was left out before them; they begin with a whole packet then.
    missed: Option<Missed>,
}

/// Bytes that wait for the parsers of a front.
pub(super) type Backlog = Arc<AtomicUsize>;

/// Hands copies over.
pub(super) struct Mirror {
    // Sender: the connection's forwarding. Receiver: its parser. Full: the chunk is left out and counted.
    chunks: mpsc::Sender<Chunk>,
    backlog: Backlog,
    missed: [Option<Missed>; 2],
}

/// The other end.
pub(super) struct Reader {
    chunks: mpsc::Receiver<Chunk>,
    backlog: Backlog,
}

/// A mirror and its reader.
pub(super) fn mirror(backlog: Backlog) -> (Mirror, Reader) {
    let (sender, receiver) = mpsc::channel(CHUNKS);
    let mirror = Mirror { chunks: sender, backlog: backlog.clone(), missed: [None, None] };
    (mirror, Reader { chunks: receiver, backlog })
}

impl Mirror {
    /// Hands a copy over, or leaves it out. `packets` is how many packets begin in it.
    pub(super) fn show(&mut self, way: Way, at: Moment, bytes: &Bytes, walked: Walked, packets: u64) {
        let missed = &mut self.missed[way as usize];
        let leave_out = |missed: &mut Option<Missed>| {
            let so_far = missed.get_or_insert_default();
            so_far.packets += packets;
            so_far.bytes += bytes.len() as u64;
        };
        // After something was left out only a whole packet can be read again.
        let from = match (missed.is_some(), walked.boundary) {
            (false, _) => 0,
            (true, Some(boundary)) => boundary,
            (true, None) => return leave_out(missed),
        };
        let room = self.backlog.load(Ordering::Relaxed) + bytes.len() <= BYTES;
        let permit = if room { self.chunks.try_reserve().ok() } else { None };
        let Some(permit) = permit else { return leave_out(missed) };
        let so_far = missed.take().map(|missed| Missed { bytes: missed.bytes + from as u64, ..missed });
        let bytes = bytes.slice(from..);
        self.backlog.fetch_add(bytes.len(), Ordering::Relaxed);
        permit.send(Chunk { way, at, bytes, missed: so_far });
    }

    /// What was left out and not told yet.
    pub(super) fn left_out(&self) -> Missed {
        self.missed.iter().flatten().fold(Missed::default(), |sum, missed| Missed {
            packets: sum.packets + missed.packets,
            bytes: sum.bytes + missed.bytes,
        })
    }
}

impl Reader {
    /// Reads until the mirror is gone; the story comes back with everything told.
    pub(super) async fn read(mut self, mut story: Story, keep: usize) -> Story {
        let mut parser = Parser::new(keep);
        while let Some(Chunk { way, at, bytes, missed }) = self.chunks.recv().await {
            if let Some(missed) = missed {
                story.missed(at, missed);
                parser.restart(way);
            }
            parser.feed(way, &bytes, |seen| story.packet(way, at, seen));
            self.backlog.fetch_sub(bytes.len(), Ordering::Relaxed);
        }
        story
    }
}

#[cfg(test)]
mod tests {
    use super::super::framing::Walker;
    use super::*;
    use std::time::{Instant, SystemTime};

    #[test]
    fn what_does_not_fit_is_counted_and_the_next_whole_packet_is_shown() {
        let (mut mirror, mut reader) = mirror(Backlog::default());
        let mut walker = Walker::default();
        let mut show = |mirror: &mut Mirror, bytes: &'static [u8]| {
            let mut packets = 0;
            let walked = walker.walk(bytes, |_| {
                packets += 1;
                true
            });
            let at = (SystemTime::now(), Instant::now());
            mirror.show(Way::FromClient, at, &Bytes::from_static(bytes), walked, packets);
        };
        for _ in 0..CHUNKS + 10 {
            show(&mut mirror, &[0xc0, 0]);
        }
        // Half a packet, then room, then the other half with a whole one behind it.
        show(&mut mirror, &[0x30, 4, 0, 1]);
        for _ in 0..CHUNKS {
            assert!(matches!(reader.chunks.try_recv(), Ok(Chunk { missed: None, .. })));
        }
        show(&mut mirror, &[b't', b'x', 0xd0, 0]);
        let chunk = reader.chunks.try_recv().ok();
        let shown = chunk.map(|chunk| (chunk.bytes, chunk.missed.map(|missed| (missed.packets, missed.bytes))));
        assert_eq!(shown, Some((Bytes::from_static(&[0xd0, 0]), Some((11, 26)))));
        assert_eq!(mirror.left_out().packets, 0);
    }

    #[test]
    fn all_connections_share_one_backlog() {
        let backlog = Backlog::default();
        backlog.store(BYTES, Ordering::Relaxed);
        let (mut mirror, mut reader) = mirror(backlog);
        let at = (SystemTime::now(), Instant::now());
        let walked = Walked { boundary: Some(0), stopped: None };
        mirror.show(Way::ToClient, at, &Bytes::from_static(&[0xd0, 0]), walked, 1);
        assert!(reader.chunks.try_recv().is_err());
        assert_eq!((mirror.left_out().packets, mirror.left_out().bytes), (1, 2));
    }
}
