//! Readiness of a server that was asked to stop.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::support::Models;

#[test]
fn a_server_is_ready_until_it_is_asked_to_stop() {
    let models = Models::new();
    let mut server = models.serve(|options| options.drain_time = Duration::from_secs(3));
    assert_eq!(server.get("/v1/ready").ok()["status"], "ready");
    server.begin_stop();
    let started = Instant::now();
    let refused = loop {
        let reply = server.get("/v1/ready");
        if reply.status != 200 {
            break reply;
        }
        assert!(started.elapsed() < Duration::from_secs(2), "still ready");
    };
    refused.problem(503, "about to stop");
    assert_eq!(server.get("/v1/search?text=red").status, 200, "requests that still come are answered");
    server.stop();
    assert!(TcpStream::connect(server.address).is_err(), "it no longer listens");
}
