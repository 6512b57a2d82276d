//! Files that commands write: never in place of a user's file, complete or absent, and after the results.

use std::path::Path;

use crate::support::Sandbox;

/// Names in a folder, without the library.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs_err::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| name != ".lexiform").collect();
    names.sort();
    names
}

/// Runs a command that writes `output`, where a file that Lexiform did not write is in the way.
fn refuses_a_users_file(sandbox: &Sandbox, args: &[&str], output: &str) {
    sandbox.write(output, "mine");
    sandbox.run(args).failure(1, &[output, "was not written by lexiform", "hint: ", "--force"]);
    assert_eq!(fs_err::read(sandbox.path(output)).unwrap(), b"mine", "{args:?}");
    sandbox.run(&[args, &["--force"]].concat()).success();
    assert_ne!(fs_err::read(sandbox.path(output)).unwrap(), b"mine", "{args:?}");
}

#[test]
fn a_users_file_is_replaced_with_force_only() {
    let sandbox = Sandbox::new();
    sandbox.write_box("models/kinds/cube_2.obj", [2.0, 2.0, 2.0]);
    let flat = "models/flat.obj";
    let cases: [(&[&str], &str); 8] = [
        (&["search", "models", "a box", "--sheet", "s.png"], "s.png"),
        (&["duplicates", "models", "--sheet", "d.png"], "d.png"),
        (&["sample", flat, "-n", "10", "-o", "p.ply"], "p.ply"),
        (&["sample", flat, "-n", "10", "-o", "p.xyz"], "p.xyz"),
        (&["embed", flat, "-o", "e.npy"], "e.npy"),
        (&["embed", flat, "-o", "e.safetensors"], "e.safetensors"),
        (&["render", flat, "-o", "views", "--views", "2", "--size", "32", "--sheet"], "views/v01.png"),
        (&["man", "pages"], "pages/lexiform-search.1"),
    ];
    for (args, output) in cases {
        refuses_a_users_file(&sandbox, args, output);
    }
    let model = crate::support::tiny_model().to_str().unwrap();
    refuses_a_users_file(&sandbox, &["model", "convert", model, "m.safetensors"], "m.safetensors");
}

#[test]
fn files_of_an_earlier_run_are_replaced() {
    let sandbox = Sandbox::new();
    let flat = "models/flat.obj";
    let model = crate::support::tiny_model().to_str().unwrap();
    let cases: [&[&str]; 10] = [
        &["search", "models", "a box", "--sheet", "s.png"],
        &["sample", flat, "-n", "10", "-o", "p.ply"],
        &["sample", flat, "-n", "10", "-o", "p.glb"],
        &["embed", flat, "-o", "e.safetensors"],
        &["embed", flat, "-o", "e.npz"],
        &["embed", flat, "-o", "e.h5"],
        &["embed", flat, "-o", "e.parquet"],
        &["render", flat, "-o", "views", "--views", "2", "--size", "32", "--depth", "--normals", "--sheet"],
        &["man", "pages"],
        &["model", "convert", model, "m.safetensors"],
    ];
    for args in cases {
        sandbox.run(args).success();
        sandbox.run(args).success();
    }
}

#[test]
fn every_point_format_with_a_place_for_a_mark_has_it() {
    let sandbox = Sandbox::new();
    for (extension, is_marked) in
        [("ply", true), ("pcd", true), ("glb", true), ("obj", true), ("xyz", false), ("npy", false)]
    {
        let output = format!("points.{extension}");
        let args = ["sample", "models/flat.obj", "-n", "10", "-o", &output];
        sandbox.run(&args).success();
        if is_marked {
            sandbox.run(&args).success();
        } else {
            sandbox.run(&args).failure(1, &["was not written by lexiform"]);
        }
    }
}

#[test]
fn a_report_is_replaced_and_a_users_folder_is_not() {
    let sandbox = Sandbox::new();
    sandbox.write("labels.csv", "file,label\nmodels/flat.obj,rug\nmodels/kinds/tall.obj,tower\n");
    let report = ["eval", "zero-shot", "--labels", "labels.csv", "--report", "report"];
    sandbox.write("report/classes.csv", "mine");
    sandbox.run(&report).failure(1, &["report/classes.csv", "was not written by lexiform"]);
    sandbox.run(&[&report[..], &["--force"]].concat()).success();
    // The page says what wrote it, and the tables belong to it.
    sandbox.run(&report).success();
    let queries =
        ["eval", "retrieval", "--captions", "labels.csv", "--per-query-csv", "labels.csv", "--force"];
    sandbox.run(&queries).failure(2, &["would replace the input"]);
}

#[test]
fn inputs_are_never_replaced() {
    let sandbox = Sandbox::new();
    sandbox.run(&["sample", "models/flat.obj", "-n", "10", "-o", "p.ply"]).success();
    let before = fs_err::read(sandbox.path("p.ply")).unwrap();
    let mut spellings = vec!["p.ply", "./p.ply", "models/../p.ply"];
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("p.ply", sandbox.path("soft.ply")).unwrap();
        fs_err::hard_link(sandbox.path("p.ply"), sandbox.path("hard.ply")).unwrap();
        spellings.extend(["soft.ply", "hard.ply"]);
    }
    for output in spellings {
        sandbox
            .run(&["sample", "p.ply", "-n", "3", "-o", output, "--force"])
            .failure(2, &[output, "would replace the input"]);
    }
    assert_eq!(fs_err::read(sandbox.path("p.ply")).unwrap(), before);
    sandbox.run(&["render", "models/flat.obj", "-o", "v", "--views", "1", "--size", "32"]).success();
    let sheet = ["search", "models", "--image", "v/v00.png", "--sheet", "v/v00.png", "--force"];
    sandbox.run(&sheet).failure(2, &["would replace the input"]);
}

#[test]
fn a_file_name_of_another_format_is_refused() {
    let sandbox = Sandbox::new();
    let flat = "models/flat.obj";
    let before = fs_err::read(sandbox.path(flat)).unwrap();
    let model = crate::support::tiny_model().to_str().unwrap();
    let cases: [(&[&str], &str); 6] = [
        (&["search", "models", "a box", "--sheet", flat], ".png"),
        (&["search", "models", "a box", "--sheet", "s.jpg"], ".png"),
        (&["duplicates", "models", "--sheet", "s"], ".png"),
        (&["sample", flat, "-o", "p.stl"], ".ply, .pcd, .xyz, .npy, .glb, .obj"),
        (&["embed", flat, "-o", "e.csv"], ".npy, .npz, .safetensors"),
        (&["model", "convert", model, "m.bin"], ".safetensors"),
    ];
    for (args, expected) in cases {
        sandbox
            .run(&[args, &["--force"]].concat())
            .failure(2, &["expected a file name that ends in", expected]);
    }
    assert_eq!(fs_err::read(sandbox.path(flat)).unwrap(), before);
}

#[test]
fn files_that_are_converted_are_not_overwritten_by_others() {
    let sandbox = Sandbox::new();
    let flat = "models/flat.obj";
    sandbox.run(&["convert", flat, "models/flat.glb"]).success();
    let before = fs_err::read(sandbox.path("models/flat.glb")).unwrap();
    sandbox
        .run(&["convert", flat, "models/flat.glb", "models", "--force"])
        .failure(1, &["models/flat.glb", "wrote 1 file"]);
    assert_eq!(fs_err::read(sandbox.path("models/flat.glb")).unwrap(), before);
}

#[test]
fn data_sets_are_not_built_among_other_files() {
    let sandbox = Sandbox::new();
    let prepare = ["data", "prepare", "models", "--views", "1", "--size", "32", "--points", "0", "--out"];
    let in_folder = |more: &[&str]| sandbox.run(&[&prepare[..], more].concat());
    in_folder(&["models"]).failure(1, &["found other files", "--force"]);
    assert_eq!(names(&sandbox.path("models")), ["flat.obj", "kinds"]);
    in_folder(&["set"]).success();
    in_folder(&["set"]).success();
    sandbox
        .run(&["data", "export", "files", "set", "--out", "models"])
        .failure(1, &["expected an empty folder"]);
    sandbox.run(&["data", "import", "zero123", "x", "--out", "models"]).failure(1, &["found other files"]);
}

/// A device that is always full.
#[cfg(target_os = "linux")]
#[test]
fn results_are_printed_even_if_the_sheet_cannot_be_written() {
    let sandbox = Sandbox::new();
    sandbox.write_box("models/kinds/cube_2.obj", [2.0, 2.0, 2.0]);
    std::os::unix::fs::symlink("/dev/full", sandbox.path("full.png")).unwrap();
    for (args, part) in [
        (&["search", "models", "a box", "--sheet", "full.png"][..], "kinds/tall.obj"),
        (&["duplicates", "models", "--sheet", "full.png"][..], "same shape"),
    ] {
        let run = sandbox.run(args);
        assert!(run.stdout.contains(part), "{run:#?}");
        run.failure(1, &["error: full.png: cannot be written", "hint: "]);
    }
    assert!(sandbox.path("full.png").is_symlink(), "devices and links are not replaced");
    // Writers that replace their file refuse a device.
    std::os::unix::fs::symlink("/dev/full", sandbox.path("full.ply")).unwrap();
    sandbox.run(&["sample", "models/flat.obj", "-o", "full.ply"]).failure(1, &["found a device"]);
}

#[test]
fn places_that_cannot_be_written_leave_nothing_behind() {
    let sandbox = Sandbox::new();
    sandbox.write("file", "mine");
    let before = names(&sandbox.path("."));
    let long = format!("{}.png", "x".repeat(300));
    let flat = "models/flat.obj";
    let cases: [&[&str]; 6] = [
        &["search", "models", "a box", "--sheet", "file/s.png"],
        &["search", "models", "a box", "--sheet", &long],
        &["render", flat, "-o", "file", "--views", "1"],
        &["render", flat, "-o", "file/views", "--views", "1"],
        &["sample", flat, "-o", "file/p.ply"],
        &["embed", flat, "-o", "missing/e.npy"],
    ];
    for args in cases {
        sandbox.run(args).failure(1, &["cannot be written", "hint: "]);
    }
    assert_eq!(names(&sandbox.path(".")), before);
    assert_eq!(fs_err::read(sandbox.path("file")).unwrap(), b"mine");
    // What is written under a temporary name leaves none after success either.
    sandbox.run(&["render", flat, "-o", "views", "--views", "2", "--size", "32"]).success();
    assert_eq!(names(&sandbox.path("views")), ["v00.png", "v01.png"]);
}
