//! The index of neighbors: [HNSW](https://arxiv.org/abs/1603.09320) over vectors in half precision, built once a library is large.

use lexiform_store::StoreError;

use crate::connection::Connections;
use crate::read;
use crate::schema::StoredSpace;
use crate::search::MAX_INDEXED_DIM;
use crate::shards;

/// Number of records from which there is an index: below, reading every vector takes some 20 ms, and rows are inserted faster without.
const INDEX_FROM: usize = 50_000;
/// Records that are written between two comparisons of their number with [`INDEX_FROM`].
pub(crate) const CHECK_EVERY: usize = 1_000;
/// Memory for building it: an index that does not fit takes ten times as long.
const BUILD_MEMORY: &str = "1GB";

/// Builds the index of a space if it has enough records and no other process is at it. Writers wait, searches do not.
pub(crate) fn build_if_large(connections: &Connections, space: &StoredSpace) -> Result<(), StoreError> {
    if space.space.dim > MAX_INDEXED_DIM
        || connections.read("cannot count records", |client| read::len(client, space))? < INDEX_FROM
    {
        return Ok(());
    }
    let (table, dim) = (space.table(), space.space.dim);
    connections.change("cannot build the index of neighbors", |transaction, _| {
        let lock = "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 1))";
        let is_free: bool =
            transaction.query_one(lock, &[&format!("{}.{table}", connections.address().library())])?.get(0);
        if !is_free {
            return Ok(());
        }
        shards::on_all(
            transaction,
            &format!(
                "SET maintenance_work_mem = '{BUILD_MEMORY}';
                CREATE INDEX IF NOT EXISTS {table}_neighbors ON {table}
                    USING hnsw ((vector::halfvec({dim})) halfvec_ip_ops);
                ANALYZE {table};
                RESET maintenance_work_mem"
            ),
        )?;
        transaction.execute("UPDATE spaces SET indexed = TRUE WHERE id = $1", &[&space.id])?;
        Ok(())
    })
}
