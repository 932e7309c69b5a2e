//! One keep-alive connection to a destination: HTTP/1.1 over TCP or TLS, one request at a time, made anew when it fell.
//!
//! A relay has many of these; each is driven by the task that uses it, so that a request costs one wake-up and not
//! three. It tells apart what a relay must tell apart: nobody was reached, nobody answered in time, the connection broke
//! after the request had left. Knows no tokens and no meaning of answers.

use super::http::{CONNECT_TIME, explain_io};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{HeaderMap, Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

// Of an answer; the rest is read and let go.
const ANSWER_BYTES: usize = 64 * 1024;

/// Where requests go, and how.
#[derive(Clone)]
pub(super) struct Target {
    /// Host name or address, without brackets.
    pub(super) host: String,
    /// TCP port.
    pub(super) port: u16,
    /// With `https`.
    pub(super) tls: Option<(TlsConnector, ServerName<'static>)>,
    /// Path and query of every request.
    pub(super) path: Uri,
    /// Headers of every request, `Host` included.
    pub(super) headers: HeaderMap,
    /// How long a request may take, from sending to the end of the answer.
    pub(super) timeout: Duration,
}

/// An answer.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// Why there is no answer, in words.
#[derive(Debug)]
pub(super) enum NoAnswer {
    /// Nobody could be reached.
    Unreachable(String),
    /// Nobody answered in time; the request may have been taken.
    Late,
    /// The connection broke; the request may have been taken.
    Broken(String),
}

type Driver = Pin<Box<dyn Future<Output = Result<(), hyper::Error>> + Send>>;

struct Live {
    sender: SendRequest<Full<Bytes>>,
    driver: Driver,
}

/// A connection, up or not.
pub(super) struct Connection {
    target: Arc<Target>,
    live: Option<Live>,
}

impl Connection {
    /// Connects with the first request.
    pub(super) fn new(target: Arc<Target>) -> Self {
        Self { target, live: None }
    }

    /// Waits until the server closes the idle connection; for ever when there is none. May be dropped at any time.
    pub(super) async fn closed(&mut self) {
        match &mut self.live {
            Some(live) => {
                let _ = (&mut live.driver).await;
                self.live = None;
            }
            None => std::future::pending().await,
        }
    }

    /// Posts a body and reads the whole answer.
    pub(super) async fn post(&mut self, body: Bytes) -> Result<Answer, NoAnswer> {
        let limit = self.target.timeout;
        match tokio::time::timeout(limit, self.try_post(body)).await {
            Ok(result) => result,
            Err(_) => {
                // Its answer may still come: the connection is of no more use.
                self.live = None;
                Err(NoAnswer::Late)
            }
        }
    }

    async fn try_post(&mut self, body: Bytes) -> Result<Answer, NoAnswer> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = hyper::Method::POST;
        *request.uri_mut() = self.target.path.clone();
        *request.headers_mut() = self.target.headers.clone();
        loop {
            let fresh = self.live.is_none();
            let mut live = match self.live.take() {
                Some(live) => live,
                None => self.connect().await?,
            };
            match exchange(&mut live, request).await {
                Ok((answer, reusable)) => {
                    self.live = reusable.then_some(live);
                    return Ok(answer);
                }
                // An idle connection that the server had closed: the request never left.
                Err((_, Some(unsent))) if !fresh => request = unsent,
                Err((why, _)) => return Err(NoAnswer::Broken(why)),
            }
        }
    }

    async fn connect(&mut self) -> Result<Live, NoAnswer> {
        match tokio::time::timeout(CONNECT_TIME, open(&self.target)).await {
            Ok(Ok(live)) => Ok(live),
            Ok(Err(error)) => Err(NoAnswer::Unreachable(explain_io(&error))),
            Err(_) => Err(NoAnswer::Unreachable("No connection in time.".into())),
        }
    }
}

async fn open(target: &Target) -> io::Result<Live> {
    let tcp = TcpStream::connect((target.host.as_str(), target.port)).await?;
    tcp.set_nodelay(true)?;
    match &target.tls {
        Some((connector, name)) => handshake(connector.connect(name.clone(), tcp).await?).await,
        None => handshake(tcp).await,
    }
}

async fn handshake(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> io::Result<Live> {
    let (sender, driver) = http1::Builder::new()
        // Many connections: small buffers to begin with, and a bound on what an answer may make of them.
        .max_buf_size(ANSWER_BYTES.max(8 * 1024))
        .handshake(TokioIo::new(stream))
        .await
        .map_err(io::Error::other)?;
    Ok(Live { sender, driver: Box::pin(driver) })
}

type Failed = (String, Option<Request<Full<Bytes>>>);

/// One request and its whole answer, and whether the connection can be used again.
async fn exchange(live: &mut Live, request: Request<Full<Bytes>>) -> Result<(Answer, bool), Failed> {
    let Live { sender, driver } = live;
    let mut request = Some(request);
    let asked = async {
        // A connection that was just made, or just used, is ready at once.
        if let Err(error) = sender.ready().await {
            return Err((words(&error), request.take()));
        }
        let Some(request) = request.take() else { return Err(("The request failed on the way.".into(), None)) };
        let mut response = match sender.try_send_request(request).await {
            Ok(response) => response,
            Err(mut error) => return Err((words(error.error()), error.take_message())),
        };
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let mut body = vec![];
        while let Some(frame) = response.body_mut().frame().await {
            let frame = frame.map_err(|error| (words(&error), None))?;
            if let Some(data) = frame.data_ref()
                && body.len() < ANSWER_BYTES
            {
                body.extend_from_slice(data);
            }
        }
        Ok(Answer { status, headers, body })
    };
    let mut asked = std::pin::pin!(asked);
    let mut over = false;
    let result = std::future::poll_fn(|context| {
        // The connection moves bytes first, so that the answer is there when it is asked for.
        if !over && driver.as_mut().poll(context).is_ready() {
            over = true;
        }
        match asked.as_mut().poll(context) {
            std::task::Poll::Pending if !over => {
                // What was just handed over is written at once, not with the next wake-up.
                if driver.as_mut().poll(context).is_ready() {
                    over = true;
                    return asked.as_mut().poll(context);
                }
                std::task::Poll::Pending
            }
            other => other,
        }
    })
    .await;
    result.map(|answer| (answer, !over))
}

fn words(error: &hyper::Error) -> String {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(current) = next {
        if let Some(found) = current.downcast_ref::<io::Error>() {
            return explain_io(found);
        }
        next = current.source();
    }
    if error.is_parse() {
        return "What came back is no HTTP.".into();
    }
    "The connection was closed before the answer.".into()
}
