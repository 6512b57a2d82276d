//! Camera rigs around a shape.
//!
//! A rig is made for a shape that fills the unit sphere ([`normalize`](crate::normalize)); every camera looks at
//! its center from far enough away that the sphere is inside the image.

use std::str::FromStr;

use glam::Vec3;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

use crate::{Camera, Rig};

/// Of Blender's 35 mm lens on a 32 mm sensor, which the reference scripts use: a field of view of 49.1°.
const TAN_HALF_FOV: f64 = 16.0 / 35.0;
/// Distance factor that leaves a margin around a shape that fills the unit sphere.
const MARGIN: f32 = 1.02;
/// Elevation of the cameras of [`Rig::ring`]: 20°.
const RING_ELEVATION_RADIANS: f32 = 0.349_065_85;
/// [Zero123]'s cameras are 1.5 to 2.2 away from a shape whose longest extent is 1. The sphere around such a shape has
/// a radius between 0.5 (a rod) and 0.87 (a cube); 0.61 is the largest that fits into the image at 1.5.
///
/// [Zero123]: https://arxiv.org/abs/2303.11328
const ZERO123_RADIUS: f32 = 0.61;

/// Camera placements by the names used in settings and on command lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RigKind {
    /// [`Rig::zero123`].
    #[default]
    Zero123,
    /// [`Rig::openshape`].
    Openshape,
    /// [`Rig::ring`].
    Ring,
}

impl RigKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Zero123, Self::Openshape, Self::Ring];

    /// Its name in settings and on command lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Zero123 => "zero123",
            Self::Openshape => "openshape",
            Self::Ring => "ring",
        }
    }

    /// A rig of `count` cameras, at least one. Only [`RigKind::Zero123`] uses the seed.
    pub fn rig(self, count: usize, seed: u64) -> Rig {
        match self {
            Self::Zero123 => Rig::zero123(count, seed),
            Self::Openshape => Rig::openshape(count),
            Self::Ring => Rig::ring(count),
        }
    }
}

/// The name of an unknown rig.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown rig {found:?}, expected zero123, openshape or ring")]
pub struct UnknownRig {
    /// The name.
    pub found: String,
}

impl FromStr for RigKind {
    type Err = UnknownRig;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let kind = Self::ALL.into_iter().find(|kind| kind.name() == name);
        kind.ok_or_else(|| UnknownRig { found: name.to_owned() })
    }
}

impl std::fmt::Display for RigKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl Rig {
    /// Cameras at random on a sphere, uniformly, at varying distances: the rig of [Zero123]'s render script, with which
    /// Objaverse was rendered for [Duoduo CLIP]. At least one camera.
    ///
    /// ```
    /// use lexiform_geometry::Rig;
    ///
    /// assert_eq!(Rig::zero123(12, 1).0.len(), 12);
    /// assert_eq!(Rig::zero123(12, 1), Rig::zero123(12, 1));
    /// ```
    ///
    /// [Zero123]: https://arxiv.org/abs/2303.11328
    /// [Duoduo CLIP]: https://arxiv.org/abs/2406.11579
    pub fn zero123(count: usize, seed: u64) -> Self {
        let mut rng = SmallRng::seed_from_u64(seed);
        let cameras = (0..count.max(1)).map(|_| {
            let distance = rng.random_range(1.5..2.2_f32) / ZERO123_RADIUS;
            camera_at(point_on_sphere(&mut rng) * distance)
        });
        Self(cameras.collect())
    }

    /// The twelve fixed cameras of [OpenShape]'s render script: four 30° above the horizon, four level, four 30°
    /// below, with azimuths offset by 30° between rings. Other counts use the same scheme with `count / 3` cameras
    /// per ring. At least one camera.
    ///
    /// The script's cameras are 1.2 away from a box of extent 0.8; here the distance is the smallest at which the whole unit
    /// sphere is in the image.
    ///
    /// [OpenShape]: https://arxiv.org/abs/2305.10764
    pub fn openshape(count: usize) -> Self {
        let count = count.max(1);
        let distance = min_distance();
        let cameras = (0..count).map(|i| {
            let ring = i * 3 / count;
            let first = (ring * count).div_ceil(3);
            let in_ring = ((ring + 1) * count).div_ceil(3) - first;
            // Blender's azimuth starts at +X, ours at +Z: a quarter turn apart.
            let turn = [120.0, 150.0, 90.0][ring] + 360.0 * (i - first) as f64 / in_ring as f64;
            let elevation = [30.0_f64, 0.0, -30.0][ring].to_radians();
            camera_at(direction(turn.to_radians(), elevation) * distance)
        });
        Self(cameras.collect())
    }

    /// Cameras at equal angles around the shape, looking down by 20°; the first is in front (+Z). At least one camera.
    pub fn ring(count: usize) -> Self {
        Self::ring_at(count, RING_ELEVATION_RADIANS)
    }

    /// [`Rig::ring`] at another elevation.
    pub fn ring_at(count: usize, elevation_radians: f32) -> Self {
        let count = count.max(1);
        let camera = |i| {
            let azimuth = std::f64::consts::TAU * f64::from(i) / count as f64;
            camera_at(direction(azimuth, f64::from(elevation_radians)) * min_distance())
        };
        Self((0..count as u32).map(camera).collect())
    }

    /// A rig of these cameras; `None` if there are none.
    pub fn from_cameras(cameras: Vec<Camera>) -> Option<Self> {
        if cameras.is_empty() { None } else { Some(Self(cameras)) }
    }
}

fn camera_at(eye: Vec3) -> Camera {
    Camera::look_at(eye, Vec3::ZERO, (2.0 * TAN_HALF_FOV.atan()) as f32)
}

/// Smallest distance at which the whole unit sphere is in the image, with the margin.
fn min_distance() -> f32 {
    MARGIN * (1.0 / TAN_HALF_FOV.atan().sin()) as f32
}

/// Unit vector at an azimuth (0 is +Z, towards +X) and an elevation above the horizon. Computed in `f64` and
/// rounded once, so that the last bit of a platform's sine does not matter.
fn direction(azimuth_radians: f64, elevation_radians: f64) -> Vec3 {
    let level = elevation_radians.cos();
    let (sin, cos) = azimuth_radians.sin_cos();
    Vec3::new((level * sin) as f32, elevation_radians.sin() as f32, (level * cos) as f32)
}

/// A uniformly random point of the unit sphere, by rejection: a point of the cube that is inside the ball, projected outward.
fn point_on_sphere(rng: &mut SmallRng) -> Vec3 {
    loop {
        let point = Vec3::new(
            rng.random_range(-1.0..1.0_f32),
            rng.random_range(-1.0..1.0_f32),
            rng.random_range(-1.0..1.0_f32),
        );
        let square = point.length_squared();
        if (1e-4..=1.0).contains(&square) {
            return point / square.sqrt();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_camera_cuts_the_unit_sphere_off() {
        for kind in RigKind::ALL {
            for count in [1, 2, 3, 7, 12, 30] {
                let rig = kind.rig(count, 5);
                assert_eq!(rig.0.len(), count);
                for camera in &rig.0 {
                    let distance = camera.world_from_camera.translation.length();
                    assert!(distance * (camera.fov_y_radians / 2.0).sin() >= 1.0, "{kind} at {distance}");
                    assert!(distance < 3.7, "{kind} at {distance}");
                }
            }
        }
    }

    #[test]
    fn openshape_has_the_twelve_cameras_of_its_script() {
        let rig = Rig::openshape(12);
        let degrees = |c: &Camera| {
            let eye = c.world_from_camera.translation.normalize();
            let azimuth = eye.x.atan2(eye.z).to_degrees().rem_euclid(360.0);
            ((azimuth.round() as i32) % 360, eye.y.asin().to_degrees().round() as i32)
        };
        let expected = [
            [(120, 30), (210, 30), (300, 30), (30, 30)],
            [(150, 0), (240, 0), (330, 0), (60, 0)],
            [(90, -30), (180, -30), (270, -30), (0, -30)],
        ];
        assert_eq!(rig.0.iter().map(degrees).collect::<Vec<_>>(), expected.concat());
    }

    #[test]
    fn a_seed_is_a_rig_and_names_go_both_ways() {
        assert_eq!(Rig::zero123(12, 3), Rig::zero123(12, 3));
        assert_ne!(Rig::zero123(12, 3), Rig::zero123(12, 4));
        for kind in RigKind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
        assert!("circle".parse::<RigKind>().is_err());
    }
}
