//! Commands that need no model: info, render, sample, completions, man; and how the command fails.

use std::io::Read as _;
use std::process::Stdio;

use crate::support::Bench;

#[test]
fn info_says_what_a_file_holds() {
    let bench = Bench::new();
    let run = bench.run(&["info", "models/kinds/tall.obj"]).good();
    for part in ["models/kinds/tall.obj", "12 triangles", "8 vertices", "0.5"] {
        assert!(run.stdout.contains(part), "no {part:?} in {run:#?}");
    }
    let facts = &bench.run(&["info", "models/kinds/tall.obj", "--json"]).good().json()[0];
    assert_eq!(facts["triangles"], 12);
    assert_eq!(facts["format"], "obj");
    assert_eq!(facts["extents"], serde_json::json!([0.5, 6.0, 0.5]));
}

#[test]
fn info_says_what_is_wrong_and_goes_on() {
    let bench = Bench::new();
    bench.write("broken.stl", "solid nothing");
    let run = bench.run(&["info", "broken.stl", "models/flat.obj"]).good();
    assert!(run.stdout.contains("error") && run.stdout.contains("12 triangles"), "{run:#?}");
    assert_eq!(bench.run(&["info", "broken.stl", "models/flat.obj", "--strict"]).code, 1);
    assert_eq!(bench.run(&["info", "broken.stl"]).code, 1);
}

#[test]
fn render_draws_views_and_a_sheet() {
    let bench = Bench::new();
    let args = ["render", "models/flat.obj", "-o", "views", "--views", "3", "--size", "40", "--sheet"];
    bench.run(&args).good();
    let size = |name: &str| image::image_dimensions(bench.path(name)).unwrap();
    assert_eq!(size("views/v00.png"), (40, 40));
    assert_eq!(size("views/v02.png"), (40, 40));
    assert!(!bench.path("views/v03.png").exists());
    assert!(size("views/sheet.png").0 >= 80);
    let first = fs_err::read(bench.path("views/v01.png")).unwrap();
    bench.run(&args).good();
    assert_eq!(fs_err::read(bench.path("views/v01.png")).unwrap(), first, "the same views every time");
}

#[test]
fn render_writes_depth_and_normals_where_asked() {
    let bench = Bench::new();
    let plain = ["render", "models/kinds/cube.obj", "-o", "views", "--views", "2", "--size", "40"];
    bench.run(&[&plain[..], &["--depth"]].concat()).good();
    assert!(bench.path("views/d01.png").exists() && !bench.path("views/n00.png").exists());
    bench.run(&[&plain[..], &["--normals"]].concat()).good();
    let open = |name: &str| image::open(bench.path(name)).unwrap();
    let (view, depth, normals) = (open("views/v01.png"), open("views/d01.png"), open("views/n01.png"));
    let (view, normals) = (view.to_rgba8(), normals.as_rgb8().unwrap().clone());
    let depth = depth.as_luma16().unwrap();
    let mut covered = 0;
    for (x, y, depth) in depth.enumerate_pixels() {
        assert_eq!(depth.0 == [0], normals.get_pixel(x, y).0 == [0; 3], "{x} {y}");
        if depth.0 != [0] {
            assert_ne!(view.get_pixel(x, y).0, [255; 4], "{x} {y}: is seen in the view too");
            // Cameras stand 2.4 to 3.7 radii from the middle.
            assert!((14_000..47_000).contains(&depth.0[0]), "{depth:?}");
            covered += 1;
        }
    }
    assert!(covered > 100, "{covered}");
}

#[test]
fn sample_writes_points_that_can_be_read() {
    let bench = Bench::new();
    bench.run(&["sample", "models/flat.obj", "-n", "200", "-o", "points.ply"]).good();
    let facts = &bench.run(&["info", "points.ply", "--json"]).good().json()[0];
    assert_eq!((&facts["points"], &facts["triangles"]), (&200.into(), &0.into()));
}

#[test]
fn completions_and_manual_pages_know_every_command() {
    let bench = Bench::empty();
    let script = bench.run(&["completions", "bash"]).good().stdout;
    bench.run(&["man", "pages"]).good();
    let help = bench.run(&["--help"]).good().stdout;
    for command in ["search", "index", "classify", "embed", "compare", "render", "sample", "info", "model"] {
        assert!(script.contains(command) && help.contains(command), "{command}");
        assert!(bench.path(&format!("pages/lexiform-{command}.1")).exists(), "{command}");
    }
}

#[test]
fn failures_say_where_and_what_to_do() {
    let bench = Bench::new();
    bench.write("broken.stl", "solid nothing");
    bench.run(&["render", "broken.stl", "-o", "views"]).bad(1, &["error: ", "broken.stl", "hint: "]);
    bench.run(&["render", "missing.glb", "-o", "views"]).bad(1, &["missing.glb"]);
    bench.run(&["search", "nowhere", "chair"]).bad(1, &["nowhere", "no such file or folder"]);
    bench.run(&["search", "models/flat.obj", "chair"]).bad(1, &["found a file", "--shape models/flat.obj"]);
    bench.run(&["search", "models"]).bad(2, &["nothing to look for"]);
    bench.run(&["search", "models", "chair", "--where", "triangles <"]).bad(1, &["error: "]);
    bench.run(&["search", "models", "chair", "--model", "colossus"]).bad(1, &["colossus", "hint: "]);
    bench.run(&["classify", "models/flat.obj"]).bad(2, &["--labels"]);
    bench.run(&["index", "models", "models/kinds"]).bad(2, &["--library"]);
    bench.run(&["embed", "models/flat.obj", "-o", "out.doc"]).bad(2, &[".npy"]);
    bench.run(&["dance"]).bad(2, &["dance"]);
}

#[test]
fn a_reader_that_goes_away_ends_the_run_in_silence() {
    let bench = Bench::empty();
    let mut child =
        bench.command(&["completions", "zsh"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(141), "{stderr}");
    assert_eq!(stderr, "");
}
