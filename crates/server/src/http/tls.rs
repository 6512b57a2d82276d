//! TLS: a certificate and its key from files, and the handshake.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

use super::options_error::OptionsError;

/// PEM files of a certificate, followed by those of its issuers, and of its private key.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// Certificates, that of the server first.
    pub cert: PathBuf,
    /// Private key.
    pub key: PathBuf,
}

impl TlsFiles {
    /// Reads the files, and checks that they belong together.
    ///
    /// # Errors
    /// Which file cannot be used, and why.
    pub(super) fn load(&self) -> Result<TlsAcceptor, OptionsError> {
        let Self { cert, key } = self;
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(cert)
            .and_then(Iterator::collect)
            .map_err(|error| unusable("certificate", cert, &error))?;
        if chain.is_empty() {
            return Err(unusable("certificate", cert, &pem::Error::NoItemsFound));
        }
        let private =
            PrivateKeyDer::from_pem_file(key).map_err(|error| unusable("private key", key, &error))?;
        // Named here: which provider is the default of the process is decided by whoever comes first.
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| OptionsError::new(format!("TLS: {error}"), None))?;
        let mut config = builder.with_no_client_auth().with_single_cert(chain, private).map_err(|error| {
            let of = format!("{} and {}", cert.display(), key.display());
            match error {
                rustls::Error::InconsistentKeys(_) => {
                    let hint = "give the key that the certificate was made for".to_owned();
                    OptionsError::new(format!("{of}: the key is not that of the certificate"), hint)
                }
                error => OptionsError::new(format!("{of}: {error}"), None),
            }
        })?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

fn unusable(what: &str, path: &Path, error: &pem::Error) -> OptionsError {
    let path = path.display();
    match error {
        pem::Error::Io(error) => OptionsError::new(format!("cannot read the {what} {path}: {error}"), None),
        pem::Error::NoItemsFound => {
            let begin = if what == "certificate" { "CERTIFICATE" } else { "PRIVATE KEY" };
            let hint = format!("expected a PEM file with `-----BEGIN {begin}-----`");
            OptionsError::new(format!("{path}: no {what} found"), hint)
        }
        error => OptionsError::new(format!("{path}: cannot read the {what}: {error}"), None),
    }
}
