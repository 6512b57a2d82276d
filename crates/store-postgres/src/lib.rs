//! Stores embeddings with metadata in PostgreSQL with [pgvector](https://github.com/pgvector/pgvector): [`PostgresStore`], for
//! libraries that several processes or machines write, and for those that outgrow one machine.
//!
//! A library is a schema in a database. Records, names and payloads are on the server that is named; vectors and thumbnails are there too,
//! or on other servers, its shards. All methods block: connections have a runtime of their own.
//!
//! ```no_run
//! use lexiform_store::{EmbeddingSpace, VectorStore as _};
//! use lexiform_store_postgres::{PostgresAddress, PostgresStore};
//!
//! let address = PostgresAddress::parse("postgres://me@localhost/models?library=parts")?;
//! let space = EmbeddingSpace { model: "nano".into(), dim: 512, preprocessing: "12 views of 224".into() };
//! let store = PostgresStore::open_or_create(&address, &space)?;
//! println!("{} records", store.len()?);
//! # Ok::<(), lexiform_store::StoreError>(())
//! ```

mod address;
mod connection;
mod error;
mod index;
mod names;
mod read;
mod rows;
mod schema;
mod search;
mod shards;
mod store;
mod write;

pub use address::PostgresAddress;
pub use store::PostgresStore;
