//! Generated shapes of seeds that no training uses, turned both ways: the decision by `lexiform_geometry::upright`.

use std::f32::consts::FRAC_PI_2;

use glam::Affine3A;
use lexiform_geometry::upright::z_up_probability;
use lexiform_shapes::category;

/// Categories that have one up direction.
const UPRIGHT: [&str; 8] = ["chair", "table", "sofa", "bed", "house", "tree", "mug", "car"];
const SEEDS: std::ops::Range<u64> = 900..906;

#[test]
fn furniture_stands_up_again() {
    let mut wrong = Vec::new();
    for name in UPRIGHT {
        let category = category(name).expect(name);
        for seed in SEEDS {
            let scene = category.generate(seed).scene;
            let turned = scene.clone().transformed(Affine3A::from_rotation_x(FRAC_PI_2));
            let z_up = |scene| z_up_probability(scene).is_some_and(|probability| probability > 0.5);
            wrong.extend(z_up(&scene).then(|| format!("{name} {seed} y")));
            wrong.extend((!z_up(&turned)).then(|| format!("{name} {seed} z")));
        }
    }
    let decisions = 2 * UPRIGHT.len() * SEEDS.count();
    assert!(10 * wrong.len() <= decisions, "{} of {decisions} wrong: {wrong:?}", wrong.len());
}
