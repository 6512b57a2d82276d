//! The contract of stores, on one server and on a coordinator with two shards.

use std::sync::atomic::{AtomicUsize, Ordering};

use cluster::Cluster;
use lexiform_store::contract;
use lexiform_store_postgres::PostgresStore;

mod cluster;

#[test]
#[ignore = "needs LEXIFORM_POSTGRES: the folder with bin/postgres, of PostgreSQL 17 or later with pgvector"]
fn one_server_keeps_the_contract() {
    let cluster = Cluster::start(1);
    let number = AtomicUsize::new(0);
    let new_address = || cluster.address(&format!("test_{}", number.fetch_add(1, Ordering::Relaxed)));
    contract::check(|| PostgresStore::open_or_create(&new_address(), &contract::space()).expect("a store"));
    contract::check_spaces(|| {
        let address = new_address();
        move |space: &_| PostgresStore::open_or_add_space(&address, space).expect("a store")
    });
}

#[test]
#[ignore = "needs LEXIFORM_POSTGRES: the folder with bin/postgres, of PostgreSQL 17 or later with pgvector"]
fn shards_keep_the_contract() {
    let cluster = Cluster::start(3);
    let number = AtomicUsize::new(0);
    let new_address = || {
        let address = cluster.address(&format!("test_{}", number.fetch_add(1, Ordering::Relaxed)));
        PostgresStore::create(&address, &cluster.shards()).expect("a library with shards");
        address
    };
    contract::check(|| PostgresStore::open_or_create(&new_address(), &contract::space()).expect("a store"));
    contract::check_spaces(|| {
        let address = new_address();
        move |space: &_| PostgresStore::open_or_add_space(&address, space).expect("a store")
    });
}
