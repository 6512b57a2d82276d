//! What the API answers.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Models, tetrahedron};

fn paths(found: &Value) -> Vec<String> {
    let answers = found["answers"].as_array().unwrap();
    answers.iter().map(|answer| answer["path"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn texts_find_files_in_both_forms_of_a_request() {
    let models = Models::new();
    let server = models.serve(|_| {});
    let found = server.get("/v1/search?text=green&k=2&rank_by=semantic").ok();
    assert_eq!(paths(&found)[0], "kinds/green.ply");
    let best = &found["answers"][0];
    // The view is green alone, and so is the text up to its 0.01.
    assert!((best["score"].as_f64().unwrap() - 1.0).abs() < 1e-3, "{best}");
    assert_eq!((&best["rank"], &best["format"], &best["triangles"]), (&1.into(), &"ply".into(), &4.into()));
    assert_eq!(best["extents"], json!([2.0, 2.0, 2.0]));
    assert_eq!(
        (&found["searched"], &found["more"], &found["unknown_texts"]),
        (&4.into(), &true.into(), &json!([]))
    );
    let posted = server.post("/v1/search", &json!({ "text": "green", "k": 2, "rank_by": "semantic" })).ok();
    assert_eq!(posted, found);
}

#[test]
fn terms_filters_and_pages_change_what_is_found() {
    let models = Models::new();
    let server = models.serve(|_| {});
    let search = |request: Value| server.post("/v1/search", &request).ok();
    // Yellow is red and green; without red it is green.
    let unwanted = search(json!({ "text": "green red", "not": ["red"], "rank_by": "semantic" }));
    assert_eq!(paths(&unwanted)[0], "kinds/green.ply");
    let filtered = search(json!({ "text": "red", "where": "path ~ 'kinds/*'" }));
    assert_eq!((paths(&filtered).len(), &filtered["searched"]), (2, &2.into()));
    let close = search(json!({ "text": "blue", "min_score": 0.9, "rank_by": "semantic" }));
    assert_eq!(paths(&close), ["kinds/blue.ply"]);
    let pages: Vec<String> = (0..4)
        .flat_map(|offset| {
            paths(&search(json!({ "text": "red", "offset": offset, "k": 1, "rank_by": "semantic" })))
        })
        .collect();
    assert_eq!(pages, paths(&search(json!({ "text": "red", "k": 4, "rank_by": "semantic" }))));
    let like = search(json!({ "like": [server.id("red.ply")], "k": 1 }));
    assert_eq!(paths(&like), ["red.ply"]);
    let all = search(json!({ "k": 3 }));
    assert_eq!(
        (paths(&all).len(), &all["more"], &all["answers"][0]["rank"]),
        (3, &true.into(), &Value::Null)
    );
    let unknown = search(json!({ "text": "xyzzy" }));
    assert_eq!((&unknown["unknown_texts"], &unknown["low_confidence"]), (&json!(["xyzzy"]), &true.into()));
    let named = search(json!({ "text": "blue" }));
    assert_eq!((&named["answers"][0]["name_rank"], &named["low_confidence"]), (&1.into(), &false.into()));
}

#[test]
fn pictures_and_shapes_are_uploaded_once_and_searched_for() {
    let models = Models::new();
    let server = models.serve(|_| {});
    let mut png = std::io::Cursor::new(Vec::new());
    let picture = image::RgbaImage::from_pixel(40, 30, image::Rgba([0, 0, 255, 255]));
    picture.write_to(&mut png, image::ImageFormat::Png).unwrap();
    let uploaded = server.send("POST", "/v1/uploads?name=photo.png", &[], png.get_ref());
    assert_eq!(uploaded.status, 201);
    let picture = uploaded.ok();
    assert_eq!((&picture["kind"], &picture["name"]), (&"image".into(), &"photo.png".into()));
    let found = server.post("/v1/search", &json!({ "uploads": [picture["id"]], "k": 1 })).ok();
    assert_eq!(paths(&found), ["kinds/blue.ply"]);
    let shape = tetrahedron([0, 255, 0]);
    let shape = server.send("POST", "/v1/uploads?name=a/b/shape.PLY", &[], shape.as_bytes()).ok();
    assert_eq!((&shape["kind"], &shape["name"]), (&"shape".into(), &"shape.PLY".into()));
    let found = server.get(&format!("/v1/search?upload={}&k=1", shape["id"].as_str().unwrap())).ok();
    assert_eq!(paths(&found), ["kinds/green.ply"]);
    let compared = json!({ "a": { "upload": shape["id"] }, "b": { "text": "green" } });
    let score = server.post("/v1/compare", &compared).ok()["score"].as_f64().unwrap();
    assert!(score > 0.99, "{score}");
    server.post("/v1/search", &json!({ "uploads": ["0"] })).problem(404, "no such upload");
}

#[test]
fn files_have_metadata_images_buffers_and_their_bytes() {
    let models = Models::new();
    let server = models.serve(|_| {});
    let asset = format!("/v1/assets/{}", server.id("red.ply"));
    let details = server.get(&asset).ok();
    assert_eq!(
        (&details["path"], &details["viewable"], &details["vertices"]),
        (&"red.ply".into(), &true.into(), &4.into())
    );
    assert_eq!(details["file"], models.root().join("red.ply").to_str().unwrap());
    let thumbnail = server.get(&format!("{asset}/thumbnail.png?size=64"));
    let image = image::load_from_memory(&thumbnail.body).unwrap().into_rgba8();
    assert_eq!((image.dimensions(), image.get_pixel(0, 0).0[3]), ((64, 64), 0));
    assert!(image.pixels().any(|pixel| pixel.0[3] == 255 && pixel.0[0] > 100 && pixel.0[1] < 60));
    let tag = thumbnail.header("etag").unwrap();
    let again = server.send("GET", &format!("{asset}/thumbnail.png?size=64"), &[("If-None-Match", tag)], &[]);
    assert_eq!((again.status, again.body.len()), (304, 0));
    let front = server.get(&format!("{asset}/view.png?azimuth=0&elevation=0&size=48"));
    let side = server.get(&format!("{asset}/view.png?azimuth=90&elevation=0&size=48"));
    assert_eq!(image::load_from_memory(&front.body).unwrap().width(), 48);
    assert_ne!((&front.body, front.header("etag")), (&side.body, side.header("etag")));
    let mesh = server.get(&format!("{asset}/mesh"));
    assert_eq!(&mesh.body[..4], b"LXM1");
    let file = server.get(&format!("{asset}/file"));
    assert_eq!(file.body, fs_err::read(models.root().join("red.ply")).unwrap());
    assert_eq!(file.header("content-disposition"), Some("attachment; filename*=UTF-8''red.ply"));
    let similar = server.get(&format!("{asset}/similar?k=2")).ok();
    assert_eq!((paths(&similar).len(), paths(&similar).contains(&"red.ply".to_owned())), (2, false));
    let labels = json!({ "item": { "asset": details["id"] }, "labels": ["blue", "red"] });
    assert_eq!(server.post("/v1/classify", &labels).ok()["labels"][0]["label"], "red");
    server
        .get(&format!("{asset}/thumbnail.png?size=9999"))
        .problem(400, "expected 32 to 512 pixels, found 9999");
    server.get(&format!("{asset}/view.png?elevation=91")).problem(400, "-90 to 90");
}

/// A tar archive of one file.
fn tar(name: &str, content: &str) -> String {
    let mut header = [0; 512];
    let mut set = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    set(0, name);
    set(100, "0000644");
    set(124, &format!("{:011o}", content.len()));
    set(148, "        ");
    set(156, "0");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    let padding = "\0".repeat(content.len().next_multiple_of(512) - content.len() + 1024);
    format!("{}{content}{padding}", std::str::from_utf8(&header).unwrap())
}

#[test]
fn archives_are_shown_and_uploaded_like_the_files_in_them() {
    let models = Models::new();
    let archive = tar("green.ply", &tetrahedron([0, 255, 0]));
    models.write("packed.tar", &archive);
    let server = models.serve(|_| {});
    let asset = format!("/v1/assets/{}", server.id("packed.tar"));
    assert_eq!(server.get(&asset).ok()["viewable"], true);
    for rest in ["mesh", "view.png", "thumbnail.png", "file"] {
        assert_eq!(server.get(&format!("{asset}/{rest}")).status, 200, "{rest}");
    }
    let uploaded = server.send("POST", "/v1/uploads?name=green.tar", &[], archive.as_bytes()).ok();
    let compared = json!({ "a": { "upload": uploaded["id"] }, "b": { "text": "green" } });
    assert!(server.post("/v1/compare", &compared).ok()["score"].as_f64().unwrap() > 0.99);
}

#[test]
fn a_file_that_is_gone_has_its_last_thumbnail() {
    let models = Models::new();
    let server = models.serve(|_| {});
    let asset = format!("/v1/assets/{}", server.id("red.ply"));
    fs_err::remove_file(models.root().join("red.ply")).unwrap();
    assert_eq!(
        image::load_from_memory(&server.get(&format!("{asset}/thumbnail.png")).body).unwrap().width(),
        160
    );
    server.get(&format!("{asset}/file")).problem(404, "red.ply: the file is missing");
    server.get(&format!("{asset}/mesh")).problem(404, "missing");
    assert_eq!(server.get(&asset).ok()["viewable"], false);
}

#[test]
fn the_map_has_a_place_for_each_file_that_is_served() {
    let models = Models::new();
    let server = models.serve(|_| {});
    let map = server.get("/v1/map").ok();
    let ids = |found: &Value, list: &str| {
        let mut ids: Vec<String> = (found[list].as_array().unwrap().iter())
            .map(|point| point["id"].as_str().unwrap().to_owned())
            .collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(&map, "points"), ids(&server.get("/v1/search").ok(), "answers"));
    assert_eq!((&map["total"], &map["model"]), (&4.into(), &"colors@1".into()));
    for point in map["points"].as_array().unwrap() {
        for axis in ["x", "y"] {
            assert!((0.0..=1.0).contains(&point[axis].as_f64().unwrap()), "{point}");
        }
        assert!(point["label"].is_string(), "{point}");
    }
    assert_eq!(server.get("/v1/map").ok(), map);
    let part = models.service_of("path ~ 'kinds/*'").map().unwrap();
    let mut paths: Vec<&str> = part.points.iter().map(|point| &point.path[..]).collect();
    paths.sort_unstable();
    assert_eq!((paths, part.total), (vec!["kinds/blue.ply", "kinds/green.ply"], 2));
}

#[test]
fn the_page_is_complete_and_light() {
    let models = Models::new();
    let server = models.serve(|_| {});
    let index = server.get("/");
    assert_eq!(index.header("content-type"), Some("text/html; charset=utf-8"));
    let html = String::from_utf8(index.body).unwrap();
    // Everything is named relative to the page, so that it works below any path of a proxy.
    let quoted: Vec<&str> = html.split('"').filter(|part| part.starts_with("static/")).collect();
    let mut names: Vec<&str> = quoted.iter().map(|path| &path["static/".len()..]).collect();
    for module in ["app.js", "dialog.js"] {
        let script = String::from_utf8(server.get(&format!("/static/{module}")).body).unwrap();
        names.extend(
            ["api.js", "cards.js", "dialog.js", "map.js", "viewer.js"]
                .iter()
                .filter(|name| script.contains(**name)),
        );
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 8, "{names:?}");
    let mut weight = html.len();
    for name in names {
        let file = server.get(&format!("/static/{name}"));
        assert_eq!(file.status, 200, "{name}");
        weight += file.body.len();
        let text = String::from_utf8(file.body).unwrap();
        let others = text.replace("http://www.w3.org/2000/svg", "");
        assert!(!others.contains("http://") && !others.contains("https://"), "{name} names another server");
        assert!(!others.contains("innerHTML"), "{name}");
    }
    assert!(weight <= 120_000, "{weight} bytes");
    assert!(
        !html.contains("<script>") && !html.contains("style=") && !html.contains("onclick"),
        "inline code"
    );
    server.get("/static/../Cargo.toml").problem(404, "no such route");
    server.get("/static/..%2fCargo.toml").problem(404, "no such file");
}

#[test]
fn counts_are_for_people_and_for_monitoring() {
    let models = Models::new();
    let server = models.serve(|_| {});
    let stats = server.get("/v1/stats").ok();
    assert_eq!(
        (&stats["records"], &stats["formats"], &stats["model"]),
        (&4.into(), &json!({ "ply": 4 }), &"colors@1".into())
    );
    // The second one is another question about the same text, the third one is the second one.
    for k in [24, 2, 2] {
        server.get(&format!("/v1/search?text=red&k={k}")).ok();
    }
    let metrics = String::from_utf8(server.get("/metrics").body).unwrap();
    let value = |name: &str| {
        let line = metrics.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
        line.unwrap_or_else(|| panic!("no {name} in {metrics}")).parse::<u64>().unwrap()
    };
    assert_eq!(value("lexiform_files"), 4);
    assert_eq!(value("lexiform_http_request_duration_seconds_count{route=\"/v1/search\",status=\"200\"}"), 3);
    assert_eq!((value("lexiform_text_cache_misses_total"), value("lexiform_text_cache_hits_total")), (1, 1));
    assert_eq!(value("lexiform_response_cache_hits_total"), 1);
    assert_eq!(server.get("/v1/health").ok(), json!({ "status": "ok" }));
    let document = server.get("/openapi.json").ok();
    assert_eq!(document["openapi"], "3.1.0");
    server.get("/v1/nothing").problem(404, "no such route: /v1/nothing");
    server.send("DELETE", "/v1/stats", &[], &[]).problem(405, "method not allowed");
}

#[test]
fn a_known_response_is_kept_until_the_library_changes() {
    let models = Models::new();
    let server = models.serve(|_| {});
    let ask = || server.get("/v1/search?text=red&rank_by=semantic&k=2");
    let hits = || {
        let text = String::from_utf8(server.get("/metrics").body).unwrap();
        let line = text.lines().find(|line| line.starts_with("lexiform_response_cache_hits_total")).unwrap();
        line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()
    };
    let first = ask();
    assert_eq!(first.ok()["answers"][0]["path"], "red.ply");
    assert_eq!((ask().body, hits()), (first.body, 1));
    models.write("another.ply", &tetrahedron([255, 10, 0]));
    // Indexed by another process, as far as the server knows.
    models.index();
    let mut found = paths(&ask().ok());
    found.sort();
    assert_eq!(found, ["another.ply", "red.ply"]);
    assert_eq!(hits(), 1);
}

#[test]
fn concurrent_texts_are_embedded_in_batches() {
    let models = Models::new();
    let server = models.serve(|_| {});
    std::thread::scope(|scope| {
        // The first takes 0.3 s; the others arrive meanwhile.
        scope.spawn(|| server.get("/v1/search?text=slow+red&rank_by=semantic").ok());
        std::thread::sleep(Duration::from_millis(100));
        for i in 0..8 {
            let server = &server;
            scope.spawn(move || {
                let found = server.get(&format!("/v1/search?text=green+{i}&rank_by=semantic")).ok();
                assert_eq!(paths(&found)[0], "kinds/green.ply");
            });
        }
    });
    let metrics = String::from_utf8(server.get("/metrics").body).unwrap();
    let batches = metrics.lines().find_map(|line| line.strip_prefix("lexiform_text_batches_total ")).unwrap();
    assert!(batches.parse::<u64>().unwrap() < 9, "9 texts in {batches} batches");
}

#[test]
fn requests_in_progress_are_answered_before_the_server_stops() {
    let models = Models::new();
    let mut server = models.serve(|_| {});
    let mut stream = TcpStream::connect(server.address).unwrap();
    let request =
        format!("GET /v1/search?text=slow+red&rank_by=semantic HTTP/1.1\r\nHost: {}\r\n\r\n", server.address);
    stream.write_all(request.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    server.stop();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    assert!(reply.starts_with("HTTP/1.1 200") && reply.contains("red.ply"), "{reply}");
    assert!(TcpStream::connect(server.address).is_err(), "nobody listens");
}
