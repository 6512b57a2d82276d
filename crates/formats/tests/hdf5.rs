//! The HDF5 reader against files that h5py wrote.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lexiform_formats::hdf5::File;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/data").join(name)
}

fn open(name: &str) -> Arc<File> {
    File::open(&fixture(name)).unwrap()
}

/// The values the script wrote: `(i * 7 + 3) % 251`.
fn ramp(count: usize) -> Vec<f32> {
    (0..count).map(|i| ((i * 7 + 3) % 251) as f32).collect()
}

#[track_caller]
fn check(file: &Arc<File>, name: &str, shape: &[usize]) {
    let dataset = file.dataset(name).unwrap();
    assert_eq!(dataset.shape(), shape, "{name}");
    let values = ramp(shape.iter().product());
    assert_eq!(dataset.read().unwrap().to_f32_vec(), values, "{name}");
    let row: usize = shape[1..].iter().product();
    for (first, count) in [(0, 1), (1, 2), (shape[0] - 1, 1), (shape[0], 0)] {
        let rows = dataset.read_rows(first, count).unwrap();
        assert_eq!(
            rows.to_f32_vec(),
            values[first * row..(first + count) * row],
            "{name}: {count} from {first}"
        );
    }
    assert!(dataset.read_rows(shape[0], 1).is_err() && dataset.read_rows(usize::MAX, 2).is_err());
}

#[test]
fn every_layout_and_type_that_h5py_writes() {
    for name in ["layouts_old.h5", "layouts_new.h5"] {
        let file = open(name);
        check(&file, "contiguous_u8", &[4, 3, 5]);
        check(&file, "big_f4", &[6, 2]);
        check(&file, "half", &[3, 4]);
        check(&file, "long", &[5]);
        check(&file, "chunked", &[7, 5, 3]);
        check(&file, "deep/er/gzip_shuffle", &[50, 8]);
        check(&file, "deep/er/fletcher", &[9, 9]);
        check(&file, "deep/er/lzf", &[40, 6]);
        check(&file, "deep/er/one_chunk", &[6, 6]);
        check(&file, "deep/er/long_chunked", &[101]);
        let sparse = file.dataset("deep/er/sparse").unwrap().read().unwrap().to_f32_vec();
        assert_eq!(
            (&sparse[..2], &sparse[48..52], sparse[119]),
            (&[2.5, 2.5][..], &[1.0, 2.0, 3.0, 4.0][..], 2.5)
        );
        let texts = |name: &str| file.dataset(name).unwrap().read().unwrap().to_strings();
        assert_eq!(texts("words/fixed_text"), ["chair", "table lamp"]);
        assert_eq!(texts("words/text"), ["chair", "", "Stehlampe ä"]);
        assert_eq!(file.dataset("words/scalar").unwrap().read().unwrap().to_f32_vec(), [4.5]);
        assert_eq!(file.dataset("words/truth").unwrap().read().unwrap().to_i64_vec(), [1, 0, 1]);
    }
}

#[test]
fn names_are_listed_and_wrong_ones_told() {
    let file = open("layouts_old.h5");
    assert_eq!(
        file.names("").unwrap(),
        ["big_f4", "chunked", "contiguous_u8", "deep", "half", "long", "many", "words"]
    );
    assert_eq!(file.names("many").unwrap().len(), 9);
    assert_eq!(file.dataset("many/8").unwrap().read().unwrap().to_i64_vec(), [8]);
    let error = open("layouts_new.h5").names("many").unwrap_err().to_string();
    assert!(error.contains("a group of many names in the newest form"), "{error}");
    let error = file.dataset("chunky").unwrap_err().to_string();
    assert!(error.contains("has no \"chunky\", only [\"big_f4\""), "{error}");
    assert!(file.dataset("deep").unwrap_err().to_string().contains("is not an array"));
}

#[test]
fn arrays_that_may_grow_are_read_in_the_old_form_and_refused_in_the_new() {
    check(&open("growing_old.h5"), "x", &[5, 2]);
    let error = open("growing.h5").dataset("x").unwrap_err().to_string();
    assert!(error.contains("chunk index"), "{error}");
}

/// Reads everything; whatever is in the file, it is a value or an error. Gives how many data sets could be read.
fn read_all(path: &Path) -> usize {
    let Ok(file) = File::open(path) else { return 0 };
    let mut groups = vec![(String::new(), 0)];
    let (mut read, mut readable) = (0, 0);
    while let Some((group, depth)) = groups.pop() {
        for name in file.names(&group).unwrap_or_default() {
            let name = format!("{group}/{name}");
            read += 1;
            match file.dataset(&name) {
                Ok(dataset) => readable += usize::from(dataset.read().is_ok()),
                Err(_) if depth < 3 && read < 200 => groups.push((name, depth + 1)),
                Err(_) => {}
            }
        }
    }
    readable
}

#[test]
fn broken_files_are_values_or_errors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broken.h5");
    let mut rng = SmallRng::seed_from_u64(3);
    for name in ["layouts_old.h5", "layouts_new.h5"] {
        let good = std::fs::read(fixture(name)).unwrap();
        let whole = read_all(&fixture(name));
        let (mut damaged, mut readable) = (0, 0);
        for _ in 0..250 {
            let mut bytes = good.clone();
            for _ in 0..rng.random_range(1..6) {
                let at = rng.random_range(0..bytes.len());
                bytes[at] = if rng.random_bool(0.5) { rng.random() } else { 0xFF };
            }
            if rng.random_bool(0.2) {
                bytes.truncate(rng.random_range(0..bytes.len()));
            }
            std::fs::write(&path, &bytes).unwrap();
            let found = read_all(&path);
            (damaged, readable) = (damaged + usize::from(found < whole), readable + found);
        }
        // Copies that all fail at their first bytes, or that all read, test nothing.
        assert!(
            whole > 0 && damaged > 0 && readable > 0,
            "{name}: {damaged} damaged, {readable} of {whole} read"
        );
    }
}
