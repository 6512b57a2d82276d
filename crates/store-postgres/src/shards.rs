//! Shards: other servers that have the vectors and thumbnails of a library, by the hash of their records' ids.
//!
//! Searches reach them through [`postgres_fdw`](https://www.postgresql.org/docs/current/postgres-fdw.html), and changes of their tables
//! through [`dblink`](https://www.postgresql.org/docs/current/dblink.html): only the server that is named, the coordinator, connects to
//! them.

use lexiform_store::StoreError;
use postgres::GenericClient;

use crate::PostgresAddress;
use crate::connection::SESSION;
use crate::error::DatabaseError;

/// Makes other servers the shards of a new library.
pub(crate) fn attach(
    client: &mut impl GenericClient,
    address: &PostgresAddress,
    shards: &[PostgresAddress],
) -> Result<(), DatabaseError> {
    if shards.is_empty() {
        return Ok(());
    }
    client.batch_execute("CREATE EXTENSION IF NOT EXISTS postgres_fdw SCHEMA public; CREATE EXTENSION IF NOT EXISTS dblink SCHEMA public")?;
    for (number, shard) in shards.iter().enumerate() {
        let server = format!("{}_shard_{number}", address.library());
        client.batch_execute(&server_definition(&server, shard))?;
        let number = i32::try_from(number).unwrap_or(i32::MAX);
        client.execute("INSERT INTO shards VALUES ($1, $2)", &[&number, &server])?;
    }
    let id: String = client.query_one("SELECT id::text FROM library", &[])?.get(0);
    for server in servers(client)? {
        claim(client, address, &server, &id)?;
    }
    Ok(())
}

fn server_definition(server: &str, shard: &PostgresAddress) -> String {
    let (host, port) = shard.host_and_port();
    let database = shard.config().get_dbname().unwrap_or("postgres");
    let user = shard.config().get_user().unwrap_or_default();
    let password = shard.config().get_password().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let password = password.map(|password| format!(", password {}", literal(&password))).unwrap_or_default();
    format!(
        "CREATE SERVER {server} FOREIGN DATA WRAPPER postgres_fdw OPTIONS (
            host {}, port '{port}', dbname {}, extensions 'vector', batch_size '500', fetch_size '100',
            connect_timeout '5', options {}
        );
        CREATE USER MAPPING FOR CURRENT_USER SERVER {server} OPTIONS (user {}{password});",
        literal(&host),
        literal(database),
        literal(SESSION),
        literal(user),
    )
}

/// Makes a schema on a shard for this library alone: two libraries with one name would mix their records.
fn claim(
    client: &mut impl GenericClient,
    address: &PostgresAddress,
    server: &str,
    id: &str,
) -> Result<(), DatabaseError> {
    let library = address.library();
    on_shard(
        client,
        server,
        &format!(
            "CREATE EXTENSION IF NOT EXISTS vector SCHEMA public;
            CREATE SCHEMA IF NOT EXISTS {library};
            CREATE TABLE IF NOT EXISTS {library}.shard_of (library text NOT NULL)"
        ),
    )?;
    // What a library whose creation failed left behind is empty.
    on_shard(
        client,
        server,
        &format!(
            "DO $$ BEGIN
                IF NOT EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = '{library}' AND tablename LIKE 'vectors%') THEN
                    DROP TABLE IF EXISTS {library}.thumbnails;
                    DELETE FROM {library}.shard_of;
                    INSERT INTO {library}.shard_of VALUES ('{id}');
                END IF;
            END $$"
        ),
    )?;
    let select = format!("SELECT library FROM {library}.shard_of");
    let owner =
        client.query_one("SELECT owner FROM dblink($1, $2) AS t (owner text)", &[&server, &select])?;
    if owner.get::<_, String>(0) == id {
        return Ok(());
    }
    Err(StoreError::Remote {
        library: address.to_string(),
        action: "cannot create the library",
        reason: format!("{server} has the records of another library named {library}"),
        hint: Some("choose another name: postgres://…/database?library=NAME"),
    }
    .into())
}

/// The names of the servers of a library's shards; none if its vectors are on the server itself.
pub(crate) fn servers(client: &mut impl GenericClient) -> Result<Vec<String>, DatabaseError> {
    let rows = client.query("SELECT server FROM shards ORDER BY number", &[])?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Creates a table with a row for each record at most: on the server itself, or partitioned over the shards.
pub(crate) fn create_table(
    client: &mut impl GenericClient,
    address: &PostgresAddress,
    name: &str,
    columns: &str,
) -> Result<(), DatabaseError> {
    let (servers, library) = (servers(client)?, address.library());
    if servers.is_empty() {
        client.batch_execute(&format!("CREATE TABLE {name} ({columns}, PRIMARY KEY (record_id))"))?;
        return Ok(());
    }
    client.batch_execute(&format!("CREATE TABLE {name} ({columns}) PARTITION BY HASH (record_id)"))?;
    for (number, server) in servers.iter().enumerate() {
        // A shard has an empty one if adding the model failed on another shard, which is not one transaction.
        on_shard(
            client,
            server,
            &format!("CREATE TABLE IF NOT EXISTS {library}.{name} ({columns}, PRIMARY KEY (record_id))"),
        )?;
        client.batch_execute(&format!(
            "CREATE FOREIGN TABLE {name}_{number} PARTITION OF {name}
                FOR VALUES WITH (MODULUS {}, REMAINDER {number})
                SERVER {server} OPTIONS (schema_name '{library}', table_name '{name}')",
            servers.len()
        ))?;
    }
    Ok(())
}

/// Runs a statement on the server that has vectors: this one, or every shard.
pub(crate) fn on_all(client: &mut impl GenericClient, statement: &str) -> Result<(), DatabaseError> {
    let servers = servers(client)?;
    if servers.is_empty() {
        client.batch_execute(statement)?;
        return Ok(());
    }
    let library: String = client.query_one("SELECT current_schema()::text", &[])?.get(0);
    let statement = format!("SET search_path = {library}, public; {statement}");
    // All at the same time: building an index takes minutes.
    for server in &servers {
        client.execute("SELECT dblink_connect($1, $1)", &[server])?;
        client.execute("SELECT dblink_send_query($1, $2)", &[server, &statement])?;
    }
    let mut results = Vec::new();
    for server in &servers {
        results.push(wait(client, server));
    }
    results.into_iter().collect()
}

/// Waits for what [`on_all`] sent to a shard.
fn wait(client: &mut impl GenericClient, server: &str) -> Result<(), DatabaseError> {
    // One result for each statement, and an empty one at the end.
    while !client.query("SELECT status FROM dblink_get_result($1) AS t (status text)", &[&server])?.is_empty()
    {
    }
    client.execute("SELECT dblink_disconnect($1)", &[&server])?;
    Ok(())
}

fn on_shard(client: &mut impl GenericClient, server: &str, statement: &str) -> Result<(), DatabaseError> {
    client.execute("SELECT dblink_exec($1, $2)", &[&server, &statement])?;
    Ok(())
}

/// A text as SQL.
fn literal(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('\'', "''");
    format!("E'{escaped}'")
}
