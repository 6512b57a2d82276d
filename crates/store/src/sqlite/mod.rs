//! The embedded store: one SQLite database in WAL mode per library.
//!
//! A library's folder contains `library.sqlite` (with `-wal` and `-shm` files while in use), the vectors of each space
//! (`crate::vectors`), and `writer.lock`. One process writes; any number of processes read at the same time, each reading
//! the last commit.
//!
//! A library may contain vectors of several spaces. A [`SqliteStore`] opens one of them and does not see records
//! without a vector in that space. Records, and the metadata of their files, are shared between spaces.
//!
//! Modules: `store` implements the trait by calling the modules below, each call in one transaction of
//! `database`; `write_records` and `read_records` contain the SQL for records, `rows` converts between records and
//! table rows, `names` writes the index of names, `captions` what captioners wrote, `schema` has the tables and migrations.

mod captions;
mod connect;
mod database;
mod failures;
mod lock;
mod metadata;
mod names;
mod read_records;
mod rows;
mod schema;
mod search;
mod search_names;
mod spaces;
mod store;
mod transaction_error;
mod vector_cache;
mod vectors;
mod verify;
mod write_records;

pub use store::SqliteStore;

#[cfg(test)]
mod tests;
