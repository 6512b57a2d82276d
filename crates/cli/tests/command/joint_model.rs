//! A model with towers for words, views and points: meshes as views, clouds as points.

use crate::support::{Sandbox, other_model, tiny_model, tiny_points};
use serde_json::json;

/// Points on two sides of a box.
fn cloud() -> String {
    let header = "ply\nformat ascii 1.0\nelement vertex 200\nproperty float x\nproperty float y\nproperty float z\nend_header\n";
    let at = |i: usize| [(i % 10) as f32 / 10.0, (i / 10 % 10) as f32 / 5.0, (i / 100) as f32];
    (0..200).map(at).fold(header.to_owned(), |text, [x, y, z]| text + &format!("{x} {y} {z}\n"))
}

/// The numbers at the end of a `.npy` file of one row of 32.
fn numbers(file: &[u8]) -> Vec<f32> {
    let start = file.len() - 32 * 4;
    file[start..].as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

#[test]
fn a_joined_model_takes_meshes_as_views_and_clouds_as_points() {
    let (sandbox, points) = (Sandbox::new(), tiny_points());
    let (tiny, points) = (tiny_model().to_str().unwrap(), points.to_str().unwrap());
    sandbox.write("models/scan.ply", cloud());
    sandbox.run(&["model", "join", tiny, points, "joined.safetensors"]).success();
    let other = other_model().to_str().unwrap();
    sandbox
        .run(&["model", "join", other, points, "wrong.safetensors"])
        .failure(1, &["was trained on the features of", "tiny@"]);

    let card = sandbox.run(&["model", "info", "joined.safetensors", "--json"]).success().json().remove(0);
    assert_eq!((&card["modality"], &card["dim"]), (&json!("views and points"), &json!(32)));
    // The words of another model are no words for these points.
    let words = ["classify", "models/scan.ply", "--labels", "a,b", "--model", points, "--text-model"];
    sandbox.run(&[&words[..], &[other]].concat()).failure(1, &["expected text model tiny@"]);
    sandbox.run(&[&words[..], &[tiny]].concat()).success();

    let embed = |file: &str, model: &str| {
        sandbox.run(&["embed", file, "-o", "a.npy", "--force", "--model", model]).success();
        fs_err::read(sandbox.path("a.npy")).unwrap()
    };
    assert_eq!(embed("models/scan.ply", "joined.safetensors"), embed("models/scan.ply", points));
    sandbox.run(&["model", "convert", tiny, "half.safetensors", "--half"]).success();
    // A mesh is seen both ways: the direction in the middle.
    let seen = |model: &str| numbers(&embed("models/flat.obj", model));
    let (joined, views, points_of_it) = (seen("joined.safetensors"), seen("half.safetensors"), seen(points));
    let sum: Vec<f32> = views.iter().zip(&points_of_it).map(|(a, b)| a + b).collect();
    let length = sum.iter().map(|x| x * x).sum::<f32>().sqrt();
    assert!(joined.iter().zip(&sum).all(|(joined, sum)| (joined - sum / length).abs() < 1e-5), "{joined:?}");
    assert!(joined.iter().zip(&views).any(|(a, b)| (a - b).abs() > 1e-3));

    let run = sandbox.run(&["index", "models", "--model", "joined.safetensors"]).success();
    assert!(run.stderr.contains("4 indexed"), "{run:#?}");
    let same = ["search", "models", "--shape", "models/scan.ply", "--model", "joined.safetensors", "--json"];
    assert_eq!(sandbox.run(&same).success().json()[0]["path"], "models/scan.ply");
    let own = ["search", "models", "a box", "--model", "half.safetensors"];
    sandbox.run(&own).failure(1, &["hint: "]);
}

#[test]
fn shapes_can_be_measured_as_clouds() {
    let sandbox = Sandbox::new();
    sandbox.write("labels.csv", "file,label\nmodels/flat.obj,rug\nmodels/kinds/tall.obj,tower\n");
    let measure = |more: &[&str]| {
        let args = [&["eval", "zero-shot", "--labels", "labels.csv", "--json"], more].concat();
        sandbox.run(&args).success().json().remove(0)
    };
    let scanned = measure(&["--clouds", "500", "--report", "scanned"]);
    assert_eq!((&scanned["shapes"], &scanned["num_labels"]), (&json!(2), &json!(2)));
    sandbox.run(&["eval", "zero-shot", "--per-class", "1", "--clouds", "0"]).failure(2, &["--clouds"]);
}

#[test]
fn a_model_is_told_what_of_photos_to_look_at() {
    let sandbox = Sandbox::empty();
    let tiny = tiny_model().to_str().unwrap();
    // A red box in the corner of a gray picture.
    let color = |x: u32, y: u32| if x < 30 && y < 20 { [200, 20, 20] } else { [128; 3] };
    let picture =
        image::RgbImage::from_fn(120, 80, |x, y| image::Rgb(color(x.wrapping_sub(8), y.wrapping_sub(8))));
    picture.save(sandbox.path("photo.png")).unwrap();
    let embed = |model: &str| {
        sandbox.run(&["embed", "photo.png", "-o", "a.npy", "--force", "--model", model]).success();
        fs_err::read(sandbox.path("a.npy")).unwrap()
    };
    for photos in ["object", "center"] {
        sandbox
            .run(&["model", "convert", tiny, &format!("{photos}.safetensors"), "--photo-crop", photos])
            .success();
    }
    assert_ne!(embed("object.safetensors"), embed("center.safetensors"));
    let points = tiny_points();
    let convert = ["model", "convert", points.to_str().unwrap(), "x.safetensors", "--photo-crop", "object"];
    sandbox.run(&convert).failure(2, &["has no photo preprocessing"]);
}
