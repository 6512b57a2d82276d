//! Help texts, tables and errors, word for word. After a change, `INSTA_UPDATE=always cargo test -p lexiform-cli snapshots` rewrites
//! `snapshots/`; review its diff.

use crate::support::{Run, Sandbox};

/// Columns of help texts: those of most terminals that are wider than 80.
const COLUMNS: &str = "110";

/// Standard output and standard error without what differs between machines and versions.
fn shown(sandbox: &Sandbox, run: &Run) -> String {
    let mut text = format!("exit code {}\n", run.code);
    for (name, content) in [("stdout", &run.stdout), ("stderr", &run.stderr)] {
        if !content.is_empty() {
            text.push_str(&format!("--- {name}\n{content}"));
        }
    }
    let folder = sandbox.path("").display().to_string();
    let canonical = fs_err::canonicalize(sandbox.path("")).unwrap().display().to_string();
    let model = crate::support::tiny_model().display().to_string();
    text.replace(&model, "[MODEL]")
        .replace(folder.trim_end_matches('/'), "[FOLDER]")
        .replace(&canonical, "[FOLDER]")
        .replace(env!("CARGO_PKG_VERSION"), "[VERSION]")
}

/// Runs the command without the environment's settings.
fn run(sandbox: &Sandbox, args: &[&str]) -> String {
    let output = sandbox.command(args).env("COLUMNS", COLUMNS).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap();
    shown(sandbox, &Run { code, stdout: text(output.stdout), stderr: text(output.stderr) })
}

/// The value of LEXIFORM_MODEL is a path of this machine, which help texts show.
fn help(args: &[&str]) -> String {
    let sandbox = Sandbox::empty();
    let mut command = sandbox.command(args);
    command.arg("--help").env("COLUMNS", COLUMNS);
    ["LEXIFORM_MODEL", "LEXIFORM_DEVICE", "LEXIFORM_METEOR"].iter().for_each(|name| {
        command.env_remove(name);
    });
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().replace(env!("CARGO_PKG_VERSION"), "[VERSION]")
}

#[test]
fn help_of_every_command() {
    let commands = [
        "",
        "search",
        "index",
        "classify",
        "ask",
        "caption",
        "embed",
        "scene",
        "compare",
        "duplicates",
        "render",
        "sample",
        "info",
        "model",
        "model list",
        "model info",
        "model pull",
        "model join",
        "model train-captioner",
        "model convert",
        "data",
        "data prepare",
        "data merge",
        "data inspect",
        "data copy",
        "data import",
        "data export",
        "data formats",
        "train",
        "eval",
        "eval zero-shot",
        "eval retrieval",
        "eval probe",
        "eval few-shot",
        "eval attributes",
        "eval scene",
        "eval classify",
        "eval caption",
        "eval compare",
        "completions",
        "man",
    ];
    for command in commands {
        let args: Vec<&str> = command.split_whitespace().collect();
        let name = format!("help {command}").trim_end().replace(' ', "_");
        insta::assert_snapshot!(name, help(&args));
    }
}

#[test]
fn contents_of_files() {
    let sandbox = Sandbox::new();
    sandbox.write("broken.stl", "solid nothing");
    insta::assert_snapshot!("info", run(&sandbox, &["info", "models/flat.obj", "models/kinds/tall.obj"]));
    insta::assert_snapshot!("info_json", run(&sandbox, &["info", "models/kinds/cube.obj", "--json"]));
    insta::assert_snapshot!(
        "info_broken",
        run(&sandbox, &["info", "broken.stl", "missing.glb", "models/flat.obj"])
    );
}

#[test]
fn tables() {
    let sandbox = Sandbox::new();
    sandbox.write_box("models/kinds/cube_2.obj", [2.0, 2.0, 2.0]);
    insta::assert_snapshot!("model_list", run(&sandbox, &["model", "list"]));
    insta::assert_snapshot!("data_formats", run(&sandbox, &["data", "formats"]));
    insta::assert_snapshot!("duplicates", run(&sandbox, &["duplicates", "models"]));
    insta::assert_snapshot!(
        "sample",
        run(&sandbox, &["sample", "models/flat.obj", "-n", "10", "-o", "p.ply"])
    );
    let render = ["render", "models/flat.obj", "-o", "views", "--views", "1", "--size", "32"];
    insta::assert_snapshot!("render", run(&sandbox, &render));
    let embed = ["embed", "models/flat.obj", "missing.glb", "-o", "e.npy", "--json"];
    insta::assert_snapshot!("embed", run(&sandbox, &embed));
}

#[test]
fn errors() {
    let sandbox = Sandbox::new();
    sandbox.write("broken.stl", "solid nothing");
    sandbox.write("mine.png", "mine");
    sandbox.write("broken.toml", "name = ");
    sandbox.write("misspelled.toml", "nam = \"x\"");
    let cases: [(&str, &[&str]); 19] = [
        ("no_command", &[]),
        ("unknown_command", &["dance"]),
        ("missing_folder", &["search", "nowhere", "a box"]),
        ("file_as_folder", &["search", "models/flat.obj", "a box"]),
        ("nothing_to_search_for", &["search", "models"]),
        ("wrong_filter", &["search", "models", "a box", "--where", "triangles <"]),
        ("wrong_weight", &["search", "models", "a box", "--weight", "text"]),
        ("unknown_model", &["search", "models", "a box", "--model", "colossus"]),
        ("several_paths", &["index", "models", "models/kinds"]),
        ("no_labels", &["classify", "models/flat.obj"]),
        ("broken_file", &["render", "broken.stl", "-o", "views"]),
        ("missing_file", &["sample", "missing.glb", "-o", "p.ply"]),
        ("wrong_extension", &["sample", "models/flat.obj", "-o", "p.docx"]),
        ("existing_file", &["duplicates", "models", "--sheet", "mine.png"]),
        ("input_as_output", &["sample", "models/flat.obj", "-o", "models/flat.obj"]),
        ("other_files_in_data_set", &["data", "prepare", "models", "--out", "models"]),
        ("unknown_format", &["data", "import", "nothing", ".", "--out", "set"]),
        ("broken_recipe", &["train", "broken.toml"]),
        ("misspelled_recipe", &["train", "misspelled.toml"]),
    ];
    for (name, args) in cases {
        insta::assert_snapshot!(format!("error_{name}"), run(&sandbox, args));
    }
}

/// The reference in docs/ is what the command prints.
#[test]
fn the_reference_is_up_to_date() {
    let sandbox = Sandbox::empty();
    let mut command = sandbox.command(&["man", "--markdown"]);
    // Defaults from the environment would be shown in the help texts.
    let output = command.env_remove("LEXIFORM_MODEL").env_remove("LEXIFORM_DEVICE").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cli.md");
    let found = fs_err::read_to_string(path).unwrap_or_default();
    assert!(
        found == String::from_utf8(output.stdout).unwrap(),
        "docs/cli.md is out of date: cargo run -- man --markdown > docs/cli.md"
    );
}
