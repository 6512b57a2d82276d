//! Checks of every category: valid, bounded, deterministic, with well-formed captions.

use super::*;

const SEEDS: u64 = 20;
const MAX_TRIANGLES: usize = 6000;

fn each_specimen(check: impl Fn(&Category, u64, &Specimen)) {
    for category in categories() {
        for seed in 0..SEEDS {
            check(category, seed, &category.generate(seed));
        }
    }
}

#[test]
fn specimens_are_visible_grounded_and_modest() {
    each_specimen(|category, seed, specimen| {
        let name = category.name;
        let bounds = specimen.scene.bounds().unwrap_or_else(|| panic!("{name} {seed} is empty"));
        let extents = bounds.extents();
        assert!(extents.is_finite() && extents.max_element() < 500.0, "{name} {seed}: {extents}");
        assert!(extents.max_element() > 0.005, "{name} {seed}: {extents}");
        assert!(
            bounds.min.y.abs() < 1e-2 * extents.max_element(),
            "{name} {seed} has its lowest point at {}",
            bounds.min.y
        );
        let faces = specimen.scene.n_faces();
        assert!((8..=MAX_TRIANGLES).contains(&faces), "{name} {seed}: {faces} triangles");
        for mesh in &specimen.scene.meshes {
            assert!(mesh.material.is_some_and(|m| m < specimen.scene.materials.len()));
        }
    });
}

#[test]
fn the_same_seed_gives_the_same_specimen() {
    for category in categories() {
        let (first, second) = (category.generate(3), category.generate(3));
        assert_eq!(first.scene, second.scene, "{}", category.name);
        assert_eq!(first.attributes, second.attributes, "{}", category.name);
        assert_ne!(first.scene, category.generate(4).scene, "{}", category.name);
    }
}

#[test]
fn captions_are_well_formed() {
    each_specimen(|category, seed, specimen| {
        let said = captions(category, specimen, &mut Rng::new(seed));
        assert_eq!(said.len(), 5);
        for caption in said {
            let tidy = !caption.is_empty()
                && caption == caption.trim()
                && !caption.contains("  ")
                && !caption.contains(['{', '}'])
                && caption == caption.to_lowercase()
                && caption.len() < 160;
            assert!(tidy, "{}: {caption:?}", category.name);
        }
    });
}

#[test]
fn names_are_unique_and_lower_case() {
    let mut names: Vec<_> = categories().iter().map(|c| c.name).collect();
    names.sort_unstable();
    for pair in names.windows(2) {
        assert_ne!(pair[0], pair[1]);
    }
    assert!(names.iter().all(|n| *n == n.to_lowercase()));
}
