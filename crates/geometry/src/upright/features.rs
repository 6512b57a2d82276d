//! What a shape looks like along a direction: numbers that do not depend on position, scale and which way it faces.

use glam::Vec3;
use rand::SeedableRng as _;
use rand::rngs::SmallRng;

use super::symmetry::Asymmetry;
use crate::Scene;
use crate::sample::sample_surface;

/// Points that stand for the surface.
const N_POINTS: usize = 2048;
/// Slices along the direction.
const SLICES: usize = 8;
/// Bins of the fine histogram of heights.
const BINS: usize = 64;
/// Part of the height that counts as the bottom, and as the top.
const END: f32 = 0.04;
/// Number of features of a direction.
pub const N_FEATURES: usize = 3 + 4 + SLICES + 7 + 2 * SLICES + 6 + 8;

/// A direction along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Direction {
    /// 0, 1 or 2 for x, y or z.
    pub axis: usize,
    /// Whether it is the negative direction.
    pub negative: bool,
}

impl Direction {
    /// +Y.
    pub const Y: Self = Self { axis: 1, negative: false };
    /// +Z.
    pub const Z: Self = Self { axis: 2, negative: false };
}

/// Points on a shape, centered, and their symmetries.
#[derive(Clone, Debug)]
pub struct ShapeFeatures {
    positions: Vec<Vec3>,
    edges: Vec3,
    asymmetry: Asymmetry,
}

/// The points seen along a direction.
struct Profile {
    /// Heights, `0..=1`.
    heights: Vec<f32>,
    /// Both horizontal coordinates.
    ground: Vec<[f32; 2]>,
    /// Edges of the bounding box: along the direction, and across.
    height: f32,
    widths: [f32; 2],
    /// Diagonal of the bounding box.
    diagonal: f32,
}

impl ShapeFeatures {
    /// Samples the shape; `None` without points or extent.
    pub fn of(scene: &Scene) -> Option<Self> {
        let cloud = sample_surface(scene, N_POINTS, &mut SmallRng::seed_from_u64(0));
        let min = cloud.positions().iter().copied().reduce(Vec3::min)?;
        let max = cloud.positions().iter().copied().reduce(Vec3::max)?;
        let largest = (max - min).max_element();
        if !largest.is_finite() || largest <= 0.0 {
            return None;
        }
        let center = min + (max - min) / 2.0;
        let positions: Vec<Vec3> = cloud.positions().iter().map(|p| (*p - center) / largest).collect();
        // Flat shapes have an edge of no length, by which heights would be divided.
        let edges = ((max - min) / largest).max(Vec3::splat(1e-6));
        let asymmetry = Asymmetry::of(&positions, edges.length());
        Some(Self { positions, edges, asymmetry })
    }

    /// The features of a direction.
    pub fn toward(&self, direction: Direction) -> [f32; N_FEATURES] {
        let profile = Profile::new(self, direction);
        let mut features = Vec::with_capacity(N_FEATURES);
        features.extend(profile.proportions());
        features.extend(profile.moments());
        features.extend(profile.histogram());
        features.extend(profile.spread());
        features.extend(profile.end(|height| height <= END));
        features.extend(profile.end(|height| height >= 1.0 - END));
        features.extend(self.symmetries(direction.axis));
        std::array::from_fn(|i| features.get(i).copied().unwrap_or_default())
    }

    fn symmetries(&self, axis: usize) -> [f32; 8] {
        let Asymmetry { mirror, half_turn, quarter_turn, inversion } = self.asymmetry;
        // The order of the other two axes must not matter.
        let others = |of: [f32; 3]| [of[(axis + 1) % 3], of[(axis + 2) % 3]];
        let least = |[a, b]: [f32; 2]| a.min(b);
        let [a, b] = others(mirror);
        [
            mirror[axis],
            a.min(b),
            a.max(b),
            half_turn[axis],
            least(others(half_turn)),
            quarter_turn[axis],
            least(others(quarter_turn)),
            inversion,
        ]
    }
}

impl Profile {
    fn new(shape: &ShapeFeatures, direction: Direction) -> Self {
        let Direction { axis, negative } = direction;
        let (a, b) = ((axis + 1) % 3, (axis + 2) % 3);
        let height = |p: &Vec3| {
            let up = (p[axis] / shape.edges[axis] + 0.5).clamp(0.0, 1.0);
            if negative { 1.0 - up } else { up }
        };
        Self {
            heights: shape.positions.iter().map(height).collect(),
            ground: shape.positions.iter().map(|p| [p[a], p[b]]).collect(),
            height: shape.edges[axis],
            widths: [shape.edges[a], shape.edges[b]],
            diagonal: shape.edges.length(),
        }
    }

    /// Height against widths.
    fn proportions(&self) -> [f32; 3] {
        let [a, b] = self.widths;
        // Beyond e⁴ : 1 a shape is a line or a sheet, however thin.
        let ratio = |width: f32| (self.height / width).ln().clamp(-4.0, 4.0);
        [ratio(a.max(b)), ratio(a.min(b)), self.height / self.diagonal]
    }

    /// Mean, deviation, median and skewness of the heights.
    fn moments(&self) -> [f32; 4] {
        let n = self.heights.len() as f32;
        let mean = self.heights.iter().sum::<f32>() / n;
        let moment = |power: i32| self.heights.iter().map(|h| (h - mean).powi(power)).sum::<f32>() / n;
        let deviation = moment(2).sqrt();
        let mut sorted = self.heights.clone();
        sorted.sort_unstable_by(f32::total_cmp);
        [mean, deviation, sorted[sorted.len() / 2], moment(3) / (deviation.powi(3) + 1e-6)]
    }

    /// Shares of the points by height, at both ends, and how much they gather at some height, as on shelves and table tops.
    fn histogram(&self) -> [f32; SLICES + 7] {
        let mut bins = [0.0; BINS];
        for height in &self.heights {
            bins[((height * BINS as f32) as usize).min(BINS - 1)] += 1.0 / self.heights.len() as f32;
        }
        let mut features = [0.0; SLICES + 7];
        for (slice, bins) in features.iter_mut().zip(bins.chunks_exact(BINS / SLICES)) {
            *slice = bins.iter().sum();
        }
        let highest = bins.iter().copied().fold(0.0, f32::max);
        let place = bins.iter().position(|bin| *bin == highest).unwrap_or(0);
        features[SLICES..].copy_from_slice(&[
            bins[0],
            bins[0] + bins[1],
            bins[BINS - 1],
            bins[BINS - 1] + bins[BINS - 2],
            bins.iter().map(|bin| bin * bin).sum(),
            highest,
            place as f32 / (BINS - 1) as f32,
        ]);
        features
    }

    /// For each slice, how far its points are from the middle, and the area they cover.
    fn spread(&self) -> [f32; 2 * SLICES] {
        let radius = |ground: &[[f32; 2]]| {
            let sum: f32 = ground.iter().map(|[a, b]| a * a + b * b).sum();
            (sum / ground.len().max(1) as f32).sqrt()
        };
        let whole = radius(&self.ground) + 1e-6;
        let mut slices: [Vec<[f32; 2]>; SLICES] = Default::default();
        for (height, ground) in self.heights.iter().zip(&self.ground) {
            slices[((height * SLICES as f32) as usize).min(SLICES - 1)].push(*ground);
        }
        let mut features = [0.0; 2 * SLICES];
        for (pair, slice) in features.chunks_exact_mut(2).zip(&slices) {
            if let Some(area) = Footprint::of(slice) {
                pair.copy_from_slice(&[radius(slice) / whole, area.share(self.widths)]);
            }
        }
        features
    }

    /// What the shape would stand on: its area, and how far the middle of all points is from its middle, in its own size and
    /// against the whole.
    fn end(&self, includes: impl Fn(f32) -> bool) -> [f32; 3] {
        let mut points = self.heights.iter().zip(&self.ground).filter(|(height, _)| includes(**height));
        let points: Vec<[f32; 2]> = points.by_ref().map(|(_, ground)| *ground).collect();
        let Some(foot) = Footprint::of(&points) else { return [0.0; 3] };
        let (mean, of_foot) = (mean(&self.ground), mean(&points));
        let outside = [0, 1].map(|i| (mean[i] - foot.center[i]).abs() / (foot.widths[i] / 2.0 + 1e-3));
        let apart = (mean[0] - of_foot[0]).hypot(mean[1] - of_foot[1]);
        [foot.share(self.widths), outside[0].max(outside[1]).min(5.0), apart / self.diagonal]
    }
}

/// The bounding rectangle of points on the ground.
struct Footprint {
    center: [f32; 2],
    widths: [f32; 2],
}

impl Footprint {
    /// `None` for so few points that they say nothing.
    fn of(points: &[[f32; 2]]) -> Option<Self> {
        if points.len() < 3 {
            return None;
        }
        let bounds = [0, 1].map(|i| {
            let along = points.iter().map(|p| p[i]);
            [along.clone().fold(f32::INFINITY, f32::min), along.fold(f32::NEG_INFINITY, f32::max)]
        });
        Some(Self {
            center: bounds.map(|[low, high]| (low + high) / 2.0),
            widths: bounds.map(|[low, high]| high - low),
        })
    }

    /// Its area in that of another rectangle.
    fn share(&self, of: [f32; 2]) -> f32 {
        self.widths[0] * self.widths[1] / (of[0] * of[1])
    }
}

fn mean(points: &[[f32; 2]]) -> [f32; 2] {
    [0, 1].map(|i| points.iter().map(|p| p[i]).sum::<f32>() / points.len() as f32)
}
