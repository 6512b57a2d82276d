//! Options of the commands that listen: where, and who may ask.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use lexiform_server::{RateLimit, Server, ServerOptions, Service, Surface, TlsFiles};

use crate::error::{UsageError, WithHint as _};

/// Who may ask a server, and how.
#[derive(Args)]
pub(crate) struct AccessArgs {
    /// Secret that requests must have, with all permissions; this or --tokens is required if other machines can reach the server
    #[arg(long, value_name = "TOKEN", env = "LEXIFORM_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// File of tokens made by `lexiform token add`; changes take effect at once
    #[arg(long, value_name = "FILE")]
    tokens: Option<PathBuf>,
    /// Name under which the server may be reached, such as that of a reverse proxy; may be given more than once
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<String>,
    /// Certificate for HTTPS, followed by those of its issuers (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Private key of the certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Most requests of each token, and of each address without one, such as 50/s or 1000/m
    #[arg(long, value_name = "N/TIME")]
    rate_limit: Option<RateLimit>,
    /// Append a line of JSON to this file for each change of the library
    #[arg(long, value_name = "FILE")]
    audit: Option<PathBuf>,
    /// Keep answering for this time after a request to stop, while /v1/ready says that the server is not ready
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    drain: u32,
}

impl AccessArgs {
    /// The option that is given though nothing listens, if any. The token does not count: it may be in the environment.
    pub(crate) fn unused(&self) -> Option<&'static str> {
        let given = [
            ("--tokens", self.tokens.is_some()),
            ("--allow-host", !self.allow_host.is_empty()),
            ("--tls-cert", self.tls_cert.is_some()),
            ("--rate-limit", self.rate_limit.is_some()),
            ("--audit", self.audit.is_some()),
            ("--drain", self.drain > 0),
        ];
        given.into_iter().find_map(|(name, is_given)| is_given.then_some(name))
    }

    /// The options of a server, checked before the library is indexed, which may take long.
    ///
    /// # Errors
    /// A usage error if they are insecure or name files that cannot be used.
    pub(crate) fn options(self, listen: SocketAddr, surface: Surface) -> anyhow::Result<ServerOptions> {
        let options = ServerOptions {
            surface,
            token: self.token,
            tokens: self.tokens,
            hosts: self.allow_host,
            tls: self.tls_cert.zip(self.tls_key).map(|(cert, key)| TlsFiles { cert, key }),
            rate_limit: self.rate_limit,
            audit: self.audit,
            drain_time: Duration::from_secs(self.drain.into()),
            ..ServerOptions::new(listen)
        };
        match options.check() {
            Ok(()) => Ok(options),
            Err(error) => {
                let usage = Err(UsageError(error.to_string()));
                match error.hint() {
                    Some(hint) => usage.hint(hint),
                    None => Ok(usage?),
                }
            }
        }
    }
}

/// Listens; returns the server and the address of its page.
///
/// # Errors
/// If the address cannot be used.
pub(crate) fn listen(service: Service, options: &ServerOptions) -> anyhow::Result<(Server, String)> {
    let server = Server::bind(Arc::new(service), options)
        .with_context(|| format!("cannot listen on {}", options.listen))
        .hint("choose another port: `--listen 127.0.0.1:0` takes any that is free")?;
    let scheme = if options.tls.is_some() { "https" } else { "http" };
    let url = format!("{scheme}://{}/", server.address()?);
    Ok((server, url))
}
