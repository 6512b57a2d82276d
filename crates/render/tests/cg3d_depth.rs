//! Depth drawings of points against CG3D's.

use glam::Vec3;
use lexiform_golden::{Golden, fixture};
use lexiform_render::{PointDepthConfig, draw_point_depth};

/// `exp` of the last bit may differ between math libraries, and levels are cut off, not rounded.
const LEVELS: u8 = 1;

#[test]
fn depth_drawings_are_cg3ds() {
    let golden = Golden::read(&fixture("render/cg3d_depth_points.safetensors"));
    let expected = Golden::read(&fixture("render/cg3d_depth_expected.safetensors"));
    let values: Vec<f32> = golden.values("points").iter().map(|v| *v as f32).collect();
    let points: Vec<Vec3> = values.chunks_exact(3).map(Vec3::from_slice).collect();
    for (view, degrees) in (1..).zip(PointDepthConfig::CG3D_VIEWS) {
        let found = draw_point_depth(&points, degrees, &PointDepthConfig::default()).into_raw();
        let expected = expected.bytes(&format!("view{view}_u8"));
        assert_eq!(found.len(), expected.len());
        let largest = found.iter().zip(&expected).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(largest <= Some(LEVELS), "view {view}: largest difference {largest:?} of 255");
        let differing = found.iter().zip(&expected).filter(|(a, b)| a != b).count();
        assert!(differing * 1000 < found.len(), "view {view}: {differing} of {} pixels differ", found.len());
    }
}
