//! A library on a coordinator and two shards: failures of a shard, and many writers.

use std::collections::BTreeSet;

use cluster::Cluster;
use lexiform_store::{
    EmbeddingSpace, IndexState, Payload, Record, RecordId, SearchRequest, StoreError, VectorStore as _,
};
use lexiform_store_postgres::PostgresStore;
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

mod cluster;

const DIM: usize = 16;

fn space() -> EmbeddingSpace {
    EmbeddingSpace { model: "test".into(), dim: DIM, preprocessing: "none".into() }
}

/// Records named `FOLDER/NUMBER` with random directions.
fn records(folder: &str, numbers: std::ops::Range<usize>) -> Vec<Record> {
    let record = |number: usize| {
        let path = format!("{folder}/{number}");
        let id = RecordId::derive(&path, "h", 0);
        let mut rng = SmallRng::seed_from_u64(id.value());
        let vector: Vec<f32> = (0..DIM).map(|_| rng.random_range(-1.0..1.0)).collect();
        let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        let payload = Payload { path, content_hash: "h".into(), ..Payload::default() };
        Record {
            id,
            vector: vector.iter().map(|x| x / norm).collect(),
            payload,
            index_state: IndexState::default(),
            thumbnail: Some(vec![1; 100]),
        }
    };
    numbers.map(record).collect()
}

#[test]
#[ignore = "needs LEXIFORM_POSTGRES: the folder with bin/postgres, of PostgreSQL 17 or later with pgvector"]
fn a_killed_shard_loses_nothing() {
    let cluster = Cluster::start(3);
    let address = cluster.address("lost");
    PostgresStore::create(&address, &cluster.shards()).expect("a library");
    let store = PostgresStore::open_or_add_space(&address, &space()).expect("a store");
    let before = records("before", 0..500);
    store.upsert(&space(), &before).expect("upsert");
    cluster.servers[2].kill();

    let request = SearchRequest::new(before[0].vector.clone(), 5);
    let error = store.search(&request).expect_err("a shard is down");
    let StoreError::Remote { hint: Some(hint), .. } = &error else { panic!("{error:?}") };
    assert!(hint.contains("shard") && error.to_string().contains("could not connect"), "{error}; {hint}");
    let during = records("during", 0..50);
    store.upsert(&space(), &during).expect_err("a shard is down");
    // What needs no vectors works meanwhile, and nothing of the failed change is there.
    assert_eq!(store.len().expect("len"), 500);

    cluster.servers[2].start();
    assert_eq!(store.search(&request).expect("search")[0].id, before[0].id);
    store.upsert(&space(), &during).expect("the same again");
    let ids: Vec<RecordId> = before.iter().chain(&during).map(|record| record.id).collect();
    let found = store.get(&ids).expect("get");
    assert!(found.iter().zip(before.iter().chain(&during)).all(|(found, put)| found.as_ref() == Some(put)));
    // A session that the coordinator lost is replaced.
    cluster.servers[0].kill();
    cluster.servers[0].start();
    assert_eq!(store.len().expect("len"), 550);
}

#[test]
#[ignore = "needs LEXIFORM_POSTGRES: the folder with bin/postgres, of PostgreSQL 17 or later with pgvector"]
fn many_writers_do_not_disturb_each_other() {
    let cluster = Cluster::start(3);
    let address = cluster.address("shared");
    PostgresStore::create(&address, &cluster.shards()).expect("a library");
    std::thread::scope(|scope| {
        for folder in ["a", "b", "c", "d"] {
            let address = &address;
            scope.spawn(move || {
                // All of them open it at the same time: one adds the model.
                let store = PostgresStore::open_or_add_space(address, &space()).expect("a store");
                for start in (0..300).step_by(50) {
                    let mut batch = records(folder, start..start + 50);
                    // Everybody also writes the same records.
                    batch.extend(records("same", 0..20));
                    store.upsert(&space(), &batch).expect("upsert");
                }
            });
        }
    });
    let store = PostgresStore::open(&address, Some(&space())).expect("a store");
    let paths: BTreeSet<String> =
        store.file_states().expect("files").into_iter().map(|state| state.path).collect();
    assert_eq!((paths.len(), store.len().expect("len")), (4 * 300 + 20, 4 * 300 + 20));
    let all = store.search(&SearchRequest::new(records("a", 0..1)[0].vector.clone(), 5_000)).expect("search");
    assert_eq!(all.len(), 4 * 300 + 20);
    assert!(matches!(store.upsert(&space(), &records("e", 0..1)), Err(StoreError::ReadOnly { .. })));
}

#[test]
#[ignore = "needs LEXIFORM_POSTGRES: the folder with bin/postgres, of PostgreSQL 17 or later with pgvector"]
fn errors_say_what_to_do() {
    let cluster = Cluster::start(1);
    let address = |text: String| lexiform_store_postgres::PostgresAddress::parse(&text).expect("an address");
    let url = cluster.servers[0].url("none");
    let missing = PostgresStore::open(&address(url.clone()), None).err().expect("no library");
    assert!(matches!(missing, StoreError::NotFound { .. }), "{missing}");
    let database =
        PostgresStore::exists(&address(url.replace("/postgres?", "/nowhere?"))).expect_err("no database");
    assert!(database.hint().is_some_and(|hint| hint.contains("createdb")), "{database}");
    cluster.servers[0].kill();
    let secret = url.replace("lexiform@", "lexiform:hush@");
    let unreachable = PostgresStore::exists(&address(secret)).expect_err("no server");
    assert!(unreachable.hint().is_some_and(|hint| hint.contains("server runs")), "{unreachable}");
    assert!(!format!("{unreachable} {unreachable:?}").contains("hush"));
}
