//! The tables of a library, each library in a schema of its own, and the spaces of their vectors.

use lexiform_store::{EmbeddingSpace, StoreError};
use postgres::{Client, GenericClient};

use crate::connection::Connections;
use crate::error::DatabaseError;
use crate::rows::COLUMNS;
use crate::{PostgresAddress, shards};

/// Version of the tables.
const VERSION: i32 = 1;
/// Largest number of dimensions that `vector` has.
const MAX_DIM: usize = 16_000;
/// Largest number of dimensions that fits into a page with the rest of the row; larger vectors are stored in a table of their own.
const MAX_INLINE_DIM: usize = 1_900;

/// Everything but vectors and thumbnails, on the server that is named. `members` says which records have a vector in a space: it
/// commits after the vectors, so what a shard has in addition does not count.
fn tables() -> String {
    let columns: Vec<String> = COLUMNS
        .iter()
        .map(|(name, kind, _)| match (*name, *kind) {
            ("id", _) => "id bigint PRIMARY KEY".into(),
            ("path", _) => "path text COLLATE \"C\" NOT NULL CONSTRAINT records_path_key UNIQUE".into(),
            ("modified_ns", _) => "modified_ns bigint".into(),
            (name, "text") => format!("{name} text COLLATE \"C\" NOT NULL"),
            (name, kind) => format!("{name} {kind} NOT NULL"),
        })
        .collect();
    format!(
        "CREATE TABLE library (version integer NOT NULL, id uuid NOT NULL);
        INSERT INTO library VALUES ({VERSION}, gen_random_uuid());
        CREATE TABLE metadata (key text PRIMARY KEY, value text NOT NULL);
        CREATE TABLE shards (number integer PRIMARY KEY, server text NOT NULL);
        CREATE TABLE spaces (
            id            integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            model         text NOT NULL,
            dim           integer NOT NULL,
            preprocessing text NOT NULL,
            indexed       boolean NOT NULL DEFAULT FALSE,
            UNIQUE (model, dim, preprocessing)
        );
        CREATE TABLE records ({});
        CREATE INDEX records_by_content ON records (content_hash);
        CREATE INDEX records_by_stem ON records USING gin (stems);
        CREATE INDEX records_by_word ON records USING gin (words);
        CREATE TABLE words (word text COLLATE \"C\" PRIMARY KEY);
        CREATE TABLE members (
            record_id bigint NOT NULL REFERENCES records (id) ON DELETE CASCADE,
            space_id  integer NOT NULL REFERENCES spaces (id),
            PRIMARY KEY (space_id, record_id)
        );
        CREATE INDEX members_by_record ON members (record_id);
        CREATE TABLE failures (
            space_id     integer NOT NULL REFERENCES spaces (id),
            path         text COLLATE \"C\" NOT NULL,
            content_hash text,
            bytes        bigint NOT NULL,
            modified_ns  bigint,
            error        text NOT NULL,
            failed_at_ns bigint NOT NULL,
            PRIMARY KEY (space_id, path)
        );",
        columns.join(", ")
    )
}

/// The columns of the tables that may be on shards.
pub(crate) const THUMBNAILS: &str = "record_id bigint NOT NULL, image bytea NOT NULL";

/// The columns of the table of a space's vectors.
fn vector_columns(dim: usize) -> String {
    format!("record_id bigint NOT NULL, vector vector({dim}) NOT NULL")
}

/// A space with its id in the database.
#[derive(Clone, Debug)]
pub(crate) struct StoredSpace {
    pub(crate) id: i32,
    pub(crate) space: EmbeddingSpace,
}

impl StoredSpace {
    /// The table of its vectors.
    pub(crate) fn table(&self) -> String {
        table(self.id)
    }

    /// SQL condition for rows of `records` that have a vector in this space.
    pub(crate) fn is_member(&self) -> String {
        format!("EXISTS (SELECT 1 FROM members WHERE record_id = records.id AND space_id = {})", self.id)
    }
}

/// The table of the vectors of a space.
pub(crate) fn table(space_id: i32) -> String {
    format!("vectors_{space_id}")
}

/// Whether the server has the library.
///
/// # Errors
/// [`StoreError::SchemaTooNew`], or if the server cannot be read.
pub(crate) fn exists(connections: &Connections) -> Result<bool, StoreError> {
    let address = connections.address();
    connections.read("cannot open the library", |client| {
        let name = format!("{}.library", address.library());
        if client.query_one("SELECT to_regclass($1) IS NULL", &[&name])?.get(0) {
            return Ok(false);
        }
        let found: i32 = client.query_one("SELECT version FROM library", &[])?.get(0);
        if found > VERSION {
            let path = address.to_string().into();
            let (found, supported) = (found.into(), VERSION.into());
            return Err(StoreError::SchemaTooNew { path, found, supported }.into());
        }
        Ok(true)
    })
}

/// Creates a library without spaces, unless it exists; its vectors and thumbnails are on the shards, if there are any.
pub(crate) fn create(connections: &Connections, shards: &[PostgresAddress]) -> Result<(), StoreError> {
    // The type of vectors must exist before a session can write them.
    connections.change("cannot create the library", |transaction, _| {
        lock(transaction, connections.address())?;
        transaction.batch_execute("CREATE EXTENSION IF NOT EXISTS vector SCHEMA public")?;
        let version: String = transaction
            .query_one("SELECT extversion FROM pg_extension WHERE extname = 'vector'", &[])?
            .get(0);
        if !is_at_least_0_8(&version) {
            let reason = format!("expected pgvector 0.8 or later, found {version}");
            return Err(connections.refuse(reason, "update it, then `ALTER EXTENSION vector UPDATE`").into());
        }
        let library = connections.address().library();
        if transaction
            .query_one("SELECT to_regclass($1) IS NOT NULL", &[&format!("{library}.library")])?
            .get(0)
        {
            return Ok(());
        }
        transaction.batch_execute(&format!("CREATE SCHEMA IF NOT EXISTS {library}"))?;
        transaction.batch_execute(&tables())?;
        shards::attach(transaction, connections.address(), shards)?;
        shards::create_table(transaction, connections.address(), "thumbnails", THUMBNAILS)
    })
}

fn is_at_least_0_8(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= (0, 8)
}

/// Holds back other processes that change the tables of the same library, until the transaction ends.
fn lock(client: &mut impl GenericClient, address: &PostgresAddress) -> Result<(), DatabaseError> {
    client.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", &[&address.library()])?;
    Ok(())
}

/// Adds a space, unless the library has it.
pub(crate) fn add_space(connections: &Connections, space: &EmbeddingSpace) -> Result<(), StoreError> {
    let EmbeddingSpace { model, dim, preprocessing } = space;
    if !(1..=MAX_DIM).contains(dim) {
        return Err(StoreError::invalid("dim", format!("expected 1 to {MAX_DIM}, found {dim}")));
    }
    let number = i32::try_from(*dim).unwrap_or(i32::MAX);
    connections.change("cannot add a model", |transaction, _| {
        lock(transaction, connections.address())?;
        let insert = "INSERT INTO spaces (model, dim, preprocessing) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING id";
        let Some(row) = transaction.query_opt(insert, &[model, &number, preprocessing])? else { return Ok(()) };
        let name = table(row.get(0));
        shards::create_table(transaction, connections.address(), &name, &vector_columns(*dim))?;
        if *dim <= MAX_INLINE_DIM {
            // Next to the rest of the row: scans read every vector.
            let plain = format!("ALTER TABLE {name} ALTER COLUMN vector SET STORAGE PLAIN");
            shards::on_all(transaction, &plain)?;
        }
        Ok(())
    })
}

/// All spaces of a library, oldest first.
pub(crate) fn spaces(client: &mut Client) -> Result<Vec<StoredSpace>, DatabaseError> {
    let rows = client.query("SELECT id, model, dim, preprocessing FROM spaces ORDER BY id", &[])?;
    let space = |row: &postgres::Row| EmbeddingSpace {
        model: row.get(1),
        dim: usize::try_from(row.get::<_, i32>(2)).unwrap_or_default(),
        preprocessing: row.get(3),
    };
    Ok(rows.iter().map(|row| StoredSpace { id: row.get(0), space: space(row) }).collect())
}
