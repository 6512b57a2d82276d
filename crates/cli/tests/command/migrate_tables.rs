//! The commands in the tables of docs/migrate.md run, with small files in place of what the page leaves open.

use std::collections::BTreeSet;

use image::{Rgb, RgbImage};
use lexiform_formats::array::Dtype;
use lexiform_formats::hdf5::Writer;
use lexiform_golden::fixture;

use crate::migrate::{commands, copy, files, made_small, ours, words};
use crate::support::{Sandbox, tiny_model, tiny_points};

/// Need a network, a device that this build has not, or a checkpoint that is not in the repository.
const NOT_HERE: [&str; 4] =
    ["lexiform model pull ", "lexiform data pull ", "--devices cuda:0", "point_bert_pretrained.pt"];

/// A command of a table, and the same with files of the sandbox. `VIEWS` is a small image model, `POINTS` a small point model.
const COMPLETED: &[[&str; 2]] = &[
    ["lexiform embed --text PROMPT -o text.npy", "lexiform embed --text chair -o text.npy"],
    ["lexiform embed --views IMAGE… -o shape.npy", "lexiform embed --views a.jpg b.jpg -o shape.npy"],
    ["lexiform embed photo.jpg -o photo.npy", "lexiform embed photo.jpg -o photo.npy"],
    ["lexiform embed FILE… -o features.npy", "lexiform embed owl.ply models/box.obj -o features.npy"],
    [
        "lexiform index shape_emb_objaverse.h5 --library LIBRARY",
        "lexiform index shape_emb_objaverse.h5 --library library",
    ],
    [
        "lexiform index shape_emb_objaverse.h5 --library LIBRARY --model duoduo",
        "lexiform index shape_emb_objaverse.h5 --library library --model VIEWS",
    ],
    ["lexiform search LIBRARY", "lexiform search library"],
    [
        "lexiform data combine-four dataset/data --zero123 FOLDER -o mv_images.h5",
        "lexiform data combine-four supplement --zero123 views_release -o mv_images.h5",
    ],
    [
        "lexiform data import zero123 FOLDER --out SET",
        "lexiform data import zero123 views_release --out views",
    ],
    ["lexiform data import mvimgnet FOLDER --out SET", "lexiform data import mvimgnet photos --out mvpnet"],
    ["lexiform data import mvimgnet FOLDER", "lexiform data import mvimgnet photos --out mvimgnet"],
    ["lexiform data export", "lexiform data export zero123 renders --out exported"],
    [
        "lexiform data import duoduo-embeddings",
        "lexiform data import duoduo-embeddings dataset/data/shape_emb_objaverse.h5 --out embeddings",
    ],
    [
        "lexiform data import openshape lvis.json",
        "lexiform data import openshape openshape/lvis.json --out points",
    ],
    [
        "lexiform data import openshape SPLIT.json",
        "lexiform data import openshape openshape/train.json --out split",
    ],
    [
        "lexiform data import openshape meta_data/split/train_no_lvis.json --out SET",
        "lexiform data import openshape openshape/train.json --out openshape-no-lvis",
    ],
    ["lexiform data import ulip-objaverse", "lexiform data import ulip-objaverse ulip --out ulip-objaverse"],
    ["lexiform data import cg3d", "lexiform data import cg3d cg3d --out cg3d-set"],
    [
        "lexiform data import cg3d DATA --out SET --class-photos --class-captions",
        "lexiform data import cg3d cg3d --out cg3d-real --class-photos --class-captions",
    ],
    [
        "lexiform data features SET --feature-model openclip-b32",
        "lexiform data features renders --feature-model VIEWS --out with-features",
    ],
    [
        "lexiform data features SET --feature-model openclip-bigg14",
        "lexiform data features renders --feature-model VIEWS --out with-features-2",
    ],
    [
        "lexiform data caption SET --caption-model blip2-opt-6.7b --caption-count 10 --feature-model openai-l14 --top-captions 1",
        "lexiform data caption views --caption-model BLIP2 --caption-count 10 --feature-model VIEWS --top-captions 1 --out captioned",
    ],
    [
        "lexiform eval zero-shot --data lvis --protocol objaverse-lvis --paper duoduo --seeds reference --model FILE --labels-file lvis.csv",
        "lexiform eval zero-shot --data lvis --protocol objaverse-lvis --paper duoduo --seeds reference --model VIEWS --labels-file lvis.csv",
    ],
    [
        "lexiform eval zero-shot --data mvpnet --protocol mvpnet --paper duoduo --seeds reference --model FILE --labels-file mvpnet_val.csv",
        "lexiform eval zero-shot --data mvpnet --protocol mvpnet --paper duoduo --seeds reference --model VIEWS --labels-file photos/mvpnet_val.csv",
    ],
    [
        "lexiform eval zero-shot --protocol objaverse-lvis --paper duoduo --model openclip-b32",
        "lexiform eval zero-shot --data lvis --protocol objaverse-lvis --paper duoduo --model VIEWS --labels-file lvis.csv",
    ],
    [
        "lexiform eval zero-shot --data modelnet40 --protocol modelnet40 --paper ulip2 --model FILE",
        "lexiform eval zero-shot --data modelnet40 --protocol modelnet40 --paper ulip2 --model POINTS --text-model VIEWS",
    ],
    [
        "lexiform eval zero-shot --data lvis --protocol objaverse-lvis --paper ulip2 --model FILE --labels-file lvis.csv",
        "lexiform eval zero-shot --data points --protocol objaverse-lvis --paper ulip2 --model POINTS --text-model VIEWS --labels-file armchair.txt",
    ],
    [
        "lexiform eval zero-shot --data modelnet40 --protocol modelnet40 --paper cg3d --model FILE --text-model SLIP --points 1024",
        "lexiform eval zero-shot --data modelnet40 --protocol modelnet40 --paper cg3d --model POINTS --text-model VIEWS --points 8",
    ],
    [
        "lexiform eval zero-shot --protocol mvpnet --paper duoduo",
        "lexiform eval zero-shot --data mvpnet --protocol mvpnet --paper duoduo --model VIEWS --labels-file photos/mvpnet_val.csv",
    ],
    [
        "lexiform eval caption PREDICTIONS REFERENCES --protocol cap3d",
        "lexiform eval caption found.csv wanted.csv --protocol cap3d",
    ],
    [
        "lexiform eval retrieval --protocol text2shape --paper duoduo",
        "lexiform eval retrieval --data renders --protocol text2shape --paper duoduo",
    ],
    [
        "lexiform eval classify --tta 10",
        "lexiform eval classify --data scanobjectnn --split test --model runs/classifier/model.safetensors --tta 10",
    ],
    [
        "lexiform eval classify --data modelnet40 --model FILE --points 1024",
        "lexiform eval classify --data scanobjectnn --split test --model runs/classifier/model.safetensors --points 8",
    ],
    [
        "lexiform eval few-shot --way 5 --shot 10",
        "lexiform eval few-shot --labels folders --assets things --way 2 --shot 2",
    ],
    ["lexiform eval probe", "lexiform eval probe --labels folders --assets things --per-samples 100"],
    ["lexiform classify", "lexiform classify models/box.obj --labels box,chair"],
    ["lexiform compare SHAPE TEXT", "lexiform compare models/box.obj chair"],
    ["lexiform compare SHAPE IMAGE", "lexiform compare models/box.obj a.jpg"],
    [
        "lexiform search FOLDER --image A --image B --combine min",
        "lexiform search models --image a.jpg --image b.jpg --combine min",
    ],
    [
        "lexiform render FILE --rig openshape -o FOLDER",
        "lexiform render models/box.obj --rig openshape -o rendered",
    ],
    [
        "lexiform train recipes/ulip2.toml --sweep 'data.views=[1,2,15,30]'",
        "lexiform train recipes/ulip2.toml --sweep data.views=[1,2] --set data=shapenet --out runs/sweep",
    ],
    [
        "lexiform train recipes/cg3d.toml --set data=SET --set teacher=SLIP",
        "lexiform train recipes/cg3d.toml --set data=cg3d-set --set teacher=VIEWS --out runs/cg3d",
    ],
    [
        "lexiform train recipes/classify.toml --set data=SET --set network.base=FILE",
        "lexiform train recipes/classify.toml --set data=scanobjectnn --set network.base=POINTS --out runs/tuned",
    ],
    [
        "lexiform train recipes/openshape.toml --set data=SET --set name=pointbert_all",
        "lexiform train recipes/openshape.toml --set data=shapenet --set name=pointbert_all --out runs/openshape",
    ],
];

/// Files that only the tables name.
fn more_files(sandbox: &Sandbox) {
    let save = |name: &str, side: u32| {
        let path = sandbox.path(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        RgbImage::from_fn(side, side, |x, y| Rgb([(x * 9 % 256) as u8, (y * 5 % 256) as u8, 60]))
            .save(path)
            .unwrap();
    };
    save("photo.jpg", 48);
    for view in 0..30 {
        save(&format!("photos/5/2600746d/images/{view:03}.jpg"), 32);
    }
    sandbox.write("photos/mvpnet_val.csv", "3,wash_basin,5_2600746d\n");
    sandbox.write("photos/mvimgnet_category.txt", "5,wash basin\n");
    sandbox.write("armchair.txt", "armchair\nchair\n");
    sandbox.write("found.csv", "key,caption\na,a red chair\n");
    sandbox.write("wanted.csv", "key,caption\na,a red armchair\n");
    copy(&fixture("data/ulip"), &sandbox.path("ulip"));
    write_supplement(sandbox);
    write_cg3d(sandbox, &save);
    for (i, (folder, size)) in [("tall", [1.0, 4.0, 1.0]), ("flat", [3.0, 0.2, 2.0])]
        .iter()
        .flat_map(|kind| (0..6).map(move |i| (i, kind)))
    {
        sandbox.write_box(&format!("things/{folder}/{i}.obj"), [size[0] + 0.1 * i as f32, size[1], size[2]]);
    }
}

/// A supplement of Duoduo CLIP's training views with one shape; the other rows come from the renders.
fn write_supplement(sandbox: &Sandbox) {
    fs_err::create_dir_all(sandbox.path("supplement")).unwrap();
    let mut writer = Writer::create(&sandbox.path("supplement/supplement_mv_images.h5")).unwrap();
    writer.begin_array("imgs", Dtype::parse("u1").unwrap(), &[1, 12, 3, 224, 224]).unwrap();
    writer.write(&vec![9; 12 * 3 * 224 * 224]).unwrap();
    writer.finish().unwrap();
    sandbox.write("supplement/supplement_model_to_idx.json", r#"{"s0": 0}"#);
    sandbox.write("supplement/model_to_idx.json", r#"{"0a": 0, "s0": 1, "0b": 2, "0c": 3}"#);
}

/// CG3D's folders, from the clouds of ULIP's fixture.
fn write_cg3d(sandbox: &Sandbox, save: &dyn Fn(&str, u32)) {
    copy(&fixture("data/shapenet/shapenet_pc"), &sandbox.path("cg3d/ShapeNet55/shapenet_pc"));
    for shape in ["02691156/aa", "02691156/bb", "03001627/cc"] {
        (0..5).for_each(|view| save(&format!("cg3d/shapenet_render/img/{shape}/00{view}.png"), 32));
    }
    sandbox.write("cg3d/shapenet_render/train_img.txt", "02691156-aa.npy\n03001627-cc.npy\n");
    sandbox.write("cg3d/shapenet_render/test_img.txt", "02691156-bb.npy\n");
    let names = r#"[{"synsetId": "02691156", "name": "vessel"}, {"synsetId": "03001627", "name": "chair"}]"#;
    sandbox.write("cg3d/shapenet_render/taxonomy.json", names);
    save("cg3d/ShapeNetCore.v2_images/ship/0.png", 20);
    sandbox.write("cg3d/ShapeNetCore.v2_images/ship.json", r#"{"caption": ["a ship at sea"]}"#);
}

/// Options whose values are the page's, not a reader's.
const VALUED: [&str; 4] = ["--protocol", "--paper", "--rig", "--combine"];

/// Subcommands, options and the values of some of them, in this order.
fn fixed_words(command: &str) -> Vec<String> {
    let words = words(&command.replace('\'', "\""));
    let is_subcommand =
        |word: &str| word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    let is_fixed = |place: usize| {
        let word = words[place].as_str();
        let is_value = place > 0 && VALUED.contains(&words[place - 1].as_str());
        // `lexiform data import zero123` has most subcommands.
        let subcommands = if words.get(1).is_some_and(|word| word == "data") { 4 } else { 3 };
        let is_compared = matches!(words[1].as_str(), "data" | "eval");
        word.starts_with("--")
            || word.starts_with("recipes/")
            || is_value
            || (place < 2 || is_compared && place < subcommands) && is_subcommand(word)
    };
    (0..words.len()).filter(|place| is_fixed(*place)).map(|place| words[place].clone()).collect()
}

/// Whether a command has all fixed words of `code`.
fn contains(command: &str, code: &str) -> bool {
    let mut words = words(command).into_iter();
    fixed_words(code).into_iter().all(|fixed| words.any(|word| word == fixed))
}

#[test]
fn every_command_of_a_table_is_run() {
    let blocks: Vec<String> = commands().iter().map(|command| command.join(" ")).collect();
    let is_run = |code: &str| {
        let completed = COMPLETED.iter().map(|[_, completed]| *completed);
        completed.chain(blocks.iter().map(String::as_str)).any(|command| contains(command, code))
    };
    let codes: BTreeSet<&str> = ours().into_iter().filter(|code| code.starts_with("lexiform ")).collect();
    assert!(codes.len() > 50, "{codes:?}");
    for code in codes {
        assert!(is_run(code) || NOT_HERE.iter().any(|part| code.contains(part)), "no test runs {code:?}");
    }
    for [page, completed] in COMPLETED {
        assert!(ours().contains(page), "not in docs/migrate.md: {page}");
        assert!(contains(completed, page), "{completed:?} is not {page:?}");
    }
}

#[test]
fn commands_of_tables_run() {
    let sandbox = files();
    more_files(&sandbox);
    let (views, points) = (tiny_model().display().to_string(), tiny_points().display().to_string());
    let blip = fixture("blip2_tiny").display().to_string();
    let run = |command: Vec<String>| {
        let small = made_small(command.clone());
        // A library without a query reads descriptions from standard input.
        let run = sandbox.run_with_input(&small.iter().map(String::as_str).collect::<Vec<_>>(), "a chair\n");
        assert_eq!(run.code, 0, "{command:?}\n{run:#?}");
    };
    // What the tables use is made by the blocks before them.
    let made = |command: &Vec<String>| {
        command[1..3] == ["data", "import"]
            || command.iter().any(|word| word == "runs/classifier" && command[1] == "train")
    };
    commands().into_iter().filter(made).for_each(|command| run(command[1..].to_vec()));
    for [_, completed] in COMPLETED {
        let placed = completed.replace("VIEWS", &views).replace("POINTS", &points).replace("BLIP2", &blip);
        run(words(&placed)[1..].to_vec());
    }
}
