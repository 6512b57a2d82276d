//! Preprocessing of point clouds, as in each reference.

use glam::Vec3;
use lexiform_geometry::neighbors::{FpsVariant, farthest_point_sample_by};
use lexiform_geometry::sample::sample_cloud;
use lexiform_geometry::{PointCloud, srgb_from_linear};
use rand::rngs::SmallRng;
use rand::seq::index;
use rand::{Rng as _, SeedableRng as _};
use serde::{Deserialize, Serialize};

use super::{FpsStart, ModelFamily, PointNormalization, PreparedCloud};

/// Below this radius OpenShape treats a cloud as a single point.
const OPENSHAPE_MIN_RADIUS: f64 = 1e-6;

/// Preprocessing of point clouds for an encoder.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointPreprocess {
    /// Number of points.
    pub n_points: usize,
    /// The up axis of the network. `ZUp` swaps y and z, a reflection, as OpenShape's loader does.
    pub up: UpAxis,
    /// Resampling of clouds of another size.
    pub resample: Resample,
    /// Color of points without color; `None` if the encoder uses no colors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_color: Option<f32>,
    /// Normalization of positions.
    #[serde(rename = "placing", default, skip_serializing_if = "PointNormalization::is_default")]
    pub normalization: PointNormalization,
    /// Ignores colors, as if the cloud had none.
    #[serde(rename = "bare", default, skip_serializing_if = "is_false")]
    pub ignore_color: bool,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// Changes to an encoder's preprocessing for an evaluation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PointPreprocessOverrides {
    /// Replaces the number of points.
    pub n_points: Option<usize>,
    /// Replaces the normalization of positions.
    pub normalization: Option<PointNormalization>,
    /// See [`PointPreprocess::ignore_color`].
    pub ignore_color: bool,
}

/// The up axis of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UpAxis {
    /// +Y, as everywhere in this project.
    YUp,
    /// +Z, by swapping y and z.
    ZUp,
}

/// Resampling of clouds that do not have the model's number of points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resample {
    /// Farthest-point sampling of larger clouds, before normalization; smaller clouds are unchanged (ULIP).
    Farthest,
    /// Farthest-point sampling of larger clouds, after normalization; smaller clouds are unchanged (CG3D).
    FarthestNormalized,
    /// Random sampling, of smaller clouds with repetition (OpenShape). The seed is that of [`FpsStart`], or 0.
    Random,
}

impl PointPreprocess {
    /// The preprocessing of a system's evaluation.
    pub fn of(family: ModelFamily, colored: bool) -> Self {
        let missing_color = colored.then_some(0.4);
        let (n_points, up, resample) = match family {
            ModelFamily::Ulip if colored => (10_000, UpAxis::YUp, Resample::Farthest),
            ModelFamily::Ulip => (8192, UpAxis::YUp, Resample::Farthest),
            ModelFamily::OpenShapeZUp | ModelFamily::Uni3d => (10_000, UpAxis::ZUp, Resample::Random),
            ModelFamily::OpenShapeYUp => (10_000, UpAxis::YUp, Resample::Random),
            ModelFamily::Cg3d => (8192, UpAxis::YUp, Resample::FarthestNormalized),
        };
        Self {
            n_points,
            up,
            resample,
            missing_color,
            normalization: PointNormalization::UnitSphere,
            ignore_color: false,
        }
    }

    /// The preprocessing with changes.
    #[must_use]
    pub fn with_overrides(self, options: PointPreprocessOverrides) -> Self {
        Self {
            n_points: options.n_points.unwrap_or(self.n_points),
            normalization: options.normalization.unwrap_or(self.normalization),
            ignore_color: self.ignore_color || options.ignore_color,
            ..self
        }
    }

    /// Preprocesses a cloud; `start` replaces random choices of the reference. An empty cloud stays empty.
    ///
    /// ```
    /// use glam::Vec3;
    /// use lexiform_geometry::PointCloud;
    /// use lexiform_model::point::{PointPreprocess, FpsStart, ModelFamily};
    ///
    /// let cloud = PointCloud::new(vec![Vec3::ZERO, Vec3::new(0.0, 4.0, 0.0)])?;
    /// let input = PointPreprocess::of(ModelFamily::Ulip, false);
    /// let found = input.prepare(&cloud, FpsStart::default());
    /// assert_eq!(found.positions, [Vec3::NEG_Y, Vec3::Y]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn prepare(&self, cloud: &PointCloud, start: FpsStart) -> PreparedCloud {
        let surplus = cloud.positions().len() > self.n_points;
        let cloud = match (self.resample, start) {
            // ULIP samples before it normalizes.
            (Resample::Farthest, _) if surplus => {
                let first = start.first(0, 0, cloud.positions().len());
                let rule = FpsVariant::LowestIndex { first };
                select(cloud, farthest_point_sample_by(cloud.positions(), self.n_points, rule))
            }
            (Resample::Random, start) if cloud.positions().len() != self.n_points => {
                // Seed 0 by default: results must not depend on chance.
                let seed = if let FpsStart::Seed(seed) = start { seed } else { 0 };
                sample_cloud(cloud, self.n_points, &mut SmallRng::seed_from_u64(seed))
            }
            _ => cloud.clone(),
        };
        // Only OpenShape's loader has a threshold; the others divide by any positive radius.
        let smallest = if self.resample == Resample::Random { OPENSHAPE_MIN_RADIUS } else { 0.0 };
        let positions = self.normalization.apply(cloud.positions(), smallest);
        // Encoders without colors get none, even if the cloud has them.
        let colors = match (self.missing_color, cloud.colors().filter(|_| !self.ignore_color)) {
            (None, _) => Vec::new(),
            (Some(_), Some(colors)) => colors.iter().map(|c| srgb(*c)).collect(),
            (Some(missing), None) => vec![Vec3::splat(missing); positions.len()],
        };
        let mut input = PreparedCloud { positions, colors };
        // CG3D samples after normalization, so the surplus points have shifted mean and radius.
        if self.resample == Resample::FarthestNormalized {
            input = input.farthest(self.n_points);
        }
        // Last: the normalization is the same along every axis.
        if self.up == UpAxis::ZUp {
            input.positions.iter_mut().for_each(|p| *p = Vec3::new(p.x, p.z, p.y));
        }
        input
    }

    /// One randomly augmented copy of a cloud for test-time augmentation with voting, as in Point-BERT's evaluation: a random
    /// part of 1200/1024 times as many farthest points, each axis scaled by 2/3 to 3/2 and shifted by up to 0.2.
    pub fn prepare_test_time_augmented(
        &self,
        cloud: &PointCloud,
        start: FpsStart,
        seed: u64,
    ) -> PreparedCloud {
        let mut rng = SmallRng::seed_from_u64(seed);
        // More points than the encoder takes, of which a random part is kept.
        let wide = Self { n_points: self.n_points * 1200 / 1024, ..*self };
        let whole = wide.prepare(cloud, start);
        let count = whole.positions.len();
        let mut copy = whole.select(&index::sample(&mut rng, count, self.n_points.min(count)).into_vec());
        // Drawn before the shift: the order of draws is part of the result.
        let stretch = Vec3::from_array([(); 3].map(|()| rng.random_range(2.0 / 3.0..=1.5)));
        let shift = Vec3::from_array([(); 3].map(|()| rng.random_range(-0.2..=0.2)));
        copy.positions.iter_mut().for_each(|p| *p = *p * stretch + shift);
        copy
    }

    /// Describes the preprocessing in one line; recorded with every embedding.
    pub fn describe(&self, start: FpsStart) -> String {
        let up = match self.up {
            UpAxis::YUp => "+Y up",
            UpAxis::ZUp => "+Z up (y and z swapped)",
        };
        let color = match self.missing_color {
            Some(missing) if self.ignore_color => format!("every color {missing}"),
            Some(missing) => format!("sRGB in 0..1, {missing} where absent"),
            None => "no color".to_owned(),
        };
        let start = match start {
            FpsStart::At(first) => format!("farthest points from {first}"),
            FpsStart::Seed(seed) => format!("random start, seed {seed}"),
        };
        let normalization = self.normalization.describe();
        format!("{} points, {normalization}, {up}, {color}, {start}", self.n_points)
    }
}

impl PreparedCloud {
    /// Farthest-point sampling as in CG3D; a cloud of at most `count` points is unchanged.
    #[must_use]
    pub fn farthest(self, count: usize) -> Self {
        if self.positions.len() <= count {
            return self;
        }
        self.select(&farthest_point_sample_by(&self.positions, count, FpsVariant::Pointnet2))
    }

    fn select(&self, indices: &[usize]) -> Self {
        let pick = |list: &[Vec3]| indices.iter().filter_map(|&i| list.get(i).copied()).collect();
        Self { positions: pick(&self.positions), colors: pick(&self.colors) }
    }
}

/// Linear color → 8-bit sRGB divided by 255, as in the references.
fn srgb(linear: Vec3) -> Vec3 {
    linear.map(|value| f32::from(srgb_from_linear(value)) / 255.0)
}

fn select(cloud: &PointCloud, indices: Vec<usize>) -> PointCloud {
    let pick = |list: &[Vec3]| indices.iter().map(|&i| list[i]).collect::<Vec<_>>();
    let positions = PointCloud::new(pick(cloud.positions())).unwrap_or_default();
    match cloud.colors().map(pick) {
        Some(colors) => positions.with_colors(colors).unwrap_or_default(),
        None => positions,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cloud(n: usize) -> PointCloud {
        PointCloud::new((0..n).map(|i| Vec3::new(i as f32, (i * i % 7) as f32, 0.5)).collect()).unwrap()
    }

    #[test]
    fn clouds_are_centered_and_scaled() {
        for family in [ModelFamily::Ulip, ModelFamily::OpenShapeZUp, ModelFamily::Cg3d] {
            let input =
                PointPreprocess { n_points: 20, ..PointPreprocess::of(family, family != ModelFamily::Cg3d) };
            for n in [1, 9, 20, 31] {
                let found = input.prepare(&cloud(n), FpsStart::default());
                let radius = found.positions.iter().map(|p| p.length()).fold(0.0, f32::max);
                assert!(n == 1 || n > 20 || (radius - 1.0).abs() < 1e-6, "{family:?} {n}: {radius}");
                assert_eq!(
                    found.colors.len(),
                    if input.missing_color.is_some() { found.positions.len() } else { 0 }
                );
                let expected = if family == ModelFamily::OpenShapeZUp { 20 } else { n.min(20) };
                assert_eq!(found.positions.len(), expected);
            }
            assert!(input.prepare(&PointCloud::default(), FpsStart::default()).positions.is_empty());
        }
    }

    #[test]
    fn colors_are_the_files_bytes() {
        let colored = cloud(2).with_colors(vec![Vec3::ONE, Vec3::splat(0.214_041_1)]).unwrap();
        let input = PointPreprocess::of(ModelFamily::Ulip, true);
        let found = input.prepare(&colored, FpsStart::default());
        assert_eq!(found.colors[0], Vec3::ONE);
        assert!((found.colors[1].x - 0.5).abs() < 2.0 / 255.0);
        assert_eq!(input.prepare(&cloud(2), FpsStart::default()).colors[1], Vec3::splat(0.4));
    }

    #[test]
    fn overrides_can_keep_clouds_unchanged() {
        let colored = cloud(20).with_colors(vec![Vec3::ONE; 20]).unwrap();
        let asked = PointPreprocessOverrides {
            n_points: Some(8),
            normalization: Some(PointNormalization::None),
            ignore_color: true,
        };
        let input = PointPreprocess::of(ModelFamily::Ulip, true).with_overrides(asked);
        let found = input.prepare(&colored, FpsStart::default());
        assert_eq!(found.positions.len(), 8);
        assert!(found.positions.iter().all(|p| colored.positions().contains(p)));
        assert_eq!(found.colors, [Vec3::splat(0.4); 8]);
        assert_eq!(
            PointPreprocess::of(ModelFamily::Cg3d, false)
                .with_overrides(PointPreprocessOverrides::default())
                .n_points,
            8192
        );
    }

    #[test]
    fn test_time_augmentation_varies_with_the_seed_and_repeats() {
        let input = PointPreprocess { n_points: 16, ..PointPreprocess::of(ModelFamily::Cg3d, false) };
        let look = |seed| input.prepare_test_time_augmented(&cloud(40), FpsStart::default(), seed).positions;
        assert_eq!(look(1), look(1));
        assert!(look(1) != look(2) && look(1).len() == 16);
        let farthest = look(3).iter().map(|p| p.abs().max_element()).fold(0.0, f32::max);
        assert!((0.3..=1.7).contains(&farthest), "{farthest}");
        assert_eq!(input.prepare_test_time_augmented(&cloud(9), FpsStart::default(), 1).positions.len(), 9);
    }

    #[test]
    fn up_swaps_y_and_z() {
        let tall = PointCloud::new(vec![Vec3::Y, Vec3::NEG_Y]).unwrap();
        let input = PointPreprocess { n_points: 2, ..PointPreprocess::of(ModelFamily::OpenShapeZUp, true) };
        assert_eq!(input.prepare(&tall, FpsStart::default()).positions, [Vec3::Z, Vec3::NEG_Z]);
    }
}
