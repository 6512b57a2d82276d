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
fn objects_in_scenes_are_records_of_a_library() {
    let sandbox = Sandbox::empty();
    let (room, instances) = scanned_room(&sandbox);
    let index =
        |more: &[&str]| sandbox.run(&[&["index", "rooms", "--model", "nano"], more].concat()).success();
    let first = index(&["--scenes"]);
    assert!(first.stdout.contains("0 shapes") && first.stderr.contains("1 indexed"), "{first:#?}");
    let search = ["search", "rooms", "a table", "-k", "4", "--model", "nano", "--json"];
    let answers = sandbox.run(&search).success().json();
    assert_eq!(answers.len(), 4, "{answers:#?}");
    // The same objects as those of the scene alone.
    let scene = ["scene", "rooms/room.ply", "--find", "a table", "-k", "1", "--model", "nano", "--json"];
    let alone = sandbox.run(&scene).success().json().remove(0);
    let [best, ..] = &answers[..] else { unreachable!() };
    assert_eq!((&best["object"]["min"], &best["object"]["max"]), (&alone["min"], &alone["max"]));
    assert_eq!(best["path"], format!("rooms/room.ply#{}", best["object"]["object"]));
    assert_eq!((&best["format"], &best["points"]), (&"scene-object".into(), &alone["count"]));
    // The box holds a table.
    let cloud = lexiform_mesh_io::read(&sandbox.path("rooms/room.ply")).unwrap();
    let points = cloud.clouds[0].positions();
    let corner = |key: &str| -> Vec<f64> {
        best["object"][key].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
    };
    let (min, max) = (corner("min"), corner("max"));
    let inside = |i: &usize| {
        let p = points[*i].to_array();
        (0..3).all(|a| (min[a] - 1e-4..=max[a] + 1e-4).contains(&f64::from(p[a])))
    };
    let is_table = |i: &usize| {
        let instance = room.instances.get(instances[*i] as usize);
        instance.is_some_and(|instance| instance.label.contains("table") || instance.label.contains("desk"))
    };
    let tables: Vec<usize> = (0..points.len()).filter(inside).filter(is_table).collect();
    assert!(tables.len() > 500, "{} points of tables in {min:?} to {max:?}", tables.len());

    // Nothing is done twice, also by a run that does not say that the files are scenes.
    assert!(index(&[]).stderr.contains("0 indexed, 1 unchanged"));
    assert_eq!(sandbox.run(&search).success().json(), answers);
    // A changed scene has other objects; a missing one has none.
    sandbox.write_box("rooms/room.ply.obj", [1.0, 1.0, 1.0]);
    fs_err::rename(sandbox.path("rooms/room.ply.obj"), sandbox.path("rooms/box.obj")).unwrap();
    fs_err::write(sandbox.path("rooms/room.ply"), "ply, but broken").unwrap();
    let changed = index(&["--json"]).json();
    let status = |name: &str| {
        let line = changed.iter().find(|line| line["path"].as_str().is_some_and(|path| path.ends_with(name)));
        line.unwrap()["status"].clone()
    };
    assert_eq!(status("room.ply"), "failed");
    assert!(["indexed", "failed"].contains(&status("box.obj").as_str().unwrap()));
    let left = sandbox.run(&search).success();
    assert!(!left.stdout.contains("room.ply"), "{left:#?}");
}

#[test]
fn parts_of_a_shape_are_found() {
    let sandbox = Sandbox::empty();
    let mug = lexiform_shapes::category("mug").unwrap().generate(3).scene;
    lexiform_mesh_io::write(&sandbox.path("mug.glb"), &mug).unwrap();
    let find = ["scene", "mug.glb", "--find", "a handle", "--parts", "--model", "nano", "--json", "--masks"];
    let answers = sandbox.run(&[&find[..], &["-k", "9", "-o", "found.ply"]].concat()).success().json();
    assert!(answers.len() >= 2, "{answers:#?}");
    // Parts are pieces of the surface: no triangle is in two of them.
    let mut triangles: Vec<u64> = Vec::new();
    for run in answers.iter().flat_map(|answer| answer["mask"].as_array().unwrap()) {
        let [first, count] = [0, 1].map(|i| run[i].as_u64().unwrap());
        triangles.extend(first..first + count);
    }
    let count = triangles.len();
    triangles.sort_unstable();
    triangles.dedup();
    assert_eq!(triangles.len(), count);
    assert!(triangles.iter().all(|triangle| (*triangle as usize) < mug.n_faces()));
    assert!(sandbox.path("found.ply").is_file());

    let eval = ["eval", "scene", "--protocol", "parts", "--model", "nano", "--json"];
    let report = sandbox.run(&[&eval[..], &["--generated", "6"]].concat()).success().json().remove(0);
    let number = |key: &str| report[key].as_f64().unwrap();
    assert!(report["queries"].as_u64().unwrap() >= 6, "{report:#}");
    assert!(number("best_iou") > 0.5 && number("best_iou") > number("chance_iou"), "{report:#}");
    sandbox.run(&eval).failure(2, &["--protocol parts needs --generated"]);
}

#[test]
fn what_cannot_be_searched_is_an_error() {
    let sandbox = Sandbox::new();
    sandbox.run(&["scene", "nowhere.ply", "--find", "a chair"]).failure(1, &["nowhere.ply", "no such file"]);
    sandbox.run(&["scene", "models/flat.obj"]).failure(2, &["--find"]);
    sandbox.run(&["eval", "scene"]).failure(2, &["--generated"]);
    sandbox.run(&["eval", "scene", "models"]).failure(1, &["no labeled scenes", "S3DIS"]);
}
