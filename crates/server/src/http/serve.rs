//! Listens and serves connections until the process is asked to stop.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::app::App;
use super::guard::Guard;
use super::routes::router;
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
    router: Router,
    receive_time: Duration,
}

impl Server {
    /// Listens, and starts threads; connections wait until it runs.
    ///
    /// # Errors
    /// If the options are insecure, the address is in use or may not be used, or a thread cannot be started.
    pub fn bind(service: Arc<Service>, options: &ServerOptions) -> io::Result<Self> {
        options.check().map_err(|reason| io::Error::new(io::ErrorKind::InvalidInput, reason))?;
        let listener = std::net::TcpListener::bind(options.listen)?;
        listener.set_nonblocking(true)?;
        let receive_time = options.receive_time;
        let app = App::start(service, receive_time)?;
        let router = router(Arc::new(app), Arc::new(Guard::new(options)));
        Ok(Self { listener, router, receive_time })
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
        // Two threads are plenty: they only move bytes.
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(2).enable_io().enable_time().build()?;
        runtime.block_on(async {
            let listener = TcpListener::from_std(self.listener)?;
            let mut http = http1::Builder::new();
            // Also the longest time that a connection is idle.
            http.timer(TokioTimer::new()).header_read_timeout(self.receive_time).max_buf_size(HEADER_BYTES);
            serve(&listener, &http, &self.router, stop).await;
            Ok(())
        })
    }
}

async fn serve(
    listener: &TcpListener,
    http: &http1::Builder,
    router: &Router,
    stop: impl Future<Output = ()>,
) {
    let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accept = async {
            // The semaphore is never closed.
            let permit = connections.clone().acquire_owned().await.ok();
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            accepted = accept => accepted,
            () = &mut stop => break,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        // Small responses are sent at once; a socket that refuses works, too.
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            // Broken connections are those of the client.
            let _ = connection.await;
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
