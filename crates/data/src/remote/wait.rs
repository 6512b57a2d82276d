//! Waiting for what is asynchronous.

use std::future::Future;
use std::sync::mpsc::sync_channel;
use std::sync::{Once, OnceLock};

use object_store::Error;
use tokio::runtime::{Builder, Runtime};

/// Threads that carry bytes: decryption is most of what they do.
const THREADS: usize = 2;

/// Blocks until `work` is done, also where the caller is part of another runtime.
///
/// # Errors
/// What `work` says, or that it ended without saying anything.
pub(super) fn wait<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    let (send, receive) = sync_channel(1);
    runtime()?.spawn(async move {
        // Whoever asked waits below.
        let _ = send.send(work.await);
    });
    receive.recv().map_err(|_| generic("the request broke off".to_owned()))?
}

/// Chooses the cryptography of TLS, which making a client asks for.
pub(super) fn choose_cryptography() {
    static CHOSEN: Once = Once::new();
    CHOSEN.call_once(|| {
        // Fails only where the program has chosen already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// The threads that carry bytes, started at the first need.
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
