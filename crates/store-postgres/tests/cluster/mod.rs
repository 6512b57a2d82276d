//! Servers of PostgreSQL on loopback, started by the test that needs them and stopped with it.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lexiform_store_postgres::PostgresAddress;

/// Environment variable that names the folder with `bin/postgres`.
const POSTGRES: &str = "LEXIFORM_POSTGRES";
/// Who runs the servers if the test is run by root, which PostgreSQL refuses.
const USER: &str = "nobody";

/// A server with its files.
pub struct Server {
    folder: PathBuf,
    port: u16,
}

/// Servers, and the folder with their files.
pub struct Cluster {
    pub servers: Vec<Server>,
    _folder: tempfile::TempDir,
}

impl Cluster {
    /// Starts this many servers.
    pub fn start(n_servers: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // Another user must get into it.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).expect("permissions");
        let servers = (0..n_servers).map(|number| Server::create(&folder.path().join(number.to_string())));
        Self { servers: servers.collect(), _folder: folder }
    }

    /// The address of a library on the first server.
    pub fn address(&self, library: &str) -> PostgresAddress {
        self.servers[0].address(library)
    }

    /// The addresses of the other servers.
    pub fn shards(&self) -> Vec<PostgresAddress> {
        self.servers[1..].iter().map(|server| server.address("shard")).collect()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.servers.iter().for_each(Server::kill);
    }
}

impl Server {
    fn create(folder: &Path) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let data = folder.display().to_string();
        run("initdb", &["-D", &data, "-U", "lexiform", "-A", "trust", "-N", "-E", "UTF8", "--locale=C"]);
        let server = Self { folder: folder.to_owned(), port };
        server.start();
        server
    }

    /// Starts the server with the files that it has.
    pub fn start(&self) {
        let data = self.folder.display().to_string();
        // Killed servers lose nothing without it either: only a machine does.
        let options = format!("-p {} -h 127.0.0.1 -c unix_socket_directories='' -c fsync=off", self.port);
        let log = self.folder.join("log").display().to_string();
        run("pg_ctl", &["-D", &data, "-w", "-l", &log, "-o", &options, "start"]);
    }

    /// Stops the server at once, as a crash does.
    pub fn kill(&self) {
        let data = self.folder.display().to_string();
        let _ = command("pg_ctl", &["-D", &data, "-m", "immediate", "stop"]).output();
    }

    /// The address of a library on this server.
    pub fn address(&self, library: &str) -> PostgresAddress {
        PostgresAddress::parse(&self.url(library)).expect("an address")
    }

    /// The same as text.
    pub fn url(&self, library: &str) -> String {
        format!("postgres://lexiform@127.0.0.1:{}/postgres?library={library}", self.port)
    }
}

/// The folder of a program's installation.
fn installation() -> PathBuf {
    let folder = std::env::var_os(POSTGRES);
    let folder =
        folder.expect("LEXIFORM_POSTGRES: the folder with bin/postgres, of PostgreSQL with pgvector");
    PathBuf::from(folder)
}

fn command(program: &str, arguments: &[&str]) -> Command {
    let program = installation().join("bin").join(program);
    let is_root = fs::metadata("/proc/self").is_ok_and(|process| {
        use std::os::unix::fs::MetadataExt as _;
        process.uid() == 0
    });
    let mut command = if is_root {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", USER, "--regid", "nogroup", "--clear-groups", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.args(arguments).current_dir("/").env("HOME", "/nonexistent").env("LC_ALL", "C");
    command
}

fn run(program: &str, arguments: &[&str]) {
    // Without pipes, which a server would keep open.
    let status = command(program, arguments).stdout(Stdio::null()).stdin(Stdio::null()).status();
    let status = status.unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(status.success(), "{program} failed: {status}");
}
