//! HTTPS.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lexiform_server::{ServerOptions, TlsFiles};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::support::{Models, Reply};

/// A certificate for `localhost` that this test trusts.
struct Certificate {
    folder: tempfile::TempDir,
    client: Arc<ClientConfig>,
}

impl Certificate {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        fs_err::write(folder.path().join("cert.pem"), cert.pem()).unwrap();
        fs_err::write(folder.path().join("key.pem"), signing_key.serialize_pem()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(cert.der().clone()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let client = builder
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { folder, client: Arc::new(client) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn files(&self) -> TlsFiles {
        TlsFiles { cert: self.path("cert.pem"), key: self.path("key.pem") }
    }

    /// Sends a request over TLS.
    fn send(&self, address: SocketAddr, request: &str) -> Reply {
        let name = ServerName::try_from("localhost").unwrap();
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let connection = ClientConnection::new(self.client.clone(), name).unwrap();
        let mut tls = StreamOwned::new(connection, stream);
        tls.write_all(request.as_bytes()).unwrap();
        let mut reply = Vec::new();
        tls.read_to_end(&mut reply).unwrap();
        Reply::parse(&reply)
    }

    fn get(&self, address: SocketAddr, path: &str) -> Reply {
        let host = format!("localhost:{}", address.port());
        self.send(address, &format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"))
    }
}

#[test]
fn requests_are_answered_over_tls_alone() {
    let certificate = Certificate::new();
    let models = Models::new();
    let server = models.serve(|options| {
        options.tls = Some(certificate.files());
        options.token = Some("correct-horse-battery".to_owned());
    });
    assert_eq!(certificate.get(server.address, "/v1/health").status, 200);
    certificate.get(server.address, "/v1/search").problem(401, "token");
    let body = "{\"token\": \"correct-horse-battery\"}";
    let request = format!(
        "POST /v1/session HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let cookie = certificate.send(server.address, &request).header("set-cookie").unwrap().to_owned();
    assert!(cookie.ends_with("; HttpOnly; SameSite=Strict; Secure"), "{cookie}");
    assert_eq!(server.get("/v1/health").status, 0, "without TLS there is no answer");
    assert_eq!(certificate.get(server.address, "/v1/health").status, 200);
}

#[test]
fn slow_handshakes_delay_nobody_and_end() {
    let certificate = Certificate::new();
    let models = Models::new();
    let server = models.serve(|options| {
        options.tls = Some(certificate.files());
        options.receive_time = Duration::from_secs(2);
    });
    let mut silent: Vec<TcpStream> = (0..40).map(|_| TcpStream::connect(server.address).unwrap()).collect();
    // The start of a record that never ends.
    silent.iter_mut().skip(20).for_each(|stream| stream.write_all(&[0x16, 3, 1, 2, 0, 1]).unwrap());
    let started = Instant::now();
    assert_eq!(certificate.get(server.address, "/v1/health").status, 200);
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    for mut stream in silent {
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        // Closed by the server, with or without an alert.
        let _ = stream.read_to_end(&mut Vec::new());
    }
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let (certificate, other) = (Certificate::new(), Certificate::new());
    let empty = certificate.path("empty.pem");
    fs_err::write(&empty, "").unwrap();
    let check = |cert: PathBuf, key: PathBuf, parts: [&str; 2]| {
        let mut options = ServerOptions::new("127.0.0.1:0".parse().unwrap());
        options.tls = Some(TlsFiles { cert, key });
        let error = options.check().unwrap_err();
        let text = format!("{error} ({})", error.hint().unwrap_or_default());
        parts.iter().for_each(|part| assert!(text.contains(part), "no {part:?} in {text}"));
    };
    let TlsFiles { cert, key } = certificate.files();
    check(certificate.path("none.pem"), key.clone(), ["cannot read the certificate", "none.pem"]);
    check(cert.clone(), certificate.path("none.pem"), ["cannot read the private key", "none.pem"]);
    check(empty.clone(), key.clone(), ["empty.pem: no certificate found", "BEGIN CERTIFICATE"]);
    check(cert.clone(), empty, ["empty.pem: no private key found", "BEGIN PRIVATE KEY"]);
    check(key.clone(), key, ["key.pem: no certificate found", "BEGIN CERTIFICATE"]);
    check(
        cert,
        other.path("key.pem"),
        ["the key is not that of the certificate", "key that the certificate was made for"],
    );
}
