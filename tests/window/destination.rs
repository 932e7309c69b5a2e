//! Where relays deliver to in these tests, when the stand-in is too kind: an HTTP server that refuses what it is told to
//! refuse, for good.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A running server; its thread ends with the process of the test.
pub(crate) struct Destination {
    url: String,
    taken: Arc<Mutex<Vec<String>>>,
}

impl Destination {
    /// Answers 400 to every request whose body contains `refused`, and takes the others.
    #[track_caller]
    pub(crate) fn that_refuses(refused: &'static str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let taken: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = taken.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = kept.clone();
                std::thread::spawn(move || serve(&stream, refused, &kept));
            }
        });
        Self { url, taken }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The bodies that were taken.
    pub(crate) fn taken(&self) -> Vec<String> {
        self.taken.lock().expect("a whole list").clone()
    }
}

/// Answers one connection's requests until it ends.
fn serve(stream: &TcpStream, refused: &str, taken: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut length = 0;
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            if !reader.read_line(&mut line).is_ok_and(|read| read > 0) {
                return;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let body = String::from_utf8_lossy(&body).into_owned();
        let (status, answer) = if body.contains(refused) {
            ("400 Bad Request", r#"{"status":false,"message":"Device press-O3 is not known"}"#)
        } else {
            taken.lock().expect("a whole list").push(body);
            ("200 OK", r#"{"status":true,"result":"1 Data Added"}"#)
        };
        let head =
            format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", answer.len());
        let mut out = stream;
        if out.write_all(format!("{head}{answer}").as_bytes()).is_err() {
            return;
        }
    }
}
