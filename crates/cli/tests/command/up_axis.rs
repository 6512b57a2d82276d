//! The up axis of files: the same points are the same shape in every format and command, and `--up` turns them.

use serde_json::Value;

use crate::support::{Sandbox, tiny_model, tiny_points};

/// A cloud of a seat, a back and a leg: no two axes look alike.
fn chair(width: f32) -> Vec<[f32; 3]> {
    let part = |size: [f32; 3], from: [f32; 3]| {
        (0..300).map(move |i| {
            // Multiples of irrational numbers fill the box evenly.
            let at = |axis: usize, step: f32| from[axis] + size[axis] * (step * (i + 1) as f32).fract();
            [at(0, 0.618_034), at(1, 0.414_213_56), at(2, 0.732_050_8)]
        })
    };
    let seat = part([width, 0.2, 1.0], [0.0, 1.0, 0.0]);
    let back = part([width, 1.5, 0.1], [0.0, 1.2, 0.0]);
    seat.chain(back).chain(part([0.2, 1.0, 0.2], [0.0, 0.0, 0.8])).collect()
}

fn rows(points: &[[f32; 3]], separator: &str) -> String {
    points.iter().map(|p| format!("{}{separator}{}{separator}{}\n", p[0], p[1], p[2])).collect()
}

/// The points in a file of the format that the name's extension says.
fn write_cloud(sandbox: &Sandbox, name: &str, points: &[[f32; 3]]) {
    let header = format!(
        "ply\nformat ascii 1.0\nelement vertex {}\nproperty float x\nproperty float y\nproperty float z\nend_header\n",
        points.len()
    );
    match name.rsplit('.').next().unwrap() {
        "ply" => sandbox.write(name, header + &rows(points, " ")),
        "npy" => sandbox.write_npy(name, 3, points.as_flattened()),
        "txt" => sandbox.write(name, rows(points, ",")),
        _ => sandbox.write(name, rows(points, " ")),
    }
}

/// From +Y up to +Z up.
fn z_up(points: &[[f32; 3]]) -> Vec<[f32; 3]> {
    points.iter().map(|[x, y, z]| [*x, -z, *y]).collect()
}

fn similarity(sandbox: &Sandbox, more: &[&str]) -> f64 {
    sandbox.run(&[&["compare", "--json"], more].concat()).success().json()[0]["score"].as_f64().unwrap()
}

#[test]
fn the_same_points_are_the_same_shape_in_every_format() {
    let sandbox = Sandbox::empty();
    let points = chair(1.0);
    for name in ["x.ply", "x.npy", "x.txt", "x.xyz", "x.pts"] {
        write_cloud(&sandbox, name, &points);
    }
    write_cloud(&sandbox, "z.npy", &z_up(&points));
    for name in ["x.npy", "x.txt", "x.xyz", "x.pts"] {
        let score = similarity(&sandbox, &["x.ply", name]);
        assert!(score >= 0.9999, "{name}: {score}");
        let turned = similarity(&sandbox, &[name, "z.npy"]);
        assert!(turned < 0.9999, "{name}: {turned}: this model cannot tell axes apart");
        // Both are turned, in the same way.
        assert!(similarity(&sandbox, &["x.ply", name, "--up", "z"]) >= 0.9999, "{name}");
    }
}

#[test]
fn samples_are_read_back_in_the_same_place() {
    let sandbox = Sandbox::empty();
    write_cloud(&sandbox, "x.ply", &chair(1.0));
    write_cloud(&sandbox, "z.xyz", &z_up(&chair(1.0)));
    let n = chair(1.0).len().to_string();
    for name in ["s.npy", "s.xyz", "s.pcd", "s.ply"] {
        sandbox.run(&["sample", "x.ply", "-n", &n, "-o", name, "--force"]).success();
        assert!(similarity(&sandbox, &["x.ply", name]) >= 0.9999, "{name}");
        sandbox.run(&["sample", "z.xyz", "-n", &n, "-o", name, "--force", "--up", "z"]).success();
        assert!(similarity(&sandbox, &["x.ply", name]) >= 0.9999, "{name} from +Z");
    }
}

/// Accuracies, and the prediction of every shape with its scores.
fn evaluate(sandbox: &Sandbox, more: &[&str]) -> (Vec<Value>, Vec<String>) {
    let (points, words) = (tiny_points(), tiny_model().to_str().unwrap());
    let model =
        ["--model", points.to_str().unwrap(), "--text-model", words, "--report", "out", "--force", "--json"];
    let run = sandbox.run(&[&["eval", "zero-shot"], more, &model].concat()).success();
    // Intervals are resampled in the order of the shapes, which is another one in a data set.
    let numbers = ["shapes", "top_1", "top_3", "top_5", "mean_class_accuracy", "macro_f1"];
    let numbers = numbers.map(|name| run.json()[0][name].clone()).to_vec();
    let table = fs_err::read_to_string(sandbox.path("out/predictions.csv")).unwrap();
    // The first column names the file.
    let mut rows: Vec<String> =
        table.lines().skip(1).map(|row| row.split_once(',').unwrap().1.to_owned()).collect();
    rows.sort();
    (numbers, rows)
}

#[test]
fn the_same_clouds_give_the_same_numbers_as_files_and_as_a_data_set() {
    let sandbox = Sandbox::empty();
    let widths = [("box", 0.3), ("table", 1.0), ("rug", 3.0)];
    let clouds =
        || widths.iter().flat_map(|(label, width)| (1..3).map(move |i| (*label, i, chair(width * i as f32))));
    for (label, i, cloud) in clouds() {
        for ending in ["ply", "npy", "txt"] {
            write_cloud(&sandbox, &format!("{ending}/{label}/{label}_{i:04}.{ending}"), &cloud);
            write_cloud(&sandbox, &format!("z{ending}/{label}/{label}_{i:04}.{ending}"), &z_up(&cloud));
        }
    }
    for root in ["txt", "ztxt"] {
        let ids = clouds().map(|(label, i, _)| format!("{label}_{i:04}\n")).collect::<String>();
        sandbox.write(&format!("{root}/modelnet40_test.txt"), ids);
        sandbox.write(&format!("{root}/modelnet40_shape_names.txt"), "box\ntable\nrug\n");
    }
    let files = |root: &str, more: &[&str]| {
        let assets = ["--labels", "folders", "--assets", root];
        evaluate(&sandbox, &[&assets, more].concat())
    };
    let plain = files("ply", &[]);
    assert_eq!(files("npy", &[]), plain);
    assert_eq!(files("txt", &[]), plain);
    assert_ne!(files("zply", &[]).1, plain.1, "this model cannot tell axes apart");
    for root in ["zply", "znpy", "ztxt"] {
        assert_eq!(files(root, &["--up", "z"]), plain, "{root}");
    }
    assert_eq!(files("ply", &["--turn", "z", "--up", "z"]), plain);
    let import = |from: &str, out: &str, more: &[&str]| {
        sandbox.run(&[&["data", "import", "modelnet", from, "--out", out], more].concat()).success();
    };
    import("txt", "set", &[]);
    import("ztxt", "zset", &[]);
    import("ztxt", "turned", &["--up", "z"]);
    assert_eq!(evaluate(&sandbox, &["--data", "set"]), plain);
    assert_eq!(evaluate(&sandbox, &["--data", "turned"]), plain);
    assert_eq!(evaluate(&sandbox, &["--data", "zset", "--up", "z"]), plain);
    assert_ne!(evaluate(&sandbox, &["--data", "zset"]).1, plain.1);
}

#[test]
fn info_says_which_axis_was_up() {
    let sandbox = Sandbox::empty();
    write_cloud(&sandbox, "x.xyz", &[[0.0; 3], [1.0, 2.0, 3.0]]);
    let text = |more: &[&str]| sandbox.run(&[&["info", "x.xyz"], more].concat()).success().stdout;
    assert!(
        text(&[]).contains("extents  1 × 2 × 3 (x × y × z)\n  up axis  y (XYZ states none), not turned\n")
    );
    let turned = text(&["--up", "z"]);
    assert!(turned.contains("up axis  z (given), turned to y: 1 × 3 × 2\n"), "{turned}");
    let facts = &sandbox.run(&["info", "x.xyz", "--up", "z", "--json"]).success().json()[0];
    assert_eq!((&facts["up_axis"], &facts["up_source"]), (&"z".into(), &"given".into()));
    assert_eq!(facts["extents"], serde_json::json!([1.0, 2.0, 3.0]));
    assert_eq!(facts["extents_y_up"], serde_json::json!([1.0, 3.0, 2.0]));
    sandbox
        .run(&["info", "x.xyz", "--up", "w"])
        .failure(2, &["expected y, z, x, auto or format, found \"w\""]);
}

#[test]
fn a_library_keeps_its_up_axis() {
    let sandbox = Sandbox::empty();
    write_cloud(&sandbox, "models/a.npy", &z_up(&chair(1.0)));
    write_cloud(&sandbox, "models/b.npy", &z_up(&chair(3.0)));
    write_cloud(&sandbox, "upright.npy", &chair(1.0));
    let search = |more: &[&str]| {
        let run = sandbox.run(&[&["search", "models", "--json"], more].concat()).success();
        let best = run.json()[0].clone();
        (best["path"].as_str().unwrap().to_owned(), best["score"].as_f64().unwrap(), run.stderr)
    };
    sandbox.run(&["index", "models", "--up", "z"]).success();
    // The rule of the library holds for later runs and for queries.
    let run = sandbox.run(&["index", "models"]).success();
    assert!(run.stderr.contains("2 unchanged") && !run.stderr.contains("note:"), "{run:#?}");
    let (path, score, notes) = search(&["--shape", "models/a.npy"]);
    assert!(path == "models/a.npy" && score > 0.9999 && notes.is_empty(), "{path} {score} {notes}");
    // A file that was added is turned too; its query has an axis of its own.
    write_cloud(&sandbox, "models/c.npy", &z_up(&chair(0.3)));
    let (path, score, notes) = search(&["--shape", "upright.npy", "--up", "y"]);
    assert!(path == "models/a.npy" && score > 0.9999, "{path} {score} {notes}");
    assert!(notes.contains("indexed with --up z: --up y applies to --shape only"), "{notes}");
    assert!(search(&["a box", "--up", "y"]).2.contains("--up y is not used"));
    // Another rule for the library itself: everything is embedded again, and remembered.
    let run = sandbox.run(&["index", "models", "--up", "y"]).success();
    assert!(
        run.stderr.contains("3 indexed") && run.stderr.contains("embedded again with --up y"),
        "{run:#?}"
    );
    let (path, score, _) = search(&["--shape", "upright.npy"]);
    assert!(path.starts_with("models/") && score < 0.9999, "{path} {score}");
}

#[test]
fn prepared_shapes_and_views_are_turned() {
    let sandbox = Sandbox::empty();
    sandbox.write_box("y/box/a.obj", [1.0, 3.0, 0.5]);
    sandbox.write_box("z/box/a.obj", [1.0, 0.5, 3.0]);
    let members = |from: &str, out: &str, more: &[&str]| {
        let args = [
            "data", "prepare", from, "--out", out, "--views", "1", "--size", "32", "--points", "50", "--rig",
            "ring",
        ];
        sandbox.run(&[&args[..], more].concat()).success();
        sandbox.run(&["data", "export", "files", out, "--out", &format!("{out}-files")]).success();
        let folder = fs_err::read_dir(sandbox.path(&format!("{out}-files"))).unwrap();
        let folder = folder.map(|entry| entry.unwrap().path()).find(|path| path.is_dir()).unwrap();
        let array =
            lexiform_formats::npy::read_npy(&fs_err::read(folder.join("points.npy")).unwrap()).unwrap();
        let lexiform_formats::npy::Npy::Array(array) = array else { panic!("numbers") };
        array.to_f32_vec().chunks(array.shape[1]).fold(0.0_f32, |top, point| top.max(point[1].abs()))
    };
    // Half of 3 in a sphere of radius 1.6: the longest edge is upright.
    assert!(members("y", "of-y", &[]) > 0.85);
    assert!(members("z", "of-z", &[]) < 0.3);
    assert!(members("z", "turned", &["--up", "z"]) > 0.85);
    let image = |out: &str, file: &str, more: &[&str]| {
        sandbox
            .run(
                &[&["render", file, "-o", out, "--rig", "ring", "--views", "1", "--size", "32"], more]
                    .concat(),
            )
            .success();
        image::open(sandbox.path(&format!("{out}/v00.png"))).unwrap().into_rgb8()
    };
    // The height of what is not white.
    let tall = |image: image::RgbImage| {
        let rows = image.rows().filter(|row| row.clone().any(|pixel| pixel.0 != [255; 3])).count();
        let columns = (0..32).filter(|x| (0..32).any(|y| image.get_pixel(*x, y).0 != [255; 3])).count();
        rows > columns
    };
    assert!(tall(image("v1", "y/box/a.obj", &[])) && !tall(image("v2", "z/box/a.obj", &[])));
    assert!(tall(image("v3", "z/box/a.obj", &["--up", "z"])));
}
