//! `lexiform scene`: objects in a room by text, and its index next to the file.

use lexiform_geometry::Scene;
use lexiform_search::overlap;
use lexiform_shapes::{Room, RoomConfig, ScanConfig};

use crate::support::Sandbox;

/// A scanned room in `rooms/room.ply`, with the instance of each point.
fn scanned_room(sandbox: &Sandbox) -> (Room, Vec<u32>) {
    let room = Room::generate(&RoomConfig { objects: 8, ..RoomConfig::of_seed(1) });
    let scan = room.scan(&ScanConfig { points: 120_000, ..ScanConfig::default() }).unwrap();
    fs_err::create_dir_all(sandbox.path("rooms")).unwrap();
    lexiform_mesh_io::write(&sandbox.path("rooms/room.ply"), &Scene::from_cloud(scan.cloud)).unwrap();
    (room, scan.instances)
}

#[test]
fn answers_are_objects_of_the_room_and_the_second_query_reads_the_index() {
    let sandbox = Sandbox::new();
    let (room, instances) = scanned_room(&sandbox);
    let command =
        ["scene", "rooms/room.ply", "--find", "a table", "-k", "3", "--model", "nano", "--json", "--masks"];
    let outputs = ["-o", "found.ply", "--page", "found.html"];
    let run = sandbox.run(&[&command[..], &outputs].concat()).success();
    let answers = run.json();
    assert_eq!(answers.len(), 3, "{run:#?}");
    // Each answer is mostly one object and most of it.
    for answer in &answers {
        let runs = answer["mask"]
            .as_array()
            .unwrap()
            .iter()
            .map(|r| [r[0].as_u64().unwrap(), r[1].as_u64().unwrap()]);
        let mask: Vec<u32> = runs.flat_map(|[first, count]| (first as u32)..(first + count) as u32).collect();
        assert_eq!(mask.len() as u64, answer["count"].as_u64().unwrap());
        let best = (0..room.instances.len() as u32).map(|instance| {
            let of_it: Vec<u32> =
                (0..instances.len() as u32).filter(|&p| instances[p as usize] == instance).collect();
            overlap(&mask, &of_it).1
        });
        assert!(best.fold(0.0, f32::max) > 0.5, "{}", answer["min"]);
        assert!(answer["up"][1].as_f64().unwrap() > 0.99);
    }
    let painted = lexiform_mesh_io::read(&sandbox.path("found.ply")).unwrap();
    assert_eq!(painted.n_points(), instances.len());
    let page = fs_err::read_to_string(sandbox.path("found.html")).unwrap();
    assert!(page.contains("“a table” in room.ply") && page.contains("class Viewer"));
    // The index answers alone: the same file, but with content that cannot be read, of the same size and time.
    let path = sandbox.path("rooms/room.ply");
    let modified = fs_err::metadata(&path).unwrap().modified().unwrap();
    let length = fs_err::metadata(&path).unwrap().len() as usize;
    fs_err::write(&path, vec![b'x'; length]).unwrap();
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    assert_eq!(sandbox.run(&command).success().stdout, run.stdout);
    sandbox.run(&[&command[..], &["--rebuild"]].concat()).failure(1, &["rooms/room.ply"]);
}

#[test]
fn what_cannot_be_searched_is_an_error() {
    let sandbox = Sandbox::new();
    sandbox.run(&["scene", "nowhere.ply", "--find", "a chair"]).failure(1, &["nowhere.ply", "no such file"]);
    sandbox.run(&["scene", "models/flat.obj"]).failure(2, &["--find"]);
    sandbox.run(&["eval", "scene"]).failure(2, &["--generated"]);
    sandbox.run(&["eval", "scene", "models"]).failure(1, &["no labeled scenes", "S3DIS"]);
}
