//! docs/migrate.md: its commands run, its options are those of the errors, and what it names exists.

use std::path::Path;

use lexiform_golden::fixture;
use lexiform_train::{Recipe, find_reference_name, reference_names};

use crate::support::{Sandbox, tiny_model, tiny_points};

const PAGE: &str = include_str!("../../../../docs/migrate.md");
const RECIPES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../recipes");

/// The lines of blocks that say that they run.
pub(crate) fn commands() -> Vec<Vec<String>> {
    let blocks = PAGE.split("```sh run\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.flat_map(str::lines).map(words).collect()
}

/// The words of a command, some in quotes.
pub(crate) fn words(line: &str) -> Vec<String> {
    let quoted = line.split('"').enumerate();
    let words = quoted.flat_map(|(i, part)| match i % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect(),
        _ => vec![part.to_owned()],
    });
    words.collect()
}

/// A folder with the files that the page names, made small.
pub(crate) fn files() -> Sandbox {
    let sandbox = Sandbox::empty();
    let save = |name: &str, image: image::RgbImage| {
        let path = sandbox.path(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        image.save(path).unwrap();
    };
    let view = |seed: u32, height: u32| {
        image::RgbImage::from_fn(32, height, |x, y| {
            image::Rgb([x * seed, y * 7, x + y].map(|value| (value % 256) as u8))
        })
    };
    save("couch.jpg", view(3, 32 * 12));
    ["view.jpg", "a.jpg", "b.jpg", "c.jpg"]
        .iter()
        .zip(4..)
        .for_each(|(name, seed)| save(name, view(seed, 32)));
    for (object, index) in
        ["0a", "0b", "0c"].iter().flat_map(|object| (0..12).map(move |index| (object, index)))
    {
        save(&format!("views_release/{object}/{index:03}.png"), view(index, 32));
    }
    sandbox.write("captions.csv", "id,caption\n0a,a white couch\n0b,a red chair\n0c,a lamp\n");
    sandbox.write_box("models/box.obj", [1.0, 2.0, 3.0]);
    let cloud = "ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\nend_header\n0 0 0\n1 0 0\n0 1 1\n";
    sandbox.write("owl.ply", cloud);
    for (name, from) in [
        ("dataset/data", "data/duoduo"),
        ("modelnet40_normal_resampled", "data/modelnet"),
        ("shapenet-55", "data/shapenet"),
        ("ShapeNet55", "data/shapenet"),
        ("ScanObjectNN", "data/scanobjectnn"),
        ("openshape", "data/openshape"),
        ("recipes", "../recipes"),
    ] {
        copy(&fixture(from), &sandbox.path(name));
    }
    fs_err::copy(fixture("data/duoduo/lvis.csv"), sandbox.path("lvis.csv")).unwrap();
    sandbox.run(&["embed", "models/box.obj", "a.jpg", "b.jpg", "-o", "shape_emb_objaverse.h5"]).success();
    add_renders(&sandbox, &save);
    sandbox
}

/// Adds a training shape to ULIP's ShapeNet, and a render of every shape.
fn add_renders(sandbox: &Sandbox, save: &dyn Fn(&str, image::RgbImage)) {
    let root = sandbox.path("shapenet-55");
    let cloud = |name: &str| root.join(format!("shapenet_pc/{name}.npy"));
    fs_err::copy(cloud("03001627-cc"), cloud("03001627-dd")).unwrap();
    let listed = fs_err::read_to_string(root.join("train.txt")).unwrap();
    fs_err::write(root.join("train.txt"), format!("{}\n03001627-dd.npy\n", listed.trim_end())).unwrap();
    for name in ["02691156-aa", "02691156-bb", "03001627-cc", "03001627-dd"] {
        save(&format!("shapenet-55/rendered_images/{name}/{name}_r_000.png"), image::RgbImage::new(32, 32));
    }
}

pub(crate) fn copy(from: &Path, to: &Path) {
    fs_err::create_dir_all(to).unwrap();
    for entry in fs_err::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target)
        } else {
            fs_err::copy(entry.path(), target).map(drop).unwrap()
        }
    }
}

/// Replaces models of the hub by small ones, and adds small sizes to a training.
pub(crate) fn made_small(mut command: Vec<String>) -> Vec<String> {
    let (views, points) = (tiny_model().display().to_string(), tiny_points().display().to_string());
    if let Some(i) = command.iter().position(|word| word == "--model").map(|i| i + 1) {
        match command[i].as_str() {
            "duoduo" => command[i] = views.clone(),
            name if name.contains('/') => {}
            _ => {
                command[i] = points;
                // The classifier's own head needs no text model.
                command.extend(["--text-model".to_owned(), views.clone()]);
            }
        }
    }
    let small = match command.iter().find(|word| word.ends_with(".toml")).map(String::as_str) {
        Some("recipes/duoduo.toml") => {
            "teacher=TINY network.base=TINY network.joint_from=1 augment.views=none batch.size.shapes=2 batch.max_views=2 \
            data.views=2 param_groups.attention.params=[\"vision.transformer.resblocks.1+.attn\",\"logit_scale\"]"
        }
        Some("recipes/ulip.toml" | "recipes/ulip2.toml") => {
            "teacher=TINY network.tower.projection.dim=32 network.tower.encoder.groups=4 \
            network.tower.encoder.group_size=2 network.tower.encoder.group_width=16 network.tower.encoder.width=32 \
            network.tower.encoder.layers=1 network.tower.encoder.heads=2 network.tower.encoder.mlp_width=32 network.input.n_points=8 \
            batch.size.shapes=2 data.points=8"
        }
        Some("recipes/cg3d.toml") => {
            "network.tower.projection.dim=32 network.tower.encoder.groups=4 network.tower.encoder.group_size=2 \
            network.tower.encoder.group_width=16 network.tower.encoder.width=32 network.tower.encoder.layers=1 \
            network.tower.encoder.heads=2 network.tower.encoder.mlp_width=32 network.input.n_points=8 batch.size.shapes=2 data.points=8"
        }
        Some("recipes/openshape.toml") => {
            "teacher=TINY network.tower.projection.dim=32 network.tower.encoder.patches=4 network.tower.encoder.samples=4 \
            network.tower.encoder.group_width=16 network.tower.encoder.width=16 network.tower.encoder.layers=1 \
            network.tower.encoder.heads=2 network.tower.encoder.head_width=8 network.tower.encoder.mlp_width=16 \
            network.input.n_points=8 batch.size.shapes=2 data.points=8"
        }
        Some("recipes/classify.toml") if command.iter().any(|word| word.starts_with("network.base=")) => {
            "network.input.n_points=8 batch.size.shapes=2 data.points=8"
        }
        Some("recipes/classify.toml") => {
            "network.tower.encoder.groups=4 network.tower.encoder.group_size=2 \
            network.tower.encoder.group_width=16 network.tower.encoder.width=32 network.tower.encoder.layers=1 \
            network.tower.encoder.heads=2 network.tower.encoder.mlp_width=32 network.input.n_points=8 batch.size.shapes=2 data.points=8"
        }
        _ => return command,
    };
    let length = ["run.steps=2", "run.evaluate_every=2"];
    for setting in small.replace("TINY", &views).split_whitespace().chain(length) {
        command.extend(["--set".to_owned(), setting.to_owned()]);
    }
    command
}

#[test]
fn the_commands_of_the_page_run() {
    let sandbox = files();
    let commands = commands();
    assert!(commands.len() > 15, "{commands:?}");
    for command in commands {
        assert_eq!(command[0], "lexiform", "{command:?}");
        let small = made_small(command[1..].to_vec());
        let run = sandbox.run(&small.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(run.code, 0, "{command:?}\n{run:#?}");
    }
}

/// The cells of the page's tables.
fn rows() -> Vec<[&'static str; 2]> {
    let row = |line: &'static str| {
        let (there, here) = line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | ")?;
        Some([there, here])
    };
    PAGE.lines().filter_map(row).collect()
}

#[test]
fn the_page_and_the_errors_name_the_same_options() {
    let rows = rows();
    for name in reference_names() {
        let row = [format!("`{}`", name.name), name.ours.replace('|', "\\|")];
        let is_in_page = rows.iter().any(|[there, here]| *there == row[0] && *here == row[1]);
        assert!(is_in_page, "not in docs/migrate.md: | {} | {} |", row[0], row[1]);
    }
    let tables = PAGE.split("<!-- options: ").skip(1);
    for table in tables.map(|rest| rest.split("<!-- end -->").next().unwrap()) {
        let paper = table.split(' ').next().unwrap();
        for line in table.lines().filter(|line| line.starts_with("| `")) {
            let there = line.split('`').nth(1).unwrap();
            let is_known = reference_names().iter().any(|name| name.paper == paper && name.name == there);
            assert!(is_known, "not in reference_names.tsv: {paper} {there}");
        }
    }
}

/// What is in backticks in our cells: commands, options, settings.
pub(crate) fn ours() -> Vec<&'static str> {
    rows().into_iter().flat_map(|[_, here]| here.split('`').skip(1).step_by(2)).collect()
}

#[test]
fn options_that_the_page_names_exist() {
    let sandbox = Sandbox::empty();
    let reference = sandbox.run(&["man", "--markdown"]).success().stdout;
    let is_option = |word: &&str| word.starts_with("--") && word.len() > 2;
    for code in ours() {
        for option in words(code).iter().map(String::as_str).filter(is_option) {
            assert!(
                reference.contains(&format!("{option} ")) || reference.contains(&format!("{option}\n")),
                "{code}"
            );
        }
        let mut words = code.split(' ').skip_while(|word| *word != "lexiform").skip(1);
        if let Some(command) = words.next() {
            assert!(reference.contains(&format!("## lexiform {command}\n")), "{code}");
        }
    }
    assert!(ours().len() > 100);
}

#[test]
fn settings_that_the_page_names_exist() {
    let recipes: Vec<_> = fs_err::read_dir(RECIPES).unwrap().map(|entry| entry.unwrap().path()).collect();
    let mut checked = 0;
    for code in ours().into_iter().filter(|code| code.contains("--set ")) {
        let words = words(code);
        let settings = words.iter().zip(&words[1..]).filter(|(option, _)| *option == "--set");
        for setting in settings.map(|(_, setting)| setting.replace('…', "point-bert")) {
            // Some recipes have no generated shapes.
            let settings = ["data=SET".to_owned(), setting.clone()];
            let accepts = |recipe: &std::path::PathBuf| Recipe::read(recipe, &settings).is_ok();
            assert!(recipes.iter().any(accepts), "{setting}");
            checked += 1;
        }
    }
    assert!(checked > 40, "{checked}");
}

#[test]
fn unknown_names_of_the_papers_name_ours() {
    let sandbox = Sandbox::new();
    let recipe = format!("{RECIPES}/duoduo.toml");
    let check = |args: &[&str], part: &str| {
        let run = sandbox.run(args);
        assert_ne!(run.code, 0, "{run:#?}");
        assert!(run.stderr.contains(part), "{args:?}: no {part:?} in {run:#?}");
    };
    let train = |more: &[&str], part: &str| check(&[&["train", &recipe], more].concat(), part);
    train(&["trainer.devices=4"], "--devices");
    train(&["data.train.dataloader.batch_size=400"], "--set batch.size.shapes=400");
    train(&["experiment_name=mine"], "--set name=NAME");
    train(&["run.steps=5"], "--set run.steps=5");
    train(&["--set", "trainer.devices=4"], "--devices");
    train(&["--set", "data.train.dataloader.batch_size=400"], "batch.size.shapes");
    train(&["--pretrain_dataset_name", "shapenet"], "--set data=SET");
    train(&["--model", "ULIP_PointBERT"], "network.tower.encoder.kind");
    train(&["--npoints", "1024"], "network.input.n_points");
    train(&["--output-dir", "out"], "--out FOLDER");
    check(&["eval", "zero-shot", "--npoints", "1024"], "--points");
    check(&["eval", "zero-shot", "--validate_dataset_name=modelnet40"], "--protocol modelnet40");
    check(&["eval", "zero-shot", "--evaluate_3d"], "--protocol modelnet40");
    check(&["eval", "zero-shot", "--test_ckpt_addr", "x.pt"], "--model FILE");
    check(&["eval", "zero-shot", "--slip_model", "x.pt"], "--text-model");
    check(&["compare", "a", "b", "--model", "ULIP_PN_MLP"], "ulip-pointmlp");
    check(&["test_objaverse_lvis.py", "ckpt_path=x.ckpt"], "--protocol objaverse-lvis");
    check(&["search", "models", "a", "--wrong"], "unexpected argument '--wrong'");
    sandbox.write(
        "own.toml",
        fs_err::read_to_string(&recipe).unwrap().replace("[schedule]", "[schedule]\nT_max = 80"),
    );
    check(&["train", "own.toml"], "run.steps");
    assert!(find_reference_name("--wrong").is_none());
}
