//! Views of one object: strips, grids, folders and several photos, compared with Duoduo CLIP's own code.

use std::path::PathBuf;
use std::sync::OnceLock;

use image::{Rgb, RgbImage};
use lexiform_golden::fixture;
use safetensors::tensor::{Dtype, TensorView, serialize};
use serde_json::Value;

use crate::support::Sandbox;

/// What `xtask/peers/duoduo_views.py` wrote.
fn expected() -> Value {
    serde_json::from_slice(&fs_err::read(fixture("duoduo_views/expected.json")).unwrap()).unwrap()
}

/// Numbers in -1..1 that follow from a name, as in `duoduo_views.py`.
fn uniform(name: &str) -> impl Iterator<Item = f32> {
    let hash = |seed: u64, byte: u8| (seed ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    let mut state = name.bytes().fold(0xcbf2_9ce4_8422_2325, hash);
    std::iter::repeat_with(move || {
        state = u64::wrapping_add(state, 0x9e37_79b9_7f4a_7c15);
        let x = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 31)) >> 40) as f32 / 8_388_608.0 - 1.0
    })
}

/// The checkpoint of the expected values, with its configuration next to it.
fn small_duoduo() -> String {
    static MODEL: OnceLock<PathBuf> = OnceLock::new();
    let path = MODEL.get_or_init(|| {
        let folder =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("duoduo-{}", std::process::id()));
        fs_err::create_dir_all(&folder).unwrap();
        let expected = expected();
        fs_err::write(folder.join("config.json"), expected["config"].to_string()).unwrap();
        let number = |value: &Value| value.as_f64().unwrap() as f32;
        let tensors = expected["tensors"].as_object().unwrap().iter().map(|(name, tensor)| {
            let shape = tensor["shape"].as_array().unwrap();
            let shape: Vec<usize> = shape.iter().map(|n| n.as_u64().unwrap() as usize).collect();
            let (offset, scale) = (number(&tensor["offset"]), number(&tensor["scale"]));
            let values = uniform(name).take(shape.iter().product()).map(|x| offset + scale * x);
            (name, shape, values.flat_map(f32::to_le_bytes).collect::<Vec<u8>>())
        });
        let tensors: Vec<_> = tensors.collect();
        let views = tensors.iter().map(|(name, shape, bytes)| {
            (name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap())
        });
        fs_err::write(folder.join("model.safetensors"), serialize(views, None).unwrap()).unwrap();
        folder.join("model.safetensors")
    });
    path.to_str().unwrap().to_owned()
}

/// A view of the strip, as in `duoduo_views.py`.
fn view(index: u32) -> RgbImage {
    RgbImage::from_fn(224, 224, |x, y| {
        let from = |center: u32, at: u32| i64::from(at) - i64::from(center);
        if from(60 + index * 8, x).pow(2) + from(112, y).pow(2) >= 45 * 45 {
            return Rgb([255; 3]);
        }
        let blue = (x / 8 + y / 8 + index) % 2 * 200;
        Rgb([(x * 3 + index * 20) % 256, ((y * 2) ^ x) % 256, blue].map(|value| value as u8))
    })
}

fn photo() -> RgbImage {
    let value = |x: u32, y: u32| [x * y / 16 % 256, (x + y) % 256, (x ^ y) % 256];
    RgbImage::from_fn(300, 200, |x, y| Rgb(value(x, y).map(|value| value as u8)))
}

/// The first views next to each other and below each other.
fn grid(columns: u32, rows: u32) -> RgbImage {
    let mut image = RgbImage::new(224 * columns, 224 * rows);
    for index in 0..columns * rows {
        let [x, y] = [index % columns, index / columns].map(|at| i64::from(at * 224));
        image::imageops::replace(&mut image, &view(index), x, y);
    }
    image
}

/// A folder with the strip, a grid, single views and a photo.
fn gallery() -> Sandbox {
    let sandbox = Sandbox::empty();
    grid(1, 12).save(sandbox.path("couch.png")).unwrap();
    grid(12, 1).save(sandbox.path("row.png")).unwrap();
    grid(4, 3).save(sandbox.path("grid.png")).unwrap();
    photo().save(sandbox.path("photo.png")).unwrap();
    fs_err::create_dir(sandbox.path("three")).unwrap();
    for index in 0..3 {
        view(index).save(sandbox.path(&format!("three/{index:03}.png"))).unwrap();
    }
    sandbox
}

#[test]
fn views_and_text_have_the_references_cosine() {
    let (sandbox, expected, model) = (gallery(), expected(), small_duoduo());
    let text = expected["text"].as_str().unwrap();
    let ways: [(&str, &[&str]); 9] = [
        ("strip", &["--views", "couch.png"]),
        ("strip", &["--views", "couch.png", "--split", "12"]),
        ("strip", &["--views", "row.png"]),
        ("strip", &["--views", "grid.png", "--split", "12"]),
        ("strip", &["--views", "grid.png", "--split", "4x3"]),
        ("three", &["--views", "three"]),
        ("three", &["--views", "three/002.png", "three/000.png", "three/001.png"]),
        ("single", &["three/000.png"]),
        ("photo", &["photo.png"]),
    ];
    for (case, way) in ways {
        for (crop, precision) in [("random", "full"), ("reference", "half")] {
            for seed in ["0", "678"] {
                let fixed =
                    ["embed", "--json", "--model", &model, "--crop", crop, "--seed", seed, "--text", text];
                let lines = sandbox.run(&[&fixed[..], way].concat()).success().json();
                let found = lines[0]["scores"][0]["score"].as_f64().unwrap();
                let expected = expected["cosine"][format!("{case} {seed}")][precision].as_f64().unwrap();
                // A resized photo has values of all sizes; in half precision a few are rounded the other way.
                let tolerance = if (case, precision) == ("photo", "half") { 1e-5 } else { 1e-6 };
                assert!((found - expected).abs() < tolerance, "{way:?} {crop} {seed}: {found} {expected}");
            }
        }
    }
    let compare = |input: &str, words: &[&str]| {
        let fixed = ["compare", input, "--json", "--model", &model, "--crop", "random"];
        sandbox.run(&[&fixed[..], words].concat()).success().json()[0]["score"].as_f64().unwrap()
    };
    for (case, input) in [("strip 0", "couch.png"), ("three 0", "three"), ("photo 0", "photo.png")] {
        let expected = expected["cosine"][case]["full"].as_f64().unwrap();
        assert!((compare(input, &[text]) - expected).abs() < 1e-6, "{input}");
        assert!((compare(input, &["--text", text]) - expected).abs() < 1e-6, "{input}");
    }
}

#[test]
fn several_objects_and_texts_make_a_table() {
    let (sandbox, model) = (gallery(), small_duoduo());
    let run = |more: &[&str]| {
        sandbox.run(&[&["embed", "--model", &model, "--views", "couch.png", "--views"], more].concat())
    };
    let table = run(&["three", "--text", "a couch", "--text", "a chair"]).success().stdout;
    assert_eq!(table.lines().count(), 5, "{table}");
    let written = run(&["three", "--text", "a couch", "-o", "a.npy", "--json"]).success();
    assert!(written.stderr.contains("wrote 3 × 32"), "{written:#?}");
    assert!(written.json()[2].get("scores").is_none());
    run(&["three"]).failure(2, &["nothing to write to"]);
    run(&["couch.png", "--split", "5", "--text", "a"])
        .failure(1, &["224 × 2688", "5 square views", "hint: "]);
    run(&["couch.png", "--split", "0", "--text", "a"]).failure(2, &["COLUMNSxROWS"]);
    sandbox.write("empty/notes.md", "");
    run(&["empty", "--text", "a"]).failure(1, &["empty: a folder without images"]);
}

#[test]
fn mistyped_names_are_not_compared_as_words() {
    let (sandbox, model) = (gallery(), small_duoduo());
    sandbox.write("models/notes.md", "");
    let compare = |args: &[&str]| sandbox.run(&[&["compare", "--model", &model], args].concat());
    compare(&["couch.png", "couhc.png"]).failure(1, &["couhc.png: no such file", "hint: ", "--text"]);
    compare(&["couch.png", "couch.pngg"]).failure(1, &["couch.pngg: no such file", "--text"]);
    compare(&["couch.png", "thre"]).failure(1, &["did you mean three?", "--text"]);
    compare(&["couch.png", "models"]).failure(1, &["found no images", "--text \"models\""]);
    compare(&["couch.png", "--text", "models"]).success();
    compare(&["couch.png", "--text", "couch.pngg"]).success();
    compare(&["couch.png", "a white couch"]).success();
    compare(&["couch.png"]).failure(2, &["expected two inputs"]);
    compare(&["couch.png", "a", "--text", "b"]).failure(2, &["expected two inputs"]);
}

/// The paths of a search's results, best first.
fn found(sandbox: &Sandbox, args: &[&str]) -> Vec<String> {
    let lines = sandbox.run(&[&["search", "--json"], args].concat()).success().json();
    lines.iter().map(|line| line["path"].as_str().unwrap().to_owned()).collect()
}

/// A folder of renders as Zero123 and Objaverse scripts write them, strips, photos, and a 3D file with textures.
fn renders() -> Sandbox {
    let sandbox = Sandbox::empty();
    for (object, first) in [("0a1b", 0), ("ffee", 6)] {
        for index in 0..3 {
            let path = sandbox.path(&format!("renders/{object}/{index:03}.png"));
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            view(first + index).save(path).unwrap();
            sandbox.write_npy(&format!("renders/{object}/{index:03}.npy"), 4, &[0.5; 12]);
        }
    }
    fs_err::create_dir(sandbox.path("renders/strips")).unwrap();
    grid(1, 12).save(sandbox.path("renders/strips/couch.png")).unwrap();
    photo().save(sandbox.path("renders/strips/photo.png")).unwrap();
    sandbox.write_box("renders/model/box.obj", [1.0, 2.0, 3.0]);
    for name in ["tex_0.png", "tex_1.png"] {
        fs_err::create_dir_all(sandbox.path("renders/model/textures")).unwrap();
        view(0).save(sandbox.path(&format!("renders/model/textures/{name}"))).unwrap();
    }
    sandbox
}

#[test]
fn folders_of_views_and_strips_are_one_record_each() {
    let sandbox = renders();
    let index = |more: &[&str]| {
        let lines = sandbox.run(&[&["index", "renders", "--json"], more].concat()).success().json();
        let status = |line: &Value| {
            (line["path"].as_str().unwrap().to_owned(), line["status"].as_str().unwrap().to_owned())
        };
        let mut files: Vec<_> = lines[..lines.len() - 1].iter().map(status).collect();
        files.sort();
        files
    };
    let all = ["renders/0a1b", "renders/ffee", "renders/model/box.obj", "renders/strips/couch.png"];
    let as_status = |status: &str| all.map(|path| (path.to_owned(), status.to_owned())).to_vec();
    assert_eq!(index(&[]), as_status("indexed"));
    assert_eq!(index(&[]), as_status("unchanged"));
    let answers = sandbox.run(&["search", "renders", "--shape", "renders/ffee", "--json"]).success().json();
    assert_eq!((&answers[0]["path"], &answers[0]["format"]), (&"renders/ffee".into(), &"views".into()));
    assert!(answers[0]["score"].as_f64().unwrap() > 0.9999, "{}", answers[0]);
    let few = ["search", "renders", "a box", "--where", "extra.views = 12", "--sheet", "sheet.png", "--json"];
    assert_eq!(sandbox.run(&few).success().json()[0]["path"], "renders/strips/couch.png");
    // A view more, a view less, another folder.
    view(9).save(sandbox.path("renders/0a1b/003.png")).unwrap();
    fs_err::rename(sandbox.path("renders/ffee"), sandbox.path("renders/beef")).unwrap();
    let changed = index(&["--prune"]);
    assert_eq!(changed[0], ("renders/0a1b".to_owned(), "indexed".to_owned()));
    assert_eq!(changed[1], ("renders/beef".to_owned(), "renamed".to_owned()));
    fs_err::write(sandbox.path("renders/0a1b/001.png"), "broken").unwrap();
    assert_eq!(index(&[])[0], ("renders/0a1b".to_owned(), "failed".to_owned()));
    let duplicates = sandbox.run(&["duplicates", "renders"]).success();
    assert!(!duplicates.stderr.contains("could not be used"), "{duplicates:#?}");
}

#[test]
fn several_photos_of_an_object_are_one_query() {
    let (sandbox, model) = (renders(), small_duoduo());
    sandbox.run(&["index", "renders", "--model", &model]).success();
    let views = [0, 1, 2].map(|index| format!("renders/ffee/{index:03}.png"));
    let [a, b, c] = views.each_ref().map(String::as_str);
    let score = |args: &[&str]| {
        let fixed = ["search", "renders", "--model", &model, "--json", "-k", "1"];
        let line = sandbox.run(&[&fixed[..], args].concat()).success().json().remove(0);
        (line["path"].as_str().unwrap().to_owned(), line["score"].as_f64().unwrap())
    };
    // The photos of an object are its views: Duoduo CLIP prepares both alike.
    let (path, together) = score(&["--image", a, b, c]);
    assert_eq!(path, "renders/ffee");
    assert!(together > 0.999_999, "{together}");
    assert_eq!(score(&["--image", "renders/ffee"]), (path.clone(), together));
    let (_, apart) = score(&["--image", a, "--image", b, "--image", c]);
    assert!((apart - together).abs() > 1e-5, "separate terms are averaged, not attended to");
    let (_, alone) = score(&["--image", a]);
    assert!(alone < together);
    let strip = score(&["--image", "renders/strips/couch.png"]);
    assert!(strip.0.ends_with("couch.png") && strip.1 > 0.999_999, "{strip:?}");
    // A text and a folder after the images are not images.
    let mixed = score(&["--image", a, b, "a couch"]);
    let fixed = ["search", "--model", &model, "--json", "-k", "1", "--image", a, b, "renders"];
    assert_eq!(sandbox.run(&[&fixed[..], &["a couch"]].concat()).success().json()[0]["score"], mixed.1);
    sandbox.run(&["search", "--image", a]).failure(2, &["no folder to search"]);
    sandbox
        .run(&["search", "renders", "--model", &model, "--image", "no.png"])
        .failure(1, &["no.png: no such file"]);
    let shapes = ["search", "renders", "--model", &model, "--shape", a, "--shape", "renders/ffee"];
    sandbox.run(&shapes).failure(1, &["000.png"]);
}

#[test]
fn records_can_be_similar_to_all_terms() {
    let sandbox = renders();
    let terms = ["renders", "--shape", "renders/ffee", "--shape", "renders/model/box.obj"];
    let score_of = |args: &[&str]| {
        let lines = sandbox.run(&[&["search", "--json"], args].concat()).success().json();
        let pair =
            |line: &Value| (line["path"].as_str().unwrap().to_owned(), line["score"].as_f64().unwrap());
        lines.iter().map(pair).collect::<std::collections::BTreeMap<_, _>>()
    };
    let [first, second] = [2, 4].map(|i| score_of(&["renders", "--shape", terms[i]]));
    let both = score_of(&[&terms[..], &["--combine", "min"]].concat());
    assert_eq!(both.len(), 4);
    for (path, score) in &both {
        assert!((score - first[path].min(second[path])).abs() < 1e-5, "{path}");
    }
    let order = found(&sandbox, &[&terms[..], &["--combine", "min"]].concat());
    assert!(order.windows(2).all(|pair| both[&pair[0]] >= both[&pair[1]]));
    let refused =
        |more: &[&str]| sandbox.run(&[&["search"], &terms[..], &["--combine", "min"], more].concat());
    refused(&["--not", "red"]).failure(2, &["--combine min"]);
    refused(&["--weight", "shape=0.5"]).failure(2, &["--combine min"]);
    sandbox.run(&[&["search"], &terms[..], &["--combine", "max"]].concat()).failure(2, &["mean or min"]);
}
