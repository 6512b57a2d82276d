//! Pickles of every protocol that NumPy wrote, whole and damaged.

use std::path::{Path, PathBuf};

use lexiform_formats::pickle::NumpyPickle;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// Damaged copies of each file.
const CASES: usize = 2000;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/data").join(name)
}

/// The values the script wrote: `(i * 7 + 3) % 251`.
fn ramp(count: usize) -> Vec<f32> {
    (0..count).map(|i| ((i * 7 + 3) % 251) as f32).collect()
}

#[test]
fn pickles_of_every_protocol() {
    for protocol in 0..6 {
        let bytes = std::fs::read(fixture(&format!("protocol{protocol}.pkl"))).unwrap();
        let pickle = NumpyPickle::read(&bytes).unwrap();
        let root = pickle.root();
        assert_eq!(root.get("id").unwrap().text().as_deref(), Some("ä"), "{protocol}");
        assert_eq!(
            (root.get("n").unwrap().number(), root.get("f").unwrap().number()),
            (Some(-300.0), Some(1.5))
        );
        for name in ["xyz", "f_order"] {
            let array =
                root.get(name).unwrap().array().unwrap_or_else(|| panic!("{name} of protocol {protocol}"));
            assert_eq!(
                (array.shape.clone(), array.to_f32_vec()),
                (vec![2, 3], ramp(6)),
                "{name} of protocol {protocol}"
            );
        }
        let objects: Vec<_> = root.get("objects").unwrap().items().collect();
        assert_eq!(objects[0].get("a").unwrap().number(), Some(1.0));
        assert_eq!(root.get("s").unwrap().number(), Some(2.5));
        assert_eq!(root.get("names").unwrap().texts(), ["ab", "c"]);
        assert_eq!(
            root.get("t").unwrap().items().nth(3).unwrap().text().as_deref(),
            Some("raw"),
            "{protocol}"
        );
    }
}

#[test]
fn broken_pickles_are_values_or_errors() {
    let mut rng = SmallRng::seed_from_u64(4);
    for protocol in 0..6 {
        let good = std::fs::read(fixture(&format!("protocol{protocol}.pkl"))).unwrap();
        let mut readable = 0;
        for _ in 0..CASES {
            let mut bytes = good.clone();
            for _ in 0..rng.random_range(1..5) {
                let at = rng.random_range(0..bytes.len());
                bytes[at] = rng.random();
            }
            if let Ok(pickle) = NumpyPickle::read(&bytes) {
                readable += 1;
                let root = pickle.root();
                root.entries()
                    .take(50)
                    .for_each(|(_, item)| drop((item.texts(), item.array().map(|a| a.to_f32_vec()))));
            }
        }
        // Copies that all fail at their first bytes, or that all read, test nothing.
        assert!((1..CASES).contains(&readable), "protocol {protocol}: {readable} of {CASES} copies read");
    }
}
