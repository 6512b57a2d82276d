//! Listens and serves connections until the process is asked to stop.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use super::app::App;
use super::guard::{Guard, Peer};
use super::options_error::OptionsError;
use super::routes::router;
use super::tls::TlsFiles;
use crate::{ServerOptions, Service};

/// Most connections at the same time; further ones wait to be accepted.
const MAX_CONNECTIONS: usize = 512;
/// Most bytes of headers.
const HEADER_BYTES: usize = 32 << 10;
/// How long open connections may take to finish after a shutdown request.
const SHUTDOWN_TIME: Duration = Duration::from_secs(5);
/// Pause after a connection could not be accepted, mostly because there are too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// An HTTP server that listens.
pub struct Server {
    listener: std::net::TcpListener,
    app: Arc<App>,
    connections: Connections,
    drain_time: Duration,
}

impl Server {
    /// Listens, and starts threads; connections wait until it runs.
    ///
    /// # Errors
    /// If the options are insecure or name files that cannot be used, the address is in use or may not be used, or a thread cannot
    /// be started.
    pub fn bind(service: Arc<Service>, options: &ServerOptions) -> io::Result<Self> {
        let invalid = |error: OptionsError| io::Error::new(io::ErrorKind::InvalidInput, error);
        options.check().map_err(invalid)?;
        let listener = std::net::TcpListener::bind(options.listen)?;
        listener.set_nonblocking(true)?;
        let app = Arc::new(App::start(service, options.receive_time)?);
        let mut http = http1::Builder::new();
        // Also the longest time that a connection is idle.
        http.timer(TokioTimer::new()).header_read_timeout(options.receive_time).max_buf_size(HEADER_BYTES);
        let connections = Connections {
            http,
            router: router(app.clone(), Arc::new(Guard::new(options)?), options.surface),
            tls: options.tls.as_ref().map(TlsFiles::load).transpose().map_err(invalid)?,
            handshake_time: options.receive_time,
        };
        Ok(Self { listener, app, connections, drain_time: options.drain_time })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// If the operating system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until the process is interrupted (Ctrl-C) or asked to end (SIGTERM); requests in progress are answered first.
    ///
    /// # Errors
    /// If the runtime cannot be started.
    pub fn run(self) -> io::Result<()> {
        self.run_until(interrupted())
    }

    /// As [`run`](Self::run), until `stop` is ready.
    ///
    /// # Errors
    /// If the runtime cannot be started.
    pub fn run_until(self, stop: impl Future<Output = ()>) -> io::Result<()> {
        let Self { listener, app, connections, drain_time } = self;
        // Two threads are plenty: they only move bytes.
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(2).enable_io().enable_time().build()?;
        runtime.block_on(async {
            let listener = TcpListener::from_std(listener)?;
            let stop = async {
                stop.await;
                app.begin_shutdown();
                tokio::time::sleep(drain_time).await;
            };
            serve(&listener, &connections, stop).await;
            Ok(())
        })
    }
}

/// How connections are answered.
#[derive(Clone)]
struct Connections {
    http: http1::Builder,
    router: Router,
    tls: Option<TlsAcceptor>,
    /// Longest time for a TLS handshake.
    handshake_time: Duration,
}

impl Connections {
    /// Answers the requests of a connection until it ends. Broken connections are those of the client.
    async fn answer(self, stream: TcpStream, address: SocketAddr, watcher: Watcher) {
        // Small responses are sent at once; a socket that refuses works, too.
        let _ = stream.set_nodelay(true);
        let peer = Peer(address.ip());
        match &self.tls {
            None => self.answer_http(stream, peer, watcher).await,
            // Here and not where connections are accepted: a slow handshake delays nobody else.
            Some(tls) => {
                let handshake = tokio::time::timeout(self.handshake_time, tls.accept(stream)).await;
                if let Ok(Ok(stream)) = handshake {
                    self.answer_http(stream, peer, watcher).await;
                }
            }
        }
    }

    async fn answer_http<S>(&self, stream: S, peer: Peer, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let router = TowerToHyperService::new(self.router.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer);
            router.call(request)
        });
        let connection = self.http.serve_connection(TokioIo::new(stream), service);
        let _ = watcher.watch(connection).await;
    }
}

async fn serve(listener: &TcpListener, connections: &Connections, stop: impl Future<Output = ()>) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accept = async {
            // The semaphore is never closed.
            let permit = places.clone().acquire_owned().await.ok();
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            accepted = accept => accepted,
            () = &mut stop => break,
        };
        let Ok((stream, address)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let answered = connections.clone().answer(stream, address, graceful.watcher());
        tokio::spawn(async move {
            answered.await;
            drop(permit);
        });
    }
    let _ = tokio::time::timeout(SHUTDOWN_TIME, graceful.shutdown()).await;
}

/// Ready when the process is interrupted or asked to end.
async fn interrupted() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else { return interrupt.await };
        tokio::select! {
            () = interrupt => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    interrupt.await;
}
