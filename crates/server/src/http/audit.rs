//! The audit log: who changed what, as lines of JSON.

use std::io::{self, Write as _};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Serialize;

/// A file that gets a line for each change.
#[derive(Clone, Debug)]
pub(super) struct AuditLog {
    path: PathBuf,
}

/// A change, or the attempt of somebody whose token does not permit it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Entry {
    /// Name of the token; `null` without one.
    pub token: Option<String>,
    /// Where the request came from.
    pub address: Option<IpAddr>,
    pub method: String,
    /// Path and query.
    pub path: String,
    pub status: u16,
}

#[derive(Serialize)]
struct Line<'a> {
    time: String,
    #[serde(flatten)]
    entry: &'a Entry,
}

impl AuditLog {
    /// Makes the file if it does not exist, readable by its owner alone.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        open(path)?;
        Ok(Self { path: path.to_owned() })
    }

    /// Appends a line. The file is opened each time, so that it may be renamed meanwhile, as `logrotate` does; a line is one write,
    /// which other processes do not interrupt.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn write(&self, entry: &Entry, time: SystemTime) -> io::Result<()> {
        let time = humantime::format_rfc3339_millis(time).to_string();
        let mut line = serde_json::to_vec(&Line { time, entry })?;
        line.push(b'\n');
        open(&self.path)?.write_all(&line)
    }
}

fn open(path: &Path) -> io::Result<fs_err::File> {
    let mut options = fs_err::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    {
        use fs_err::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}
