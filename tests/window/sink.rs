//! Somebody else's TagoIO: a small HTTP server that takes what relays post. It can go away and come back on its port,
//! and wants one network token. Counts what it took; knows nothing of messages.

use crate::wait::{PATIENCE, until};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// A sink; dropping it closes it.
pub(crate) struct Sink {
    address: SocketAddr,
    shared: Arc<Shared>,
    listening: Option<JoinHandle<()>>,
}

struct Shared {
    token: &'static str,
    taken: AtomicU64,
    refusing: AtomicU64,
    closing: AtomicBool,
    connections: Mutex<Vec<TcpStream>>,
}

impl Sink {
    /// Listens on a free port and takes what comes with `token` as its network token.
    pub(crate) fn start(token: &'static str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("the sink's address");
        let shared = Arc::new(Shared {
            token,
            taken: AtomicU64::new(0),
            refusing: AtomicU64::new(0),
            closing: AtomicBool::new(false),
            connections: Mutex::default(),
        });
        let mut sink = Self { address, shared, listening: None };
        sink.listen(listener);
        sink
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Messages it said yes to.
    pub(crate) fn taken(&self) -> u64 {
        self.shared.taken.load(SeqCst)
    }

    /// Answers the next `count` messages with 503.
    pub(crate) fn refuse_next(&self, count: u64) {
        self.shared.refusing.store(count, SeqCst);
    }

    /// Closes the port and every connection.
    pub(crate) fn go_away(&mut self) {
        self.shared.closing.store(true, SeqCst);
        // Wakes the listener, which then sees that it is over.
        let _ = TcpStream::connect(self.address);
        if let Some(listening) = self.listening.take() {
            listening.join().expect("the sink's listener");
        }
        let mut connections = self.shared.connections.lock().unwrap_or_else(PoisonError::into_inner);
        for connection in connections.drain(..) {
            let _ = connection.shutdown(std::net::Shutdown::Both);
        }
    }

    /// Listens again on the same port.
    #[track_caller]
    pub(crate) fn come_back(&mut self) {
        self.shared.closing.store(false, SeqCst);
        let listener = until(PATIENCE, "the sink's port is free again", || TcpListener::bind(self.address).ok());
        self.listen(listener);
    }

    fn listen(&mut self, listener: TcpListener) {
        let shared = Arc::clone(&self.shared);
        self.listening = Some(std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                if shared.closing.load(SeqCst) {
                    return;
                }
                let kept = connection.try_clone().expect("a second handle of a connection");
                shared.connections.lock().unwrap_or_else(PoisonError::into_inner).push(kept);
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || serve(&connection, &shared));
            }
        }));
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.go_away();
    }
}

/// Answers request after request until the connection ends.
fn serve(connection: &TcpStream, shared: &Shared) -> Option<()> {
    let mut reader = BufReader::new(connection);
    loop {
        let (mut length, mut known) = (0, false);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                if line.trim_end().is_empty() {
                    break;
                }
                continue;
            };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.parse().ok()?;
            }
            known |= name.eq_ignore_ascii_case("authorization") && value == shared.token;
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let refused = known && shared.refusing.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok();
        let (status, text) = if refused {
            ("503 Service Unavailable", r#"{"status":false,"message":"Under maintenance"}"#)
        } else if known {
            shared.taken.fetch_add(1, SeqCst);
            ("200 OK", r#"{"status":true,"result":"1 Data Added"}"#)
        } else {
            ("401 Unauthorized", r#"{"status":false,"message":"Authorization denied"}"#)
        };
        let head =
            format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", text.len());
        let mut writer = connection;
        writer.write_all(format!("{head}{text}").as_bytes()).ok()?;
    }
}
