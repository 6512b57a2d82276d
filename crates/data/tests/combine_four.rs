//! The training views of Duoduo CLIP from a supplement in parts and renders.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::path::Path;

use image::{Rgba, RgbaImage};
use lexiform_data::{FourSummary, FourViews, Preferred};
use lexiform_formats::array::Dtype;
use lexiform_formats::hdf5::{File, Writer};

const VIEW: usize = 3 * 224 * 224;

/// A supplement of two shapes, in two parts: every byte of `s0` is 10, of `s1` 20.
fn write_supplement(data: &Path) {
    let path = data.join("whole.h5");
    let mut writer = Writer::create(&path).unwrap();
    writer.begin_array("imgs", Dtype::parse("u1").unwrap(), &[2, 12, 3, 224, 224]).unwrap();
    [10, 20].iter().for_each(|value| writer.write(&vec![*value; 12 * VIEW]).unwrap());
    writer.finish().unwrap();
    let bytes = std::fs::read(&path).unwrap();
    // As published: without `.h5` before the part.
    std::fs::write(data.join("supplement_mv_images_part_aa"), &bytes[..1_000_000]).unwrap();
    std::fs::write(data.join("supplement_mv_images_part_ab"), &bytes[1_000_000..]).unwrap();
    std::fs::remove_file(path).unwrap();
    std::fs::write(data.join("supplement_model_to_idx.json"), r#"{"s1": 1, "s0": 0}"#).unwrap();
}

/// Renders of one color each; half transparent ones are composited on white.
fn write_renders(zero123: &Path, id: &str, pixel: [u8; 4]) {
    std::fs::create_dir_all(zero123.join(id)).unwrap();
    for view in 0..12 {
        let image = RgbaImage::from_pixel(32, 32, Rgba(pixel));
        image.save(zero123.join(id).join(format!("{view:03}.png"))).unwrap();
    }
}

/// The first byte of each row, and whether all others of the view's red plane are the same.
fn rows(path: &Path) -> Vec<(u8, bool)> {
    let imgs = File::open(path).unwrap().dataset("imgs").unwrap();
    assert_eq!(imgs.shape()[1..], [12, 3, 224, 224]);
    let row = |row| {
        let data = imgs.read_rows(row, 1).unwrap().data;
        (data[0], data[..224 * 224].iter().all(|byte| *byte == data[0]))
    };
    (0..imgs.shape()[0]).map(row).collect()
}

#[test]
fn rows_follow_the_index_and_the_preferred_source() {
    let folder = tempfile::tempdir().unwrap();
    let (data, zero123) = (folder.path().join("data"), folder.path().join("views_release"));
    std::fs::create_dir(&data).unwrap();
    write_supplement(&data);
    write_renders(&zero123, "z", [100, 0, 0, 255]);
    // (100 * a + 1 - a) with a = 51 / 255 = 0.2: 0.2 * 100 / 255 + 0.8, times 255 = 224.
    write_renders(&zero123, "half", [100, 0, 0, 51]);
    write_renders(&zero123, "s1", [200, 0, 0, 255]);
    std::fs::write(data.join("model_to_idx.json"), r#"{"z": 2, "s1": 0, "half": 3, "s0": 1}"#).unwrap();
    let out = data.join("mv_images.h5");
    let combined = |preferred| {
        let views = FourViews::open(&data, &zero123, preferred).unwrap();
        let mut steps = 0;
        views.write(&out, &mut || steps += 1).unwrap();
        assert_eq!(steps, 4);
        (rows(&out), views.summary())
    };
    let (rows, summary) = combined(Preferred::Supplement);
    assert_eq!(rows, [(20, true), (10, true), (100, true), (224, true)]);
    assert_eq!(summary, FourSummary { supplement: 2, zero123: 2, overlap: 1 });
    let (rows, summary) = combined(Preferred::Zero123);
    assert_eq!(rows, [(200, true), (10, true), (100, true), (224, true)]);
    assert_eq!(summary, FourSummary { supplement: 1, zero123: 3, overlap: 1 });
}

#[test]
fn missing_shapes_and_bad_indices_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    write_supplement(data);
    let error = |index: &str| {
        std::fs::write(data.join("model_to_idx.json"), index).unwrap();
        FourViews::open(data, &data.join("renders"), Preferred::Supplement).err().unwrap()
    };
    let missing = error(r#"{"s0": 0, "a": 1, "b": 2}"#);
    assert!(
        missing.to_string().contains("2 of 3 shapes are neither in") && missing.hint().is_some(),
        "{missing}"
    );
    assert!(error(r#"{"s0": 0, "s1": 0}"#).to_string().contains("each row from 0 to 1 once"));
    assert!(error(r#"{"s0": 1}"#).to_string().contains("expected less than 1"));
}
