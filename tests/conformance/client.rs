//! A client of raw bytes. Every wait has an end: what does not come in [`SOON`] is a failure of the case.

use super::packet::{self, Connect, DISCONNECT, PINGREQ, PUBACK, PUBCOMP, PUBREC, PUBREL, Packet, Publish, Version};
use super::suite::Check;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longest wait for a packet, or for the end of a connection.
pub(crate) const SOON: Duration = Duration::from_secs(6);

/// Longest wait for the end of a silent connection: brokers look in rounds of some seconds, which the specification does
/// not know. How late they are is not judged here.
pub(crate) const SILENCE: Duration = Duration::from_secs(20);

/// A connection to the broker.
pub(crate) struct Client {
    stream: TcpStream,
    version: Version,
    /// Bytes read beyond the last packet.
    read: Vec<u8>,
    /// Packets passed over while another kind was waited for.
    passed: VecDeque<Packet>,
    /// Packet id of the last request.
    last: u16,
    /// Longest wait for a packet.
    pub(crate) patience: Duration,
    /// What the CONNACK said.
    pub(crate) session_present: bool,
    /// Properties of the CONNACK.
    pub(crate) server: Vec<u8>,
}

impl Client {
    /// A TCP connection; nothing is sent yet.
    pub(crate) async fn open(addr: SocketAddr, version: Version) -> Check<Self> {
        let stream = timeout(SOON, TcpStream::connect(addr)).await.map_err(|_| "no TCP connection")?;
        let stream = stream.map_err(|error| error.to_string())?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        let (read, passed, server) = (vec![], VecDeque::new(), vec![]);
        Ok(Self { stream, version, read, passed, last: 0, patience: SOON, session_present: false, server })
    }

    /// Sends bytes. A connection that is closed already shows when it is read.
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = timeout(SOON, self.stream.write_all(bytes.as_ref())).await;
    }

    /// Sends a CONNECT and returns code and flags of the CONNACK.
    pub(crate) async fn connect(&mut self, connect: &Connect) -> Check<(u8, u8)> {
        self.send(connect.bytes()).await;
        match self.next().await? {
            Packet::Connack { flags, code, properties } => {
                self.session_present = flags & 1 == 1;
                self.server = properties;
                Ok((code, flags))
            }
            other => Err(format!("instead of CONNACK came {other:?}")),
        }
    }

    /// The next packet that was not passed over. `Ok(None)` is the end of the connection.
    async fn read(&mut self) -> Check<Option<Packet>> {
        loop {
            if let Some((first, from, to)) = whole(&self.read)? {
                let packet = Packet::decode(self.version, first, &self.read[from..to]);
                self.read.drain(..to);
                return packet.map(Some);
            }
            match timeout(self.patience, self.stream.read_buf(&mut self.read)).await {
                Err(_) => return Err("nothing came".to_owned()),
                Ok(Ok(0) | Err(_)) => return Ok(None),
                Ok(Ok(_)) => {}
            }
        }
    }

    /// The next packet.
    pub(crate) async fn next(&mut self) -> Check<Packet> {
        self.read_or_end().await?.ok_or_else(|| "the connection was closed".to_owned())
    }

    /// The next packet, or `None` when the connection ended instead.
    pub(crate) async fn read_or_end(&mut self) -> Check<Option<Packet>> {
        match self.passed.pop_front() {
            Some(packet) => Ok(Some(packet)),
            None => self.read().await,
        }
    }

    /// The first packet that `pick` takes; others stay for later.
    pub(crate) async fn pick<T>(&mut self, mut pick: impl FnMut(&Packet) -> Option<T>) -> Check<T> {
        if let Some((at, found)) = self.passed.iter().enumerate().find_map(|(at, packet)| Some((at, pick(packet)?))) {
            self.passed.remove(at);
            return Ok(found);
        }
        loop {
            let Some(packet) = self.read().await? else { return Err("the connection was closed".to_owned()) };
            match pick(&packet) {
                Some(found) => return Ok(found),
                None => self.passed.push_back(packet),
            }
        }
    }

    /// Waits for the end of the connection; returns what came before.
    pub(crate) async fn closed(&mut self) -> Check<Vec<Packet>> {
        let mut seen: Vec<Packet> = self.passed.drain(..).collect();
        loop {
            match self.read().await {
                Ok(Some(packet)) => seen.push(packet),
                Ok(None) => return Ok(seen),
                Err(why) => return Err(format!("the connection stays open: {why}; before came {seen:?}")),
            }
        }
    }

    /// Waits for the end of the connection after a DISCONNECT with this reason (MQTT 5).
    pub(crate) async fn disconnected(&mut self, reason: u8) -> Check {
        match self.closed().await?.last() {
            Some(Packet::Disconnect { reason: found, .. }) if *found == reason => Ok(()),
            other => Err(format!("closed, but not with DISCONNECT {reason:#04x}: the last packet was {other:?}")),
        }
    }

    /// An id for the next request.
    pub(crate) fn number(&mut self) -> u16 {
        self.last += 1;
        self.last
    }

    /// Subscribes and returns the codes.
    pub(crate) async fn subscribe_with(&mut self, filters: &[(&str, u8)], with: &[u8]) -> Check<Vec<u8>> {
        let number = self.number();
        self.send(packet::subscribe(self.version, number, filters, with)).await;
        self.pick(|packet| match packet {
            Packet::Suback { packet, codes, .. } if *packet == number => Some(codes.clone()),
            _ => None,
        })
        .await
    }

    /// Subscribes to one filter with these options; it must be granted.
    pub(crate) async fn subscribe(&mut self, filter: &str, options: u8) -> Check {
        let codes = self.subscribe_with(&[(filter, options)], &[]).await?;
        if codes == [options & 3] { Ok(()) } else { Err(format!("{filter:?} was answered with {codes:02x?}")) }
    }

    /// Unsubscribes from one filter.
    pub(crate) async fn unsubscribe(&mut self, filters: &[&str]) -> Check<Vec<u8>> {
        let number = self.number();
        self.send(packet::unsubscribe(self.version, number, filters)).await;
        self.pick(|packet| match packet {
            Packet::Unsuback { packet, codes, .. } if *packet == number => Some(codes.clone()),
            _ => None,
        })
        .await
    }

    /// Sends a PUBLISH, nothing else.
    pub(crate) async fn put(&mut self, publish: &Publish) {
        self.send(publish.bytes(self.version)).await;
    }

    /// Publishes with an id of its own and goes through the whole handshake; returns the broker's reason code.
    pub(crate) async fn publish(&mut self, publish: Publish) -> Check<u8> {
        let number = self.number();
        let publish = publish.packet(number);
        self.put(&publish).await;
        match publish.qos {
            0 => Ok(0),
            1 => self.acked(PUBACK, number).await,
            _ => {
                let reason = self.acked(PUBREC, number).await?;
                self.send(packet::ack(PUBREL, number)).await;
                self.acked(PUBCOMP, number).await?;
                Ok(reason)
            }
        }
    }

    /// Waits for an acknowledgement; returns its reason.
    pub(crate) async fn acked(&mut self, kind: u8, number: u16) -> Check<u8> {
        let ack = self.pick(|packet| match packet {
            Packet::Ack(first, packet, reason, _) if (*first, *packet) == (kind, number) => Some(*reason),
            _ => None,
        });
        ack.await.map_err(|why| format!("no acknowledgement {kind:#04x} of {number}: {why}"))
    }

    /// The next PUBLISH; not acknowledged.
    pub(crate) async fn take(&mut self) -> Check<Publish> {
        let publish = self.pick(|packet| match packet {
            Packet::Publish(publish) => Some(publish.clone()),
            _ => None,
        });
        publish.await.map_err(|why| format!("no PUBLISH: {why}"))
    }

    /// Acknowledges a PUBLISH, to the end of its handshake.
    pub(crate) async fn finish(&mut self, publish: &Publish) -> Check {
        match publish.qos {
            0 => {}
            1 => self.send(packet::ack(PUBACK, publish.packet)).await,
            _ => {
                self.send(packet::ack(PUBREC, publish.packet)).await;
                self.acked(PUBREL, publish.packet).await?;
                self.send(packet::ack(PUBCOMP, publish.packet)).await;
            }
        }
        Ok(())
    }

    /// The next message, acknowledged.
    pub(crate) async fn message(&mut self) -> Check<Publish> {
        let publish = self.take().await?;
        self.finish(&publish).await?;
        Ok(publish)
    }

    /// The next message must have this payload.
    pub(crate) async fn gets(&mut self, payload: &str) -> Check<Publish> {
        let publish = self.message().await?;
        if publish.says(payload) { Ok(publish) } else { Err(format!("instead of {payload:?} came {publish:?}")) }
    }

    /// A ping and its answer: all that was sent before has been looked at.
    pub(crate) async fn ping(&mut self) -> Check {
        self.send(PINGREQ).await;
        self.pick(|packet| (*packet == Packet::Pingresp).then_some(()))
            .await
            .map_err(|why| format!("no PINGRESP: {why}"))
    }

    /// Says goodbye, closes, and waits until the broker has noticed.
    pub(crate) async fn leave(mut self) -> Check {
        self.send(DISCONNECT).await;
        self.hang_up().await
    }

    /// Breaks the connection without goodbye.
    pub(crate) fn cut(self) {
        drop(self);
    }

    /// Closes the connection without goodbye, and waits until the broker has noticed.
    pub(crate) async fn hang_up(mut self) -> Check {
        self.last_packets().await.map(drop)
    }

    /// Closes this half of the connection; returns what came until the broker closed the other.
    pub(crate) async fn last_packets(&mut self) -> Check<Vec<Packet>> {
        // It fails when the broker was faster.
        let _ = self.stream.shutdown().await;
        self.closed().await
    }
}

/// First byte and place of the body of a whole packet at the front.
fn whole(bytes: &[u8]) -> Check<Option<(u8, usize, usize)>> {
    let (mut length, mut shift) = (0, 0);
    for (at, byte) in bytes.iter().enumerate().skip(1).take(4) {
        length |= usize::from(byte & 127) << shift;
        shift += 7;
        if byte & 128 == 0 {
            if at > 1 && *byte == 0 {
                return Err("a remaining length in more bytes than needed".to_owned());
            }
            let (from, to) = (at + 1, at + 1 + length);
            return Ok((bytes.len() >= to).then_some((bytes[0], from, to)));
        }
    }
    if bytes.len() >= 5 { Err("a remaining length of more than four bytes".to_owned()) } else { Ok(None) }
}
