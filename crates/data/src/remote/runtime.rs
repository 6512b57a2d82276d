//! The async runtime behind blocking calls.

use std::future::Future;
use std::sync::mpsc::sync_channel;
use std::sync::{Once, OnceLock};

use object_store::Error;
use tokio::runtime::{Builder, Runtime};

/// Number of runtime threads. Most of their work is decryption.
const THREADS: usize = 2;

/// Blocks until `work` is done, also if the caller runs in another runtime.
///
/// # Errors
/// The error of `work`, or one that says that it panicked.
pub(super) fn block_on<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    let (send, receive) = sync_channel(1);
    // Spawned on our runtime instead of `Runtime::block_on`, which panics inside another runtime.
    runtime()?.spawn(async move {
        // Cannot fail: the receiver waits below.
        let _ = send.send(work.await);
    });
    receive.recv().map_err(|_| generic("the request was aborted".to_owned()))?
}

/// Installs the crypto provider of TLS, which clients need.
pub(super) fn install_crypto_provider() {
    static CHOSEN: Once = Once::new();
    CHOSEN.call_once(|| {
        // Fails only if the program installed a provider already, which is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// The runtime, started on first use.
fn runtime() -> Result<&'static Runtime, Error> {
    static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();
    let started = RUNTIME.get_or_init(|| {
        let built =
            Builder::new_multi_thread().worker_threads(THREADS).thread_name("store").enable_all().build();
        built.map_err(|error| error.to_string())
    });
    started.as_ref().map_err(|error| generic(format!("cannot start threads: {error}")))
}

fn generic(message: String) -> Error {
    Error::Generic { store: "object store", source: message.into() }
}
