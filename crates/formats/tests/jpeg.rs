//! JPEG images decoded as libjpeg-turbo does.

use std::path::{Path, PathBuf};

use lexiform_formats::jpeg::decode;

/// Memory for more pixels than any image here has.
const MAX_BYTES: u64 = 16 << 20;

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
            let found = decode(&std::fs::read(&path).unwrap(), MAX_BYTES);
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
            assert_eq!(decode(&bytes[..length], MAX_BYTES), None, "{name}: {length}");
        }
        for (at, flipped) in (0..bytes.len()).flat_map(|at| [0x01, 0x55, 0xff].map(|bits| (at, bits))) {
            let mut damaged = bytes.clone();
            damaged[at] ^= flipped;
            // Any result is right, but no panic.
            let _ = decode(&damaged, MAX_BYTES);
        }
        assert_eq!(decode(&bytes, 10), None);
    }
    assert_eq!(decode(b"", MAX_BYTES), None);
}

/// A small file can declare a huge image: memory is checked before it is allocated.
#[test]
fn memory_is_bounded() {
    let bytes = std::fs::read(fixtures().join("h2v2.jpg")).unwrap();
    let image = decode(&bytes, MAX_BYTES).unwrap();
    let needed = 16 * u64::from(image.width()) * u64::from(image.height());
    assert_eq!(decode(&bytes, needed), Some(image));
    assert_eq!(decode(&bytes, needed - 1), None);
}

/// Scans that only repeat the one before take time without end.
#[test]
fn scans_are_bounded() {
    let bytes = std::fs::read(fixtures().join("h2v2.jpg")).unwrap();
    let (file, end) = bytes.split_at(bytes.len() - 2);
    assert_eq!(end, [0xff, 0xd9]);
    // In coded data, 0xff is followed by 0.
    let start = file.windows(2).rposition(|marker| marker == [0xff, 0xda]).unwrap();
    let with_scans = |count: usize| [&file[..start], &file[start..].repeat(count), end].concat();
    assert_eq!(decode(&with_scans(100), MAX_BYTES), decode(&bytes, MAX_BYTES));
    assert_eq!(decode(&with_scans(101), MAX_BYTES), None);
}
