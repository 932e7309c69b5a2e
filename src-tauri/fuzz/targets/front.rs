//! Any bytes in both directions of a connection: every frame has its boundary, however the bytes arrive, what is kept is
//! bounded, a walker beside agrees, and nothing makes the parser panic.
//!
//! The first byte of an input says how its rest is cut into chunks; a chunk's first byte says its direction.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use relayscope_engine::front::Way;
use relayscope_engine::front::framing::{Framer, Walker};
use relayscope_engine::front::parser::Parser;

const KEEP: usize = 300;

fn frames(bytes: &[u8], size: usize) -> Vec<Result<(usize, Bytes), ()>> {
    let (mut framer, mut found) = (Framer::new(KEEP), vec![]);
    for chunk in bytes.chunks(size) {
        framer.feed(&Bytes::copy_from_slice(chunk), |frame| {
            found.push(frame.map(|frame| (frame.header.packet(), frame.bytes)).map_err(|_| ()));
        });
    }
    found
}

fuzz_target!(|input: &[u8]| {
    let Some((first, bytes)) = input.split_first() else { return };
    let size = usize::from(*first).max(1);

    let whole = frames(bytes, bytes.len().max(1));
    assert_eq!(frames(bytes, size), whole);
    assert!(whole.iter().flatten().all(|(packet, kept)| kept.len() == (*packet).min(KEEP)));
    let (mut walker, mut headers) = (Walker::default(), 0);
    for chunk in bytes.chunks(size) {
        let walked = walker.walk(chunk, |_| {
            headers += 1;
            true
        });
        assert!(walked.stopped.is_none() && walked.boundary.is_none_or(|at| at <= chunk.len()));
    }
    let complete = whole.iter().flatten().count();
    assert!(headers == complete || headers == complete + 1, "{headers} begin, {complete} end");
    assert!(!walker.at_boundary() || headers == complete);

    let mut parser = Parser::new(KEEP);
    for chunk in bytes.chunks(size) {
        let way = if chunk[0] & 1 == 0 { Way::FromClient } else { Way::ToClient };
        if chunk[0] == 0xff {
            parser.restart(way);
        }
        parser.feed(way, &Bytes::copy_from_slice(&chunk[1..]), |seen| {
            assert!(seen.missing <= seen.size);
            if let Err(unreadable) = seen.packet {
                assert!(!unreadable.reason.is_empty() && unreadable.bytes.len() <= 256);
            }
        });
    }
});
