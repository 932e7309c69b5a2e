//! Where one MQTT packet ends and the next begins (MQTT 5.0 section 2.1; the same in 3.1 and 3.1.1).
//!
//! [`Walker`] only follows the boundaries and holds five bytes; it walks beside every byte that is forwarded. [`Framer`]
//! collects whole packets for the parser, each up to a number of bytes, whatever size it announces. Neither knows what is
//! in a packet.

use bytes::{Bytes, BytesMut};

/// One byte of type and flags, at most four of length.
const LONGEST_HEADER: usize = 5;

/// The fixed header of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Type in the upper four bits, flags in the lower four.
    pub first: u8,
    /// Bytes of the header itself, 2 to 5.
    pub size: usize,
    /// Bytes that follow it.
    pub remaining: usize,
}

impl Header {
    /// The packet's type, 0 to 15 (section 2.1.2).
    pub fn kind(self) -> u8 {
        self.first >> 4
    }

    /// Bytes of the whole packet.
    pub fn packet(self) -> usize {
        self.size + self.remaining
    }

    /// Reads a header: `None` while it is not complete.
    pub fn read(bytes: &[u8]) -> Result<Option<Self>, Endless> {
        let Some((first, length)) = bytes.split_first() else { return Ok(None) };
        let mut remaining = 0;
        for (at, byte) in length.iter().take(LONGEST_HEADER - 1).enumerate() {
            remaining |= usize::from(byte & 127) << (7 * at);
            if byte & 128 == 0 {
                return Ok(Some(Self { first: *first, size: at + 2, remaining }));
            }
        }
        if length.len() < LONGEST_HEADER - 1 { Ok(None) } else { Err(Endless) }
    }
}

/// A length of more than four bytes: nobody can say where the next packet begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the packet's length has more than four bytes")]
pub struct Endless;

/// What a walk over some bytes came across.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Walked {
    /// Where the first packet that begins in these bytes begins; one that follows right behind them counts too.
    pub boundary: Option<usize>,
    /// Where the packet begins that was turned away; what comes from there on was not walked over.
    pub stopped: Option<usize>,
}

/// Follows the boundaries of packets through a stream.
#[derive(Clone, Debug, Default)]
pub struct Walker {
    header: [u8; LONGEST_HEADER],
    held: usize,
    left: usize,
    lost: bool,
}

impl Walker {
    /// Whether a packet ended with the last byte.
    pub fn at_boundary(&self) -> bool {
        !self.lost && self.held == 0 && self.left == 0
    }

    /// Whether nobody can say any more where the next packet begins.
    pub fn is_lost(&self) -> bool {
        self.lost
    }

    /// Walks on. `passes` is asked for every header as soon as it is complete; after a no the walk ends before it.
    pub fn walk(&mut self, bytes: &[u8], mut passes: impl FnMut(Header) -> bool) -> Walked {
        self.walk_along(bytes, |header, _| passes(header))
    }

    /// As [`Walker::walk`]; `passes` is also told where in `bytes` what follows the header begins.
    pub fn walk_along(&mut self, bytes: &[u8], mut passes: impl FnMut(Header, usize) -> bool) -> Walked {
        let mut walked = Walked::default();
        let mut at = 0;
        loop {
            if self.lost {
                return walked;
            }
            let step = self.left.min(bytes.len() - at);
            at += step;
            self.left -= step;
            if self.left > 0 {
                return walked;
            }
            if self.held == 0 && walked.boundary.is_none() {
                walked.boundary = Some(at);
            }
            let begin = at;
            let header = loop {
                let Some(byte) = bytes.get(at) else { return walked };
                self.header[self.held] = *byte;
                self.held += 1;
                at += 1;
                match Header::read(&self.header[..self.held]) {
                    Ok(Some(header)) => break header,
                    Ok(None) => {}
                    Err(Endless) => {
                        self.lost = true;
                        return walked;
                    }
                }
            };
            self.held = 0;
            if !passes(header, at) {
                walked.stopped = Some(begin);
                self.lost = begin + header.size != at;
                return walked;
            }
            self.left = header.remaining;
        }
    }
}

/// A packet, or the beginning of one that is larger than what is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its header.
    pub header: Header,
    /// Its bytes, header included; fewer than [`Header::packet`] when it was cut.
    pub bytes: Bytes,
}

impl Frame {
    /// Whether only its beginning was kept.
    pub fn is_cut(&self) -> bool {
        self.bytes.len() < self.header.packet()
    }
}

/// Collects the packets of one direction.
#[derive(Debug)]
pub struct Framer {
    keep: usize,
    partial: BytesMut,
    header: Option<Header>,
    // Bytes of the packet that have passed, kept or not.
    passed: usize,
    lost: bool,
}

impl Framer {
    /// A framer that keeps at most `keep` bytes of a packet, 16 at least.
    pub fn new(keep: usize) -> Self {
        Self { keep: keep.max(16), partial: BytesMut::new(), header: None, passed: 0, lost: false }
    }

    /// Forgets a packet that is not complete: the next byte begins another one.
    pub fn restart(&mut self) {
        self.partial = BytesMut::new();
        self.header = None;
        self.passed = 0;
        self.lost = false;
    }

    /// Takes what came; every packet that is complete goes to `each`, which gets the error once when boundaries are lost.
    pub fn feed(&mut self, bytes: &Bytes, mut each: impl FnMut(Result<Frame, Endless>)) {
        let mut at = 0;
        while at < bytes.len() && !self.lost {
            match self.header {
                None if self.partial.is_empty() => match Header::read(&bytes[at..]) {
                    // The usual case: the whole packet is in what was read.
                    Ok(Some(header)) if header.packet() <= bytes.len() - at => {
                        let kept = header.packet().min(self.keep);
                        each(Ok(Frame { header, bytes: bytes.slice(at..at + kept) }));
                        at += header.packet();
                    }
                    Ok(found) => {
                        self.header = found;
                        at = self.collect(bytes, at, found.map_or(LONGEST_HEADER, Header::packet));
                    }
                    Err(error) => self.lose(error, &mut each),
                },
                None => {
                    at = self.collect(bytes, at, self.partial.len() + 1);
                    match Header::read(&self.partial) {
                        Ok(found) => self.header = found,
                        Err(error) => self.lose(error, &mut each),
                    }
                }
                Some(header) => at = self.collect(bytes, at, header.packet()),
            }
            if let Some(header) = self.header.filter(|header| self.passed == header.packet()) {
                let kept = std::mem::take(&mut self.partial).freeze();
                (self.header, self.passed) = (None, 0);
                each(Ok(Frame { header, bytes: kept }));
            }
        }
    }

    /// Takes bytes until `until` of the packet have passed; returns where the rest begins.
    fn collect(&mut self, bytes: &[u8], at: usize, until: usize) -> usize {
        let end = bytes.len().min(at + (until - self.passed));
        let room = self.keep.saturating_sub(self.partial.len());
        let kept = &bytes[at..end.min(at + room)];
        // Grows with what comes, not with what was announced.
        self.partial.extend_from_slice(kept);
        self.passed += end - at;
        end
    }

    fn lose(&mut self, error: Endless, each: &mut impl FnMut(Result<Frame, Endless>)) {
        self.lost = true;
        self.partial = BytesMut::new();
        each(Err(error));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn frames(framer: &mut Framer, stream: &[u8], size: usize) -> Vec<Result<Frame, Endless>> {
        let mut found = vec![];
        for chunk in stream.chunks(size) {
            framer.feed(&Bytes::copy_from_slice(chunk), |frame| found.push(frame));
        }
        found
    }

    #[test]
    fn packets_are_the_same_however_they_arrive() {
        let mut stream = vec![0xc0, 0, 0x30, 5, 0, 1, b't', b'x', b'y'];
        stream.extend([0x30, 0x80, 0x01]);
        stream.extend([7; 128]);
        stream.extend([0xe0, 0]);
        let whole = frames(&mut Framer::new(1_000), &stream, stream.len());
        assert_eq!(whole.len(), 4);
        assert_eq!(whole[2].as_ref().unwrap().header, Header { first: 0x30, size: 3, remaining: 128 });
        for size in 1..20 {
            assert_eq!(frames(&mut Framer::new(1_000), &stream, size), whole, "in pieces of {size}");
        }
        let mut walker = Walker::default();
        for chunk in stream.chunks(7) {
            walker.walk(chunk, |_| true);
        }
        assert!(walker.at_boundary());
    }

    #[test]
    fn what_is_too_large_is_cut_and_the_next_is_found() {
        let mut stream = vec![0x30, 0xe8, 0x07];
        stream.extend([1; 1_000]);
        stream.extend([0xc0, 0]);
        for size in [1, 10, 64, 2_000] {
            let found = frames(&mut Framer::new(100), &stream, size);
            let cut = found[0].as_ref().unwrap();
            assert_eq!((found.len(), cut.bytes.len(), cut.is_cut(), cut.header.packet()), (2, 100, true, 1_003));
            assert_eq!(found[1].as_ref().unwrap().bytes[..], [0xc0, 0]);
        }
    }

    #[test]
    fn an_announced_size_costs_nothing() {
        let mut framer = Framer::new(1 << 20);
        framer.feed(&Bytes::from_static(&[0x10, 0xff, 0xff, 0xff, 0x7f, 1, 2]), |_| panic!("no packet is there"));
        assert!(framer.partial.capacity() < 1_000);
    }

    #[test]
    fn an_endless_length_is_told_once() {
        for size in 1..8 {
            let found = frames(&mut Framer::new(100), &[0x10, 0xff, 0xff, 0xff, 0xff, 1, 0xc0, 0], size);
            assert_eq!(found, [Err(Endless)]);
        }
        let mut walker = Walker::default();
        assert_eq!(walker.walk(&[0x10, 255, 255, 255, 255, 1], |_| true).stopped, None);
        assert!(!walker.at_boundary());
    }

    #[test]
    fn a_walk_stops_before_what_does_not_pass() {
        let stream = [0xc0, 0, 0x30, 3, 0, 1, b't', 0xd0, 0];
        let mut walker = Walker::default();
        let walked = walker.walk(&stream, |header| header.kind() != 3);
        assert_eq!(walked, Walked { boundary: Some(0), stopped: Some(2) });
        assert!(walker.at_boundary());
        // Its first byte was forwarded before.
        let mut walker = Walker::default();
        walker.walk(&stream[..3], |header| header.kind() != 3);
        assert_eq!(walker.walk(&stream[3..], |header| header.kind() != 3).stopped, Some(0));
        assert!(!walker.at_boundary());
        // Where to begin again in the middle of a packet.
        let mut walker = Walker::default();
        walker.walk(&stream[..5], |_| true);
        assert_eq!(walker.walk(&stream[5..], |_| true).boundary, Some(2));
    }
}
