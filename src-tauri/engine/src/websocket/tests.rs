//! Frames against the examples of RFC 6455 section 5.7, against the library, and against what none may be.
#![allow(clippy::unwrap_used)]

use super::*;
use async_tungstenite::tungstenite::Message;
use async_tungstenite::tungstenite::protocol::Role;
use futures_util::StreamExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// What is read of bytes that come in parts of this size, how it ended, and what was answered.
async fn read_in_parts(end: End, stream: &[u8], part: usize) -> (Vec<u8>, io::Result<usize>, Vec<u8>) {
    let (near, mut far) = tokio::io::duplex(1 << 20);
    let mut socket = WebSocket::new(near, end, BytesMut::new());
    let reading = async move {
        let (mut out, mut some) = (vec![], [0; 1_000]);
        loop {
            match socket.read(&mut some).await {
                Ok(count) if count > 0 => out.extend_from_slice(&some[..count]),
                // With its end the socket is gone.
                ended => return (out, ended),
            }
        }
    };
    let writing = async {
        for part in stream.chunks(part) {
            // It may have gone already.
            let _ = far.write_all(part).await;
            tokio::task::yield_now().await;
        }
        let _ = far.shutdown().await;
    };
    let ((out, ended), ()) = tokio::join!(reading, writing);
    let mut answers = vec![];
    far.read_to_end(&mut answers).await.unwrap();
    (out, ended, answers)
}

#[tokio::test]
async fn frames_are_taken_out_wherever_the_stream_is_cut() {
    // "Hel" and "lo" with a ping between, an empty one, one of 256 bytes, one of 65,536, close.
    let mut stream = b"\x02\x03Hel\x89\x05Hello\x80\x02lo\x82\x00\x82\x7e\x01\x00".to_vec();
    stream.extend([b'm'; 256]);
    stream.extend(b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00");
    stream.extend(vec![b'l'; 65_536]);
    stream.extend(b"\x88\x02\x03\xe8");
    let mut expected = b"Hello".to_vec();
    expected.extend([b'm'; 256]);
    expected.extend(vec![b'l'; 65_536]);
    for part in [1, 2, 3, 7, 1_000, stream.len()] {
        let (out, read, answers) = read_in_parts(End::Client, &stream, part).await;
        assert!(read.is_ok() && out == expected, "in parts of {part}");
        // Pong with the ping's text, then Close with its code, each masked.
        let (pong, close) = answers.split_at(11);
        assert_eq!(
            (pong[0], pong[1], close[0], close[1], close.len()),
            (0x8a, 0x85, 0x88, 0x82, 8),
            "in parts of {part}"
        );
    }
    // The mask of section 5.7.
    let masked = b"\x82\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
    for part in [1, 4, masked.len()] {
        assert_eq!(read_in_parts(End::Server, masked, part).await.0, b"Hello");
    }
}

#[tokio::test]
async fn what_is_no_frame_ends_in_words_and_is_answered() {
    for (end, stream, words, code) in [
        (End::Client, &b"\x81\x01x"[..], "of text", 1_003_u16),
        (End::Client, b"\xc2\x01x", "an extension", 1_002),
        (End::Client, b"\x83\x01x", "unknown kind 3", 1_002),
        (End::Client, b"\x82\x81\x00\x00\x00\x00x", "with a mask", 1_002),
        (End::Server, b"\x82\x01x", "without a mask", 1_002),
        (End::Client, b"\x09\x00", "control frame", 1_002),
        (End::Client, b"\x89\x7e\x00\x80", "control frame", 1_002),
        (End::Client, b"\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00", "no number", 1_002),
        (End::Client, b"\x02\x01x\x82\x01y", "inside another", 1_002),
        (End::Client, b"\x80\x01x", "continues nothing", 1_002),
    ] {
        let (_, read, answer) = read_in_parts(end, stream, 64).await;
        let error = read.unwrap_err();
        assert!(error.to_string().contains(words), "{stream:x?}: {error}");
        let frame = Header::read(&answer, end == End::Client).unwrap();
        let (mut frame, size) = frame.unwrap();
        let mut body = answer[size..].to_vec();
        frame.unmask(&mut body);
        assert_eq!((frame.kind, body), (Kind::Close, code.to_be_bytes().to_vec()), "{stream:x?}");
    }
}

/// A frame may say that it has terabytes: what is held stays what is read at once.
#[tokio::test]
async fn a_frame_of_any_size_is_never_held() {
    let (near, mut far) = tokio::io::duplex(32 * 1024);
    let mut socket = WebSocket::new(near, End::Client, BytesMut::new());
    far.write_all(b"\x82\x7f\x00\x00\xff\x00\x00\x00\x00\x00").await.unwrap();
    let mut buffer = vec![0; 10_000];
    let mut passed = 0;
    while passed < 8 << 20 {
        far.write_all(&[b'x'; 8_000]).await.unwrap();
        passed += socket.read(&mut buffer).await.unwrap();
        assert!(socket.read.capacity() <= 2 * READ, "{} bytes are held", socket.read.capacity());
    }
}

#[tokio::test]
async fn the_library_reads_what_is_written_and_the_reverse() {
    let payload: Vec<u8> = (0..200_000_u32).map(|at| at as u8).collect();
    for (end, other) in [(End::Client, Role::Server), (End::Server, Role::Client)] {
        let (near, far) = tokio::io::duplex(1 << 20);
        let mut socket = WebSocket::new(near, end, BytesMut::new());
        let far = async_tungstenite::tokio::TokioAdapter::new(far);
        let mut far = async_tungstenite::WebSocketStream::from_raw_socket(far, other, None).await;
        for size in [0, 1, 125, 126, 65_535, 65_536, 200_000] {
            socket.write_all(&payload[..size]).await.unwrap();
            socket.flush().await.unwrap();
            let mut came = vec![];
            while came.len() < size {
                came.extend_from_slice(&far.next().await.unwrap().unwrap().into_data());
            }
            assert!(came == payload[..size], "{size} bytes");
            far.send(Message::binary(payload[..size].to_vec())).await.unwrap();
            let mut back = vec![0; size];
            socket.read_exact(&mut back).await.unwrap();
            assert!(back == payload[..size], "{size} bytes back");
        }
        socket.shutdown().await.unwrap();
        assert!(matches!(far.next().await, Some(Ok(Message::Close(_)))));
        // The library's answer goes when it looks for more; a client of it also waits for the socket's end.
        let _ = futures_util::poll!(far.next());
        assert_eq!(socket.read(&mut [0; 8]).await.unwrap(), 0, "its answer is the end");
        assert_eq!(socket.write(b"x").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}

#[tokio::test]
async fn what_comes_behind_a_handshake_is_kept() {
    for part in [1, 5, 100] {
        let (near, mut far) = tokio::io::duplex(1_000);
        let (mut near, mut read) = (near, BytesMut::new());
        let all = b"HTTP/1.1 101 Switching\r\nA: b\r\n\r\n\x82\x02hi";
        let writing = async {
            for part in all.chunks(part) {
                far.write_all(part).await.unwrap();
                tokio::task::yield_now().await;
            }
        };
        let reading = async {
            let (mut opening, mut head) = (Opening::new(&mut near, &mut read), vec![]);
            while !head.ends_with(b"\r\n\r\n") {
                let mut some = [0; 7];
                let count = opening.read(&mut some).await.unwrap();
                head.extend_from_slice(&some[..count]);
            }
            head
        };
        let (head, ()) = tokio::join!(reading, writing);
        assert_eq!(head, all[..all.len() - 4]);
        let mut socket = WebSocket::new(near, End::Client, read);
        let mut hi = [0; 2];
        socket.read_exact(&mut hi).await.unwrap();
        assert_eq!(&hi, b"hi");
    }
}
