//! Normalization of positions, compared with NumPy in half precision.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use glam::Vec3;
use lexiform_geometry::PointCloud;
use lexiform_model::point::{
    FpsStart, ModelFamily, PointNormalization, PointPreprocess, PointPreprocessOverrides,
};

fn placed(normalization: PointNormalization, positions: &[Vec3]) -> Vec<Vec3> {
    let asked = PointPreprocessOverrides {
        normalization: Some(normalization),
        ..PointPreprocessOverrides::default()
    };
    let input = PointPreprocess::of(ModelFamily::Ulip, true).with_overrides(asked);
    input.prepare(&PointCloud::new(positions.to_vec()).unwrap(), FpsStart::default()).positions
}

#[test]
fn f16_rounding_matches_numpy() {
    // Printed by NumPy 2.4: pc = float16 of these; q = pc − mean(pc, 0); q / max(sqrt(sum(q², 1))).
    let stored = STORED.map(Vec3::from_array);
    let found = placed(PointNormalization::UnitSphereF16, &stored);
    assert_eq!(found, IN_HALF.map(Vec3::from_array));
    let whole = placed(PointNormalization::UnitSphere, &stored);
    let farthest = found.iter().zip(&whole).map(|(a, b)| (*a - *b).abs().max_element()).fold(0.0, f32::max);
    assert!((1e-5..2e-3).contains(&farthest), "{farthest}");
}

#[test]
fn normalization_stays_finite_and_can_be_disabled() {
    let same = [Vec3::splat(0.25); 4];
    for normalization in [PointNormalization::UnitSphere, PointNormalization::UnitSphereF16] {
        assert_eq!(placed(normalization, &same), [Vec3::ZERO; 4], "{normalization:?}");
    }
    assert_eq!(placed(PointNormalization::None, &same), same);
}

const STORED: [[f32; 3]; 5] = [
    [0.310_058_6, -0.199_951_17, 0.770_019_53],
    [0.119_995_12, 0.549_804_7, -0.399_902_34],
    [-0.600_097_66, 0.049_987_793, 0.099_975_586],
    [0.899_902_34, -0.330_078_12, 0.020_004_272],
    [0.013_000_488, 0.399_902_34, 0.609_863_3],
];
const IN_HALF: [[f32; 3]; 5] = [
    [0.182_373_05, -0.331_787_1, 0.620_605_47],
    [-0.032_257_08, 0.514_648_44, -0.700_195_3],
    [-0.845_214_84, -0.049_621_582, -0.135_498_05],
    [0.848_632_8, -0.478_759_77, -0.225_708_01],
    [-0.152_954_1, 0.345_458_98, 0.440_185_55],
];
