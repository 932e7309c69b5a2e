//! MQTT packets by hand, for what a decent client does not do.

use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn text(value: &[u8]) -> Vec<u8> {
    let mut bytes = (value.len() as u16).to_be_bytes().to_vec();
    bytes.extend(value);
    bytes
}

fn packet(first: u8, body: Vec<u8>) -> Vec<u8> {
    let mut bytes = vec![first];
    let mut length = body.len();
    loop {
        let more = length >= 128;
        bytes.push((length % 128) as u8 | if more { 128 } else { 0 });
        length /= 128;
        if !more {
            break;
        }
    }
    bytes.extend(body);
    bytes
}

/// What a CONNECT says.
#[derive(Clone, Default)]
pub struct Connect<'a> {
    /// 3, 4 or 5.
    pub level: u8,
    pub client_id: &'a str,
    pub username: Option<&'a str>,
    pub password: Option<&'a str>,
    /// Topic and payload.
    pub will: Option<(&'a str, &'a str)>,
    pub keep_alive: u16,
    /// No clean session.
    pub keep_session: bool,
}

impl Connect<'_> {
    /// The packet.
    pub fn packet(&self) -> Vec<u8> {
        let mut body = text(if self.level == 3 { b"MQIsdp" } else { b"MQTT" });
        let flag = |on: bool, bit: u8| if on { bit } else { 0 };
        let flags = flag(!self.keep_session, 2)
            | flag(self.will.is_some(), 4)
            | flag(self.password.is_some(), 64)
            | flag(self.username.is_some(), 128);
        body.extend([self.level, flags]);
        body.extend(self.keep_alive.to_be_bytes());
        body.extend(vec![0; usize::from(self.level == 5)]);
        body.extend(text(self.client_id.as_bytes()));
        if let Some((topic, payload)) = self.will {
            body.extend(vec![0; usize::from(self.level == 5)]);
            body.extend(text(topic.as_bytes()));
            body.extend(text(payload.as_bytes()));
        }
        for part in [self.username, self.password].into_iter().flatten() {
            body.extend(text(part.as_bytes()));
        }
        packet(0x10, body)
    }

    /// Connects and returns the connection with the bytes of the CONNACK.
    pub async fn send(&self, addr: SocketAddr) -> (TcpStream, Vec<u8>) {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        stream.write_all(&self.packet()).await.unwrap();
        let answer = read(&mut stream).await;
        (stream, answer)
    }
}

/// An MQTT 3.1.1 SUBSCRIBE.
pub fn subscribe(filter: &str, qos: u8) -> Vec<u8> {
    let mut body = vec![0, 1];
    body.extend(text(filter.as_bytes()));
    body.push(qos);
    packet(0x82, body)
}

/// An MQTT 3.1.1 PUBLISH, QoS 0.
pub fn publish(topic: &str, payload: &[u8]) -> Vec<u8> {
    let mut body = text(topic.as_bytes());
    body.extend(payload);
    packet(0x30, body)
}

/// Sends bytes as they are.
pub async fn write(stream: &mut TcpStream, bytes: &[u8]) {
    stream.write_all(bytes).await.unwrap();
}

/// The next packet; empty when the connection ended.
pub async fn read(stream: &mut TcpStream) -> Vec<u8> {
    let Ok(first) = stream.read_u8().await else { return vec![] };
    let (mut bytes, mut length, mut shift) = (vec![first], 0_usize, 0);
    loop {
        let byte = stream.read_u8().await.unwrap();
        bytes.push(byte);
        length |= usize::from(byte & 127) << shift;
        shift += 7;
        if byte & 128 == 0 {
            break;
        }
    }
    let head = bytes.len();
    bytes.resize(head + length, 0);
    stream.read_exact(&mut bytes[head..]).await.unwrap();
    bytes
}
