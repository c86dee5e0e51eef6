//! Connections: accepted, encrypted where asked, timed, counted, and ended in good order.

use std::{
    io,
    net::{SocketAddr, TcpListener as StdListener},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwap;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::Error;

/// Between the first and the last byte of a request's head; also how long a connection may idle.
const HEAD: Duration = Duration::from_secs(30);
/// For the handshake of an encrypted connection.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// After a stop was asked for, what is under way may take so long.
pub(super) const DRAIN: Duration = Duration::from_secs(10);
/// A head larger than this, in bytes, is refused.
const MAX_HEAD: usize = 32 * 1024;
/// More header lines than this are refused.
const MAX_HEADERS: usize = 64;

/// Certificate and key, read again whenever one of the files changes.
pub(super) struct Tls {
    cert: PathBuf,
    key: PathBuf,
    config: ArcSwap<ServerConfig>,
    read: std::sync::Mutex<[Option<SystemTime>; 2]>,
}

impl Tls {
    /// Reads certificate chain and private key, both in PEM.
    pub(super) fn read(cert: &Path, key: &Path) -> Result<Self, Error> {
        let config = config_of(cert, key)?;
        Ok(Self {
            config: ArcSwap::from_pointee(config),
            read: [changed(cert), changed(key)].into(),
            cert: cert.to_owned(),
            key: key.to_owned(),
        })
    }

    /// Takes new files in when there are any; says what is wrong with them, and then goes on with
    /// the old ones.
    pub(super) fn renew(&self) -> Result<bool, Error> {
        let now = [changed(&self.cert), changed(&self.key)];
        let mut read = self.read.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if *read == now {
            return Ok(false);
        }
        *read = now;
        self.config.store(Arc::new(config_of(&self.cert, &self.key)?));
        Ok(true)
    }
}

fn changed(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|about| about.modified()).ok()
}

fn config_of(cert: &Path, key: &Path) -> Result<ServerConfig, Error> {
    let wrong = |path: &Path, what: String| Error::Tls { path: path.to_owned(), what };
    let chain = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|e| wrong(cert, e.to_string()))?;
    if chain.is_empty() {
        return Err(wrong(cert, "it holds no certificate".into()));
    }
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|e| wrong(key, e.to_string()))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| wrong(cert, e.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .map_err(|e| wrong(cert, e.to_string()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Accepts connections until `stop` turns true, then lets those under way finish.
pub(super) async fn listen(
    listener: StdListener,
    tls: Option<Arc<Tls>>,
    router: Router,
    most: usize,
    mut stop: watch::Receiver<bool>,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let seats = Arc::new(Semaphore::new(most));
    let mut open = tokio::task::JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(&mut stop) => break,
            Some(_) = open.join_next(), if !open.is_empty() => continue,
        };
        let (stream, _) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of files or memory: something that is open has to end first. A connection that
                // broke before it was accepted is nobody's fault.
                let is_gone = matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
                );
                if !is_gone {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                continue;
            }
        };
        // A connection more than there are seats for is closed at once, which costs next to nothing.
        let Ok(seat) = Arc::clone(&seats).try_acquire_owned() else { continue };
        let _ = stream.set_nodelay(true);
        let (router, tls, stop) = (router.clone(), tls.clone(), stop.clone());
        open.spawn(async move {
            match tls {
                None => serve_connection(stream, router, stop).await,
                Some(tls) => {
                    let acceptor = TlsAcceptor::from(tls.config.load_full());
                    if let Ok(Ok(stream)) = timeout(HANDSHAKE, acceptor.accept(stream)).await {
                        serve_connection(stream, router, stop).await;
                    }
                }
            }
            drop(seat);
        });
    }
    drop(listener);
    let all = async { while open.join_next().await.is_some() {} };
    // Whoever has not finished by then is cut off.
    let _ = timeout(DRAIN, all).await;
    Ok(())
}

async fn serve_connection<S>(stream: S, router: Router, mut stop: watch::Receiver<bool>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let service = TowerToHyperService::new(router);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(MAX_HEAD.max(8192))
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // A client that breaks off is its own affair.
        _ = connection.as_mut() => {}
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

/// Waits until the server is to stop.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A sender that is gone has stopped as well.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// A stream to ourselves, for the load test from within.
pub(super) async fn connect(addr: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(addr).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
