//! Readiness, and the end of a server.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::support::{Models, Reply};

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

#[test]
fn requests_in_progress_are_answered_before_the_end() {
    let models = Models::new();
    let mut server = models.serve(|_| {});
    let mut stream = TcpStream::connect(server.address).unwrap();
    let request =
        format!("GET /v1/search?text=slow+red&rank_by=semantic HTTP/1.1\r\nHost: {}\r\n\r\n", server.address);
    stream.write_all(request.as_bytes()).unwrap();
    // The model takes 300 ms.
    std::thread::sleep(Duration::from_millis(100));
    server.stop();
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).unwrap();
    assert_eq!(Reply::parse(&reply).status, 200);
}
