//! Connections to the server: reused, opened again when they are lost, and used with a bounded number of retries.

use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use lexiform_store::StoreError;
use postgres::types::Type;
use postgres::{Client, NoTls, Transaction};

use crate::PostgresAddress;
use crate::error::DatabaseError;
use crate::rows;

/// Tries of one change or query. With the pauses between them, a server may be away for some six seconds.
const TRIES: u32 = 7;
/// Pause after the first try; doubled after each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Most connections that are kept while nobody uses them.
const MAX_IDLE: usize = 8;
/// Oldest server, as it reports its version: its collation `pg_c_utf8` is the same everywhere.
const OLDEST_SERVER: i32 = 170_000;
/// Settings of a session: filtered searches continue until they have enough, and an index proposes 100 at least.
pub(crate) const SESSION: &str =
    "-c hnsw.iterative_scan=relaxed_order -c hnsw.ef_search=100 -c cursor_tuple_fraction=0.0001";

/// A connection, and what is known about its server.
pub(crate) struct Session {
    pub(crate) client: Client,
    /// The type `vector`, whose number differs between servers; `None` without pgvector.
    pub(crate) vector: Option<Type>,
}

/// Connections to the server of one library.
pub(crate) struct Connections {
    address: PostgresAddress,
    idle: Mutex<Vec<Session>>,
}

impl Connections {
    pub(crate) fn new(address: &PostgresAddress) -> Self {
        Self { address: address.clone(), idle: Mutex::default() }
    }

    pub(crate) fn address(&self) -> &PostgresAddress {
        &self.address
    }

    /// Reads; tried again when the connection is lost.
    pub(crate) fn read<T>(
        &self,
        action: &'static str,
        mut work: impl FnMut(&mut Client) -> Result<T, DatabaseError>,
    ) -> Result<T, StoreError> {
        self.with_retries(action, TRIES, |session| work(&mut session.client))
    }

    /// One transaction; tried again when the connection is lost or another writer was faster. The work must give the same result
    /// when it was committed before the connection was lost.
    pub(crate) fn change<T>(
        &self,
        action: &'static str,
        mut work: impl FnMut(&mut Transaction<'_>, Option<&Type>) -> Result<T, DatabaseError>,
    ) -> Result<T, StoreError> {
        self.with_retries(action, TRIES, |session| Self::transaction(session, &mut work))
    }

    /// As [`change`](Self::change), for work that can be done once.
    pub(crate) fn change_once<T>(
        &self,
        action: &'static str,
        work: impl FnOnce(&mut Transaction<'_>, Option<&Type>) -> Result<T, DatabaseError>,
    ) -> Result<T, StoreError> {
        // A new connection, because an old one may be lost without anyone having noticed.
        let mut session = self.connect().map_err(|error| error.into_store_error(&self.address, action))?;
        let result = Self::transaction(&mut session, work);
        self.keep(session, &result);
        result.map_err(|error| error.into_store_error(&self.address, action))
    }

    fn transaction<T>(
        session: &mut Session,
        work: impl FnOnce(&mut Transaction<'_>, Option<&Type>) -> Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        let mut transaction = session.client.transaction()?;
        let result = work(&mut transaction, session.vector.as_ref())?;
        transaction.commit()?;
        Ok(result)
    }

    fn with_retries<T>(
        &self,
        action: &'static str,
        tries: u32,
        mut work: impl FnMut(&mut Session) -> Result<T, DatabaseError>,
    ) -> Result<T, StoreError> {
        let (mut pause, mut attempt) = (FIRST_PAUSE, 0);
        loop {
            attempt += 1;
            let result = self.session().and_then(|mut session| {
                let result = work(&mut session);
                self.keep(session, &result);
                result
            });
            match result {
                Err(error) if attempt < tries && error.is_transient() => {
                    sleep(pause);
                    pause *= 2;
                }
                result => return result.map_err(|error| error.into_store_error(&self.address, action)),
            }
        }
    }

    fn session(&self) -> Result<Session, DatabaseError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| self.connect(), Ok)
    }

    fn keep<T>(&self, session: Session, result: &Result<T, DatabaseError>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let is_usable = !session.client.is_closed()
            && session.vector.is_some()
            && !matches!(result, Err(error) if error.breaks_connection());
        if is_usable && idle.len() < MAX_IDLE {
            idle.push(session);
        }
    }

    fn connect(&self) -> Result<Session, DatabaseError> {
        let mut config = self.address.config().clone();
        let options = config.get_options().map(|options| format!("{options} ")).unwrap_or_default();
        // Extensions are in `public`, if nobody put them elsewhere.
        config.options(&format!("{options}-c search_path={},public {SESSION}", self.address.library()));
        config.application_name("lexiform");
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(10));
        }
        let mut client = config.connect(NoTls)?;
        let version: String = client.query_one("SHOW server_version_num", &[])?.get(0);
        if version.parse().is_ok_and(|version: i32| version < OLDEST_SERVER) {
            return Err(self
                .refuse(format!("expected PostgreSQL 17 or later, found {version}"), "update the server")
                .into());
        }
        let vector = Self::vector_type(&mut client)?;
        if vector.is_some() {
            client.batch_execute(&rows::stage_table())?;
        }
        Ok(Session { client, vector })
    }

    fn vector_type(client: &mut Client) -> Result<Option<Type>, DatabaseError> {
        if client.query_one("SELECT to_regtype('vector') IS NULL", &[])?.get(0) {
            return Ok(None);
        }
        let statement = client.prepare("SELECT NULL::vector")?;
        Ok(statement.columns().first().map(|column| column.type_().clone()))
    }

    pub(crate) fn refuse(&self, reason: String, hint: &'static str) -> StoreError {
        let library = self.address.to_string();
        StoreError::Remote { library, action: "cannot open the library", reason, hint: Some(hint) }
    }
}
