//! Connections: accepted up to a number, TLS, HTTP/1.1, time limits, and a graceful end.

use super::EndpointError;
use super::desk::Desk;
use super::limits::{Watch, Watched};
use super::linger::Lingering;
use super::worded::Worded;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

// Bytes and number of a request's headers; a request line counts among the bytes.
pub(super) const HEADER_BYTES: usize = 16 * 1_024;
pub(super) const HEADERS: usize = 64;
// What is under way when the endpoint ends may end itself.
const GRACE: Duration = Duration::from_secs(3);

/// Listens; the error names the address asked for.
pub(super) async fn bind(address: IpAddr, port: u16) -> Result<(TcpListener, SocketAddr), EndpointError> {
    let wanted = SocketAddr::from((address, port));
    let refused = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::AddrNotAvailable => EndpointError::Address { address: wanted, source },
        _ => EndpointError::Listen { address: wanted, source },
    };
    let listener = crate::bind::bind(address, port).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    Ok((listener, address))
}

/// Serves connections until `stop`; returns when all have ended.
pub(super) async fn accept(
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    desk: Arc<Desk>,
    stop: CancellationToken,
) {
    let most = desk.settings().connections as usize;
    let acceptor = tls.map(TlsAcceptor::from);
    let mut connections: JoinSet<()> = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, source)) if connections.len() < most => {
                    connections.spawn(connection(stream, source.ip().to_canonical(), acceptor.clone(), desk.clone(), stop.clone()));
                }
                Ok(_) => { desk.tally.refused.fetch_add(1, Ordering::Relaxed); }
                // Mostly too many open files: some will be closed.
                Err(error) => {
                    tracing::debug!(%error, "A connection to the endpoint was not accepted.");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = connections.join_next() => {}
            () = stop.cancelled() => break,
        }
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(GRACE, ended).await;
    connections.shutdown().await;
}

async fn connection(
    stream: TcpStream,
    source: IpAddr,
    tls: Option<TlsAcceptor>,
    desk: Arc<Desk>,
    stop: CancellationToken,
) {
    desk.tally.open.fetch_add(1, Ordering::Relaxed);
    // Answers are small: each goes out at once.
    let _ = stream.set_nodelay(true);
    let whole = match tls {
        None => talk(stream, source, &desk, &stop).await,
        Some(acceptor) => {
            let handshake = tokio::time::timeout(desk.patience, acceptor.accept(stream));
            tokio::select! {
                accepted = handshake => match accepted {
                    Ok(Ok(stream)) => talk(stream, source, &desk, &stop).await,
                    Ok(Err(_)) | Err(_) => false,
                },
                () = stop.cancelled() => true,
            }
        }
    };
    if !whole {
        desk.tally.cut.fetch_add(1, Ordering::Relaxed);
    }
    desk.tally.open.fetch_sub(1, Ordering::Relaxed);
}

/// Speaks HTTP until either side ends; `false` when the other side was cut.
async fn talk<S>(stream: S, source: IpAddr, desk: &Arc<Desk>, stop: &CancellationToken) -> bool
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let watch = Arc::new(Watch::new());
    let pace = desk.paces.of(source);
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let (desk, watch, pace) = (desk.clone(), watch.clone(), pace.clone());
        async move {
            watch.request_begins();
            let answer = desk.answer(request, &pace).await;
            watch.request_ends();
            Ok::<_, Infallible>(answer)
        }
    });
    let io = TokioIo::new(Watched::new(Worded::new(Lingering::new(stream), desk.clone()), watch.clone()));
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        // The watch counts from the first byte of a request, and lets idle connections live longer.
        .header_read_timeout(None)
        .max_buf_size(HEADER_BYTES)
        .max_headers(HEADERS)
        .serve_connection(io, service);
    let mut serving = std::pin::pin!(serving);
    tokio::select! {
        _ = serving.as_mut() => return true,
        () = watch.too_slow(desk.patience) => return false,
        () = stop.cancelled() => {}
    }
    serving.as_mut().graceful_shutdown();
    let _ = tokio::time::timeout(GRACE, serving).await;
    true
}
