//! What a message carries, so that the sink can judge it whatever a relay wraps around it: run, topic, sequence number,
//! time and a checksum in plain letters and digits that no JSON writer escapes, and padding that follows from them.

use std::io::Write;

/// The smallest payload that has room for everything.
pub const SMALLEST: usize = HEAD.len() + STAMP + TAIL.len();
/// The filter that matches every topic of a run.
pub const FILTER: &str = "bench/#";

const HEAD: &[u8] = b"{\"bench\":\"";
const TAIL: &[u8] = b"\"}";
const MARK: &[u8] = b"RSB1 ";
/// `RSB1 rrrrrrrr tttttttt ssssssss nnnnnnnnnnnnnnnn cccccccc `
const STAMP: usize = 58;
const SIGNED: usize = 49;
const LETTERS: &[u8; 26] = b"abcdefghijklmnopqrstuvwxyz";

/// What distinguishes a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Which run it belongs to.
    pub run: u32,
    /// Number of its topic.
    pub topic: u32,
    /// Number within its topic, from 0.
    pub seq: u32,
    /// When it was given to the broker, in nanoseconds of the monotonic clock.
    pub at: u64,
}

/// The topic with this number.
pub fn topic(number: u32) -> String {
    format!("bench/{number:05}")
}

/// Appends a JSON payload of exactly `size` bytes ([`SMALLEST`] at least).
pub fn write(out: &mut Vec<u8>, stamp: Stamp, size: usize) {
    out.extend_from_slice(HEAD);
    let from = out.len();
    // Writing to a Vec cannot fail.
    let _ = write!(out, "RSB1 {:08x} {:08x} {:08x} {:016x} ", stamp.run, stamp.topic, stamp.seq, stamp.at);
    let sum = checksum(&out[from..from + SIGNED]);
    let _ = write!(out, "{sum:08x} ");
    let padding = size.saturating_sub(SMALLEST);
    out.extend((0..padding).map(|at| letter(stamp.seq, at)));
    out.extend_from_slice(TAIL);
}

/// The next message in a body at or after `from`: its stamp, or nothing when it is damaged, and where it ends.
pub fn find(body: &[u8], from: usize, size: usize) -> Option<(Option<Stamp>, usize)> {
    let mut at = from;
    loop {
        at += body.get(at..)?.iter().position(|byte| *byte == MARK[0])?;
        if body[at..].starts_with(MARK) {
            return Some(read(body, at, size));
        }
        at += 1;
    }
}

/// The number of the topic that a body names, when it names one as [`topic`] writes it.
pub fn named_topic(body: &[u8]) -> Option<u32> {
    let mut at = 0;
    loop {
        at += body.get(at..)?.iter().position(|byte| *byte == b'b')?;
        if let Some(digits) = body[at..].strip_prefix(b"bench/") {
            return std::str::from_utf8(digits.get(..5)?).ok()?.parse().ok();
        }
        at += 1;
    }
}

fn read(body: &[u8], at: usize, size: usize) -> (Option<Stamp>, usize) {
    let padding = size.saturating_sub(SMALLEST);
    let end = at + STAMP + padding;
    let Some(text) = body.get(at..end) else { return (None, body.len()) };
    let field = |from: usize, length: usize| {
        std::str::from_utf8(&text[from..from + length]).ok().and_then(|digits| u64::from_str_radix(digits, 16).ok())
    };
    let stamp = || {
        let sum = field(SIGNED, 8)?;
        if sum != u64::from(checksum(&text[..SIGNED])) || text[STAMP - 1] != b' ' {
            return None;
        }
        Some(Stamp {
            run: field(5, 8)? as u32,
            topic: field(14, 8)? as u32,
            seq: field(23, 8)? as u32,
            at: field(32, 16)?,
        })
    };
    let stamp = stamp().filter(|stamp| {
        let mut padding = text[STAMP..].iter().enumerate();
        padding.all(|(at, byte)| *byte == letter(stamp.seq, at))
    });
    (stamp, end)
}

fn letter(seq: u32, at: usize) -> u8 {
    LETTERS[(seq as usize + at) % LETTERS.len()]
}

fn checksum(text: &[u8]) -> u32 {
    text.iter().fold(0x811c_9dc5, |sum, byte| (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: Stamp = Stamp { run: 7, topic: 12, seq: 345, at: 987_654_321 };

    #[test]
    fn a_stamp_is_found_in_any_wrapping_and_damage_is_seen() {
        let mut payload = Vec::new();
        write(&mut payload, STAMP, 200);
        assert_eq!(payload.len(), 200);
        let wrapped = format!(
            "[{{\"value\":{:?},\"topic\":\"bench/00012\"}},{}]",
            String::from_utf8_lossy(&payload),
            String::from_utf8_lossy(&payload)
        );
        let body = wrapped.as_bytes();
        let (first, next) = find(body, 0, 200).unwrap_or_default();
        let (second, end) = find(body, next, 200).unwrap_or_default();
        assert_eq!((first, second, named_topic(body)), (Some(STAMP), Some(STAMP), Some(12)));
        assert_eq!(find(body, end, 200), None);
        for at in 10..198 {
            let mut damaged = payload.clone();
            damaged[at] = b'#';
            assert!(!matches!(find(&damaged, 0, 200), Some((Some(_), _))), "{at}");
        }
    }
}
