//! A packet over WebSocket that is far larger than what libraries hold of a message.

use super::{Running, config};
use crate::support::soon;
use async_tungstenite::tokio::{TokioAdapter, accept_hdr_async};
use async_tungstenite::tungstenite::Message;
use async_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use async_tungstenite::tungstenite::http::HeaderValue;
use futures_util::StreamExt as _;
use relayscope_domain::broker::Transport;
use relayscope_domain::message::{MqttVersion, Qos};
use relayscope_engine::feed::event::Kind;
use std::sync::atomic::Ordering;
use tokio::net::{TcpListener, TcpStream};

type Socket = async_tungstenite::WebSocketStream<TokioAdapter<TcpStream>>;

/// Of the payload, bytes.
const LARGE: usize = 70_000_000;

#[allow(clippy::result_large_err, clippy::unnecessary_wraps, reason = "the library asks for it")]
fn as_mqtt(_: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    response.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("mqtt"));
    Ok(response)
}

async fn packet(socket: &mut Socket) -> Vec<u8> {
    socket.next().await.unwrap().unwrap().into_data().to_vec()
}

/// A broker that sends one large packet in one frame, and a small one; ends when both are acknowledged. (Mosquitto's
/// WebSockets send 4 KB ten times a second.)
async fn broker(listener: TcpListener) -> Socket {
    let (stream, _) = listener.accept().await.unwrap();
    let mut socket = accept_hdr_async(stream, as_mqtt).await.unwrap();
    assert_eq!(packet(&mut socket).await[0], 0x10);
    socket.send(Message::binary(vec![0x20, 2, 0, 0])).await.unwrap();
    let subscribe = packet(&mut socket).await;
    socket.send(Message::binary(vec![0x90, 3, subscribe[2], subscribe[3], 1])).await.unwrap();
    // 70,000,010 bytes follow.
    let mut large = b"\x32\x8a\xbb\xb0\x21\x00\x06load/a\x00\x01".to_vec();
    large.resize(large.len() + LARGE, b'x');
    socket.send(Message::binary(large)).await.unwrap();
    socket.send(Message::binary(b"\x32\x0f\x00\x06load/a\x00\x02after".to_vec())).await.unwrap();
    let mut acknowledged = vec![];
    while acknowledged.len() < 8 {
        acknowledged.extend(packet(&mut socket).await);
    }
    assert_eq!(acknowledged, [0x40, 2, 0, 1, 0x40, 2, 0, 2]);
    socket
}

#[tokio::test(flavor = "multi_thread")]
async fn a_packet_of_70_mb_in_one_frame_is_skipped_and_cuts_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let broker = tokio::spawn(broker(listener));
    let mut wanted = config(port, MqttVersion::V311, &[("load/#", Qos::AtLeastOnce)]);
    wanted.connection.transport = Transport::Ws;
    wanted.connection.path = "/mqtt".into();
    let mut relay = Running::open(wanted);
    relay.granted(1).await;
    assert_eq!(relay.next().await.payload, "after");
    let socket = soon("the acknowledgements", broker).await.unwrap();
    assert_eq!(relay.session.oversized.load(Ordering::Relaxed), 1);
    assert_eq!(relay.count(|kind| matches!(kind, Kind::Connected { .. })), 1);
    assert_eq!(relay.count(|kind| matches!(kind, Kind::Disconnected { .. })), 0);
    drop(socket);
    relay.stop().await;
}
