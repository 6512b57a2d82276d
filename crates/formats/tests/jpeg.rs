//! JPEG images decoded as libjpeg-turbo does.

use std::path::{Path, PathBuf};

use lexiform_formats::jpeg::decode;

/// Larger than all images here.
const MAX_PIXELS: usize = 1 << 20;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/jpeg")
}

/// All subsamplings, progressive, gray, RGB, restart markers and odd sizes: `xtask/peers/jpeg.py`.
#[test]
fn images_are_those_of_libjpeg_turbo() {
    let mut checked = 0;
    for entry in std::fs::read_dir(fixtures()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "jpg") {
            let found = decode(&std::fs::read(&path).unwrap(), MAX_PIXELS);
            let expected = image::open(path.with_extension("png")).unwrap().into_rgb8();
            assert!(found == Some(expected), "{}", path.display());
            checked += 1;
        }
    }
    assert_eq!(checked, 10);
}

#[test]
fn damaged_files_are_left_to_others() {
    for name in ["h2v2.jpg", "h2v2_progressive.jpg"] {
        let bytes = std::fs::read(fixtures().join(name)).unwrap();
        for length in 0..bytes.len() {
            assert_eq!(decode(&bytes[..length], MAX_PIXELS), None, "{name}: {length}");
        }
        for (at, flipped) in (0..bytes.len()).flat_map(|at| [0x01, 0x55, 0xff].map(|bits| (at, bits))) {
            let mut damaged = bytes.clone();
            damaged[at] ^= flipped;
            // Any result is right, but no panic.
            let _ = decode(&damaged, MAX_PIXELS);
        }
        assert_eq!(decode(&bytes, 10), None);
    }
    assert_eq!(decode(b"", MAX_PIXELS), None);
}
