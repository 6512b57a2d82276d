//! Commands that need no model: info, render, sample, completions, man; and how the command fails.

use std::io::Read as _;
use std::process::Stdio;

use crate::support::Sandbox;

#[test]
fn info_says_what_a_file_holds() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&["info", "models/kinds/tall.obj"]).success();
    for part in ["models/kinds/tall.obj", "12 triangles", "8 vertices", "0.5"] {
        assert!(run.stdout.contains(part), "no {part:?} in {run:#?}");
    }
    let facts = &sandbox.run(&["info", "models/kinds/tall.obj", "--json"]).success().json()[0];
    assert_eq!(facts["triangles"], 12);
    assert_eq!(facts["format"], "obj");
    assert_eq!(facts["extents"], serde_json::json!([0.5, 6.0, 0.5]));
}

#[test]
fn info_says_what_is_wrong_and_goes_on() {
    let sandbox = Sandbox::new();
    sandbox.write("broken.stl", "solid nothing");
    let run = sandbox.run(&["info", "broken.stl", "models/flat.obj"]).success();
    assert!(run.stdout.contains("error") && run.stdout.contains("12 triangles"), "{run:#?}");
    assert_eq!(sandbox.run(&["info", "broken.stl", "models/flat.obj", "--strict"]).code, 1);
    assert_eq!(sandbox.run(&["info", "broken.stl"]).code, 1);
}

#[test]
fn render_draws_views_and_a_sheet() {
    let sandbox = Sandbox::new();
    let args = ["render", "models/flat.obj", "-o", "views", "--views", "3", "--size", "40", "--sheet"];
    sandbox.run(&args).success();
    let size = |name: &str| image::image_dimensions(sandbox.path(name)).unwrap();
    assert_eq!(size("views/v00.png"), (40, 40));
    assert_eq!(size("views/v02.png"), (40, 40));
    assert!(!sandbox.path("views/v03.png").exists());
    assert!(size("views/sheet.png").0 >= 80);
    let first = fs_err::read(sandbox.path("views/v01.png")).unwrap();
    sandbox.run(&args).success();
    assert_eq!(fs_err::read(sandbox.path("views/v01.png")).unwrap(), first, "the same views every time");
}

#[test]
fn render_makes_a_ring_or_one_picture() {
    let sandbox = Sandbox::new();
    let tall = "models/kinds/tall.obj";
    let size = |name: &str| image::image_dimensions(sandbox.path(name)).unwrap();
    sandbox.run(&["render", tall, "--views", "2"]).success();
    assert_eq!(size("tall-views/v01.png"), (512, 512));
    assert!(!sandbox.path("tall-views/v02.png").exists());
    sandbox.run(&["render", tall, "-o", "papers", "--views", "1", "--rig", "zero123"]).success();
    assert_eq!(size("papers/v00.png"), (224, 224));
    let picture = ["render", tall, "-o", "tall.png", "--size", "64"];
    sandbox.run(&picture).success();
    assert_eq!(size("tall.png"), (64, 64));
    sandbox.run(&[&picture[..], &["--views", "3"]].concat()).success();
    assert!(size("tall.png").0 > 128, "several views are one sheet");
    sandbox.run(&[&picture[..], &["--depth"]].concat()).failure(2, &["expected a folder"]);
    sandbox.run(&["render", tall, "-o", "tall.jpg"]).failure(2, &["ends in .png"]);
}

/// Names that would clear the screen, or make a line of their own.
#[cfg(unix)]
#[test]
fn names_do_not_control_the_terminal() {
    let sandbox = Sandbox::empty();
    let name = "models/a\u{1b}[2Jb\nc.obj";
    sandbox.write_box(name, [1.0, 2.0, 3.0]);
    fs_err::copy(sandbox.path(name), sandbox.path("models/copy.obj")).unwrap();
    sandbox.write("models/d\u{1b}[31m.stl", "solid nothing");
    let json = sandbox.run(&["info", name, "--json"]).success().json();
    assert_eq!(json[0]["path"], name);
    let runs = [&["info", name][..], &["duplicates", "models"], &["render", "models/d\u{1b}[31m.stl"]];
    for args in runs {
        let run = sandbox.run(args);
        let text = format!("{}{}", run.stdout, run.stderr);
        assert!(!text.contains('\u{1b}') && text.contains("\\u{1b}["), "{run:#?}");
        assert!(!text.lines().any(|line| line.starts_with("c.obj")), "{run:#?}");
    }
}

/// A pipe, without anything that writes to it: opening it would wait forever.
#[cfg(unix)]
#[test]
fn pipes_are_not_waited_for() {
    let sandbox = Sandbox::new();
    let made =
        std::process::Command::new("mkfifo").arg(sandbox.path("p.obj")).arg(sandbox.path("p.png")).status();
    assert!(made.unwrap().success());
    let cases: [&[&str]; 7] = [
        &["render", "p.obj", "-o", "views"],
        &["sample", "p.obj", "-o", "points.ply"],
        &["compare", "p.obj", "a box"],
        &["compare", "p.png", "a box"],
        &["classify", "p.obj", "--labels", "a,b"],
        &["embed", "p.obj", "-o", "e.npy"],
        &["search", "models", "--shape", "p.obj"],
    ];
    for args in cases {
        sandbox.run(args).failure(1, &["expected a regular file, found a pipe"]);
    }
    let info = sandbox.run(&["info", "p.obj"]);
    assert!(info.code == 1 && info.stdout.contains("expected a regular file, found a pipe"), "{info:#?}");
}

#[test]
fn render_writes_depth_and_normals_where_asked() {
    let sandbox = Sandbox::new();
    let plain = [
        "render",
        "models/kinds/cube.obj",
        "-o",
        "views",
        "--rig",
        "zero123",
        "--views",
        "2",
        "--size",
        "40",
    ];
    sandbox.run(&[&plain[..], &["--depth"]].concat()).success();
    assert!(sandbox.path("views/d01.png").exists() && !sandbox.path("views/n00.png").exists());
    sandbox.run(&[&plain[..], &["--normals"]].concat()).success();
    let open = |name: &str| image::open(sandbox.path(name)).unwrap();
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
    let sandbox = Sandbox::new();
    sandbox.run(&["sample", "models/flat.obj", "-n", "200", "-o", "points.ply"]).success();
    let facts = &sandbox.run(&["info", "points.ply", "--json"]).success().json()[0];
    assert_eq!((&facts["points"], &facts["triangles"]), (&200.into(), &0.into()));
}

#[test]
fn completions_and_manual_pages_know_every_command() {
    let sandbox = Sandbox::empty();
    let script = sandbox.run(&["completions", "bash"]).success().stdout;
    sandbox.run(&["man", "pages"]).success();
    let help = sandbox.run(&["--help"]).success().stdout;
    for command in ["search", "index", "classify", "embed", "compare", "render", "sample", "info", "model"] {
        assert!(script.contains(command) && help.contains(command), "{command}");
        assert!(sandbox.path(&format!("pages/lexiform-{command}.1")).exists(), "{command}");
    }
}

#[test]
fn failures_say_where_and_what_to_do() {
    let sandbox = Sandbox::new();
    sandbox.write("broken.stl", "solid nothing");
    sandbox.run(&["render", "broken.stl", "-o", "views"]).failure(1, &["error: ", "broken.stl", "hint: "]);
    sandbox.run(&["render", "missing.glb", "-o", "views"]).failure(1, &["missing.glb"]);
    sandbox.run(&["search", "nowhere", "chair"]).failure(1, &["nowhere", "no such file or folder"]);
    sandbox
        .run(&["search", "models/flat.obj", "chair"])
        .failure(1, &["found a file", "--shape models/flat.obj"]);
    sandbox.run(&["search", "models"]).failure(2, &["nothing to search for"]);
    sandbox.run(&["search", "models", "chair", "--where", "triangles <"]).failure(1, &["error: "]);
    sandbox.run(&["search", "models", "chair", "--model", "colossus"]).failure(1, &["colossus", "hint: "]);
    sandbox.run(&["classify", "models/flat.obj"]).failure(2, &["--labels"]);
    sandbox.run(&["index", "models", "models/kinds"]).failure(2, &["--library"]);
    sandbox.run(&["embed", "models/flat.obj", "-o", "out.doc"]).failure(2, &[".npy"]);
    sandbox.run(&["dance"]).failure(2, &["dance"]);
}

#[test]
fn a_reader_that_goes_away_ends_the_run_in_silence() {
    let sandbox = Sandbox::empty();
    let mut child = sandbox
        .command(&["completions", "zsh"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(141), "{stderr}");
    assert_eq!(stderr, "");
}
