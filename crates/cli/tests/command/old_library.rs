//! A library of an older version is migrated by the first command that uses it.

use std::path::Path;

use rusqlite::Connection;

use crate::support::Sandbox;

/// What versions 4 to 6 of the schema changed, undone: vectors were in the database, names were not indexed, and there were no
/// captions.
const TO_VERSION_3: &str = "
DROP TRIGGER names_deleted;
DROP TABLE vocabulary;
DROP TABLE spellings;
DROP TABLE names;
ALTER TABLE records DROP COLUMN objects;
ALTER TABLE records DROP COLUMN materials;
ALTER TABLE records DROP COLUMN captions;
ALTER TABLE records DROP COLUMN captioner;
DROP TRIGGER vectors_deleted;
DROP TRIGGER vectors_replaced;
DROP TABLE dead_slots;
ALTER TABLE vectors RENAME TO slots;
CREATE TABLE vectors (
    row        INTEGER PRIMARY KEY,
    space_id   INTEGER NOT NULL REFERENCES spaces (id),
    record_id  INTEGER NOT NULL REFERENCES records (id) ON DELETE CASCADE,
    generation INTEGER NOT NULL,
    vector     BLOB NOT NULL,
    UNIQUE (record_id, space_id)
) STRICT;
CREATE INDEX vectors_by_generation ON vectors (space_id, generation, record_id);
ALTER TABLE spaces DROP COLUMN epoch;
ALTER TABLE spaces DROP COLUMN slots;
PRAGMA user_version = 3;
";

/// Turns a library with one model into one of version 3.
fn downgrade(folder: &Path) {
    let connection = Connection::open(folder.join("library.sqlite")).unwrap();
    connection.execute_batch(TO_VERSION_3).unwrap();
    let vectors = fs_err::read(folder.join("vectors-1-0.f32")).unwrap();
    let mut statement = connection.prepare("SELECT record_id, slot FROM slots ORDER BY slot").unwrap();
    let slots = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let slots: Vec<(i64, u32)> = slots.map(Result::unwrap).collect();
    let row = vectors.len() / slots.len();
    for (record, slot) in slots {
        let vector = &vectors[slot as usize * row..][..row];
        let insert = "INSERT INTO vectors (space_id, record_id, generation, vector) VALUES (1, ?, 1, ?)";
        connection.execute(insert, (record, vector)).unwrap();
    }
    drop(statement);
    connection.execute_batch("DROP TABLE slots").unwrap();
    drop(connection);
    for name in ["vectors-1-0.f32", "vectors-1-0.i8"] {
        fs_err::remove_file(folder.join(name)).unwrap();
    }
}

#[test]
fn a_library_of_an_older_version_is_migrated() {
    let sandbox = Sandbox::new();
    let index = ["index", "models", "--library", "l"];
    let search = ["search", "l", "a tall box", "--json"];
    sandbox.run(&index).success();
    let before = sandbox.run(&search).success().json();
    assert_eq!(before.len(), 3);
    downgrade(&sandbox.path("l"));
    assert_eq!(sandbox.run(&search).success().json(), before);
    downgrade(&sandbox.path("l"));
    let migrated = sandbox.run(&index).success();
    assert!(migrated.stderr.contains("0 indexed, 3 unchanged"), "{migrated:#?}");
    assert_eq!(sandbox.run(&search).success().json(), before);
}
