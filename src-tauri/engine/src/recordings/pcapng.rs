//! A file of packets in the format pcapng: MQTT over TCP over IP, as Wireshark reads it. IP and TCP are made: each
//! stream has its handshake, its numbers and its end; a client's address is its own where it is known, all others are
//! from ranges that are nobody's (RFC 2544, RFC 5737, RFC 3849). The file says so. Times are those of the events, to the microsecond.

use super::packets::{Packet, Step, Streams};
use crate::feed::event::Event;
use etherparse::PacketBuilder;
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{InterfaceDescriptionBlock, InterfaceDescriptionOption};
use pcap_file::pcapng::blocks::section_header::{SectionHeaderBlock, SectionHeaderOption};
use pcap_file::pcapng::{PcapNgBlock, PcapNgWriter};
use pcap_file::{DataLink, Endianness, PcapError};
use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Wireshark takes what is on this port for MQTT.
const PORT: u16 = 1883;
/// Bytes of one segment; IPv4 has 65,535 with its headers.
const SEGMENT: usize = 60_000;
const WINDOW: u16 = u16::MAX;
const FIRST_PORT: u16 = 49_152;
const PORTS: usize = 16_384;
/// Nanoseconds: what the crate writes.
const RESOLUTION: u8 = 9;

/// One direction is `true`, from the client.
struct Ends {
    client: SocketAddr,
    broker: SocketAddr,
    // Next sequence numbers of client and broker.
    next: [u32; 2],
}

/// Writes a pcapng of what events tell: times in microseconds, lengths in bytes; fails as what it writes to does.
pub(super) struct Writer<W: Write> {
    out: PcapNgWriter<W>,
    streams: Streams,
    ends: HashMap<usize, Ends>,
    written: u64,
}

fn failed(error: PcapError) -> io::Error {
    match error {
        PcapError::IoError(error) => error,
        other => io::Error::other(other.to_string()),
    }
}

impl<W: Write> Writer<W> {
    /// Begins a file. `streams` have learnt all events.
    pub(super) fn new(out: W, streams: Streams) -> io::Result<Self> {
        let left = streams.left_out;
        let comment = format!(
            "Reconstructed by Relayscope from recorded events. IP, TCP, and packets and identifiers that a comment calls \
             made, are synthetic; addresses in 198.18.0.0/15, 192.0.2.0/24 and 2001:db8::/32 stand for unknown ones. MQTT over TLS or \
             WebSocket is shown as clear MQTT on port {PORT}. Passwords and properties of packets other than PUBLISH are \
             left out. Left out as well, events that are no MQTT packets: {}; packets of which only a part was kept: {}.",
            left.others, left.cut
        );
        let section = SectionHeaderBlock {
            endianness: Endianness::Little,
            options: vec![
                SectionHeaderOption::Comment(Cow::Owned(comment)),
                SectionHeaderOption::UserApplication(Cow::Borrowed("Relayscope")),
            ],
            ..Default::default()
        };
        let mut out = PcapNgWriter::with_section_header(out, section).map_err(failed)?;
        let interface = InterfaceDescriptionBlock {
            linktype: DataLink::RAW,
            snaplen: 0,
            options: vec![
                InterfaceDescriptionOption::IfName(Cow::Borrowed("relayscope")),
                InterfaceDescriptionOption::IfDescription(Cow::Borrowed("events of the Live Inspector, reconstructed")),
                InterfaceDescriptionOption::IfTsResol(RESOLUTION),
            ],
        };
        out.write_block(&interface.into_block()).map_err(failed)?;
        Ok(Self { out, streams, ends: HashMap::new(), written: 0 })
    }

    /// Writes what an event tells of packets. Whether it told of any.
    pub(super) fn write(&mut self, event: &Event) -> io::Result<bool> {
        let before = self.written;
        let mut steps = vec![];
        self.streams.packets(event, |stream, step| steps.push((stream, step)));
        for (stream, step) in steps {
            match step {
                Step::Begin(peer) => self.begin(stream, peer, event.at)?,
                Step::Packet(packet) => self.packet(stream, &packet, event.at)?,
                Step::End => self.end(stream, event.at)?,
            }
        }
        Ok(self.written > before)
    }

    /// MQTT packets and connections, and what was written to.
    pub(super) fn finish(self) -> (u64, usize, Streams, W) {
        (self.written, self.streams.count(), self.streams, self.out.into_inner())
    }

    fn begin(&mut self, stream: usize, peer: Option<SocketAddr>, at: SystemTime) -> io::Result<()> {
        let made = || {
            // 198.18.0.0/15 is for measurements (RFC 2544).
            let host = (stream / PORTS) as u32 % 0x1_fffe + 1;
            let address = Ipv4Addr::from_bits(Ipv4Addr::new(198, 18, 0, 0).to_bits() + host);
            SocketAddr::new(address.into(), FIRST_PORT + (stream % PORTS) as u16)
        };
        let client = peer.unwrap_or_else(made);
        let broker: IpAddr = match client {
            SocketAddr::V4(_) => Ipv4Addr::new(192, 0, 2, 1).into(),
            SocketAddr::V6(_) => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
        };
        let mut ends = Ends { client, broker: SocketAddr::new(broker, PORT), next: [0, 0] };
        self.segment(&mut ends, true, Flags::SYN, &[], None, at)?;
        self.segment(&mut ends, false, Flags::SYN_ACK, &[], None, at)?;
        self.segment(&mut ends, true, Flags::ACK, &[], None, at)?;
        self.ends.insert(stream, ends);
        Ok(())
    }

    fn packet(&mut self, stream: usize, packet: &Packet, at: SystemTime) -> io::Result<()> {
        let Some(mut ends) = self.ends.remove(&stream) else { return Ok(()) };
        let mut comment = packet.made;
        for part in packet.bytes.chunks(SEGMENT) {
            self.segment(&mut ends, packet.to_broker, Flags::PUSH, part, comment.take(), at)?;
        }
        self.ends.insert(stream, ends);
        self.written += 1;
        Ok(())
    }

    fn end(&mut self, stream: usize, at: SystemTime) -> io::Result<()> {
        let Some(mut ends) = self.ends.remove(&stream) else { return Ok(()) };
        self.segment(&mut ends, true, Flags::FIN, &[], None, at)?;
        self.segment(&mut ends, false, Flags::FIN, &[], None, at)?;
        self.segment(&mut ends, true, Flags::ACK, &[], None, at)
    }

    fn segment(
        &mut self,
        ends: &mut Ends,
        to_broker: bool,
        flags: Flags,
        data: &[u8],
        comment: Option<&str>,
        at: SystemTime,
    ) -> io::Result<()> {
        let (from, to) = if to_broker { (ends.client, ends.broker) } else { (ends.broker, ends.client) };
        let (own, other) = (usize::from(!to_broker), usize::from(to_broker));
        let step = match (from.ip(), to.ip()) {
            (IpAddr::V4(from), IpAddr::V4(to)) => PacketBuilder::ipv4(from.octets(), to.octets(), 64),
            (IpAddr::V6(from), IpAddr::V6(to)) => PacketBuilder::ipv6(from.octets(), to.octets(), 64),
            // Both ends are chosen of one kind.
            _ => return Ok(()),
        };
        let mut step = step.tcp(from.port(), to.port(), ends.next[own], WINDOW);
        if flags.ack {
            step = step.ack(ends.next[other]);
        }
        if flags.push {
            step = step.psh();
        }
        if flags.syn {
            step = step.syn();
        }
        if flags.fin {
            step = step.fin();
        }
        let mut bytes = Vec::with_capacity(step.size(data.len()));
        step.write(&mut bytes, data).map_err(|error| io::Error::other(error.to_string()))?;
        let counted = data.len() as u32 + u32::from(flags.syn) + u32::from(flags.fin);
        ends.next[own] = ends.next[own].wrapping_add(counted);
        let micros = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros() as u64;
        let block = EnhancedPacketBlock {
            interface_id: 0,
            timestamp: Duration::from_micros(micros),
            original_len: bytes.len() as u32,
            data: Cow::Owned(bytes),
            options: comment.map(|text| EnhancedPacketOption::Comment(Cow::Borrowed(text))).into_iter().collect(),
        };
        self.out.write_block(&block.into_block()).map(drop).map_err(failed)
    }
}

/// Flags of a segment.
#[derive(Clone, Copy, Default)]
struct Flags {
    syn: bool,
    ack: bool,
    push: bool,
    fin: bool,
}

impl Flags {
    const SYN: Self = Self { syn: true, ack: false, push: false, fin: false };
    const SYN_ACK: Self = Self { ack: true, ..Self::SYN };
    const ACK: Self = Self { syn: false, ..Self::SYN_ACK };
    const PUSH: Self = Self { push: true, ..Self::ACK };
    const FIN: Self = Self { fin: true, ..Self::ACK };
}
