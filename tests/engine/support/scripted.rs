//! A broker that answers what a test tells it to, for answers that no real broker can be made to give.

use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// Answers CONNECT with `connack` and SUBSCRIBE with `suback`, in which the bytes 2 and 3 become the packet identifier.
/// An empty answer is none. Returns the port.
pub(crate) async fn broker(connack: &'static [u8], suback: &'static [u8]) -> u16 {
    broker_on("127.0.0.1:0", connack, suback).await.unwrap()
}

/// As [`broker`], at another address.
pub(crate) async fn broker_on(address: &str, connack: &'static [u8], suback: &'static [u8]) -> std::io::Result<u16> {
    let listener = TcpListener::bind(address).await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, connack, suback));
        }
    });
    Ok(port)
}

/// A broker of MQTT 3.1.1 or 5 that takes every message and acknowledges none. Returns the port.
pub(crate) async fn never_acknowledges() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut v5 = false;
                while let Some((kind, body)) = packet(&mut stream).await {
                    let answer = match kind >> 4 {
                        // The level stands after the protocol's name: 4 or 5.
                        1 => {
                            v5 = body[6] == 5;
                            if v5 { vec![0x20, 3, 0, 0, 0] } else { vec![0x20, 2, 0, 0] }
                        }
                        8 if v5 => vec![0x90, 4, body[0], body[1], 0, 1],
                        8 => vec![0x90, 3, body[0], body[1], 1],
                        12 => vec![0xd0, 0],
                        _ => continue,
                    };
                    if stream.write_all(&answer).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    port
}

/// A broker of MQTT 3.1.1 that sends these packets after SUBSCRIBE, as fast as they are taken. Returns the port.
pub(crate) async fn sends(packets: Vec<u8>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            while let Some((kind, body)) = packet(&mut stream).await {
                let answer = match kind >> 4 {
                    1 => vec![0x20, 2, 0, 0],
                    8 => [&[0x90, 3, body[0], body[1], 1], &packets[..]].concat(),
                    12 => vec![0xd0, 0],
                    _ => continue,
                };
                if stream.write_all(&answer).await.is_err() {
                    break;
                }
            }
        }
    });
    port
}

async fn serve(mut stream: TcpStream, connack: &'static [u8], suback: &'static [u8]) {
    while let Some((kind, body)) = packet(&mut stream).await {
        let answer = match kind >> 4 {
            1 => connack.to_vec(),
            8 => {
                let mut answer = suback.to_vec();
                if !answer.is_empty() {
                    answer[2..4].copy_from_slice(&body[..2]);
                }
                answer
            }
            _ => return,
        };
        if stream.write_all(&answer).await.is_err() {
            return;
        }
        // A refused CONNECT ends the connection (MQTT-3.2.2-5).
        if kind >> 4 == 1 && connack.get(3).is_some_and(|code| *code != 0) {
            return;
        }
    }
}

async fn packet(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let kind = stream.read_u8().await.ok()?;
    let mut length = 0_usize;
    for shift in [0, 7, 14, 21] {
        let byte = stream.read_u8().await.ok()?;
        length |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some((kind, body))
}

/// A server that answers every connection with `text` and closes it. Returns the port.
pub(crate) async fn plain_text(text: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut some = [0; 16];
            if stream.read(&mut some).await.is_ok_and(|read| read > 0) {
                drop(stream.write_all(text.as_bytes()).await);
            }
        }
    });
    port
}

/// How a [`Talking`] broker behaves.
#[derive(Clone, Copy)]
pub(crate) struct Talk {
    /// The answer to CONNECT with MQTT 5, after which it closes; `None` accepts.
    pub(crate) refusal: Option<&'static [u8]>,
    /// Sent after the first SUBACK of a connection.
    pub(crate) after: &'static [u8],
}

impl Talk {
    /// Accepts 3.1.1 and 5, grants everything, and says nothing of its own.
    pub(crate) fn accept() -> Self {
        Self { refusal: None, after: &[] }
    }

    /// Speaks 3.1.1 only. An empty answer closes without a word.
    pub(crate) fn refuse_v5(answer: &'static [u8]) -> Self {
        Self { refusal: Some(answer), after: &[] }
    }
}

/// A broker that grants what is subscribed to, and notes what it hears.
pub(crate) struct Talking {
    pub(crate) port: u16,
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
    cut: Arc<Notify>,
}

impl Talking {
    /// Every packet so far: the first byte, and what follows the length.
    pub(crate) fn heard(&self) -> Vec<Vec<u8>> {
        self.heard.lock().unwrap().clone()
    }

    /// The protocol levels of all CONNECTs so far.
    pub(crate) fn levels(&self) -> Vec<u8> {
        self.heard().iter().filter(|packet| packet[0] == 0x10).map(|packet| packet[7]).collect()
    }

    /// Closes the connection that is up.
    pub(crate) fn cut(&self) {
        self.cut.notify_one();
    }
}

/// Starts such a broker; it ends with the test.
pub(crate) async fn talking(talk: Talk) -> Talking {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (heard, cut) = (Arc::new(Mutex::new(vec![])), Arc::new(Notify::new()));
    let broker = Talking { port, heard: heard.clone(), cut: cut.clone() };
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::select! {
                () = converse(stream, talk, &heard) => {}
                () = cut.notified() => {}
            }
        }
    });
    broker
}

async fn converse(mut stream: TcpStream, talk: Talk, heard: &Mutex<Vec<Vec<u8>>>) {
    let mut after = talk.after;
    while let Some((kind, body)) = packet(&mut stream).await {
        heard.lock().unwrap().push([&[kind], &body[..]].concat());
        let mut answer = vec![];
        match (kind >> 4, talk.refusal) {
            (1, Some(refusal)) if body[6] == 5 => {
                drop(stream.write_all(refusal).await);
                return;
            }
            (1, _) if body[6] == 5 => answer.extend([0x20, 3, 0, 0, 0]),
            (1, _) => answer.extend([0x20, 2, 0, 0]),
            (8, _) => {
                answer.extend([0x90, 3, body[0], body[1], 1]);
                answer.extend(std::mem::take(&mut after));
            }
            (14, _) => return,
            _ => {}
        }
        if stream.write_all(&answer).await.is_err() {
            return;
        }
    }
}
