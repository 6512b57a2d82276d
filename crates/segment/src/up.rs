//! The up axis of a scene, from its planes and from where things are between them.

use glam::Vec3;

use crate::Plane;

/// Planes whose normals are candidates.
const CANDIDATE_PLANES: usize = 10;
/// Smallest cosine between parallel directions.
const PARALLEL: f32 = 0.97;
/// Share of the height at its lower end in which a floor is.
const FLOOR_ZONE: f32 = 0.12;
/// Share of points at either end that may be outliers.
const OUTLIERS: f32 = 0.01;
/// Points that are measured.
const MEASURED_POINTS: usize = 50_000;
/// Weight of what the file states: decides where a scene does not.
const STATED_BONUS: f32 = 0.25;

/// The unit vector that points up. `stated` is the file's own.
pub(crate) fn find_up(positions: &[Vec3], planes: &[Plane], stated: Vec3) -> Vec3 {
    let mut candidates = vec![stated];
    for plane in planes.iter().take(CANDIDATE_PLANES) {
        for direction in [plane.normal, -plane.normal] {
            if candidates.iter().all(|other| other.dot(direction) < PARALLEL) {
                candidates.push(direction);
            }
        }
    }
    let evidence = Evidence::new(positions, planes);
    let score = |up: Vec3| evidence.score(up) + if up.dot(stated) > PARALLEL { STATED_BONUS } else { 0.0 };
    // Ties go to the stated one, which is first.
    let best = candidates.into_iter().map(|up| (score(up), up));
    let best = best.fold((f32::NEG_INFINITY, stated), |a, b| if b.0 > a.0 { b } else { a }).1;
    straightened(best, planes)
}

/// The normal of the largest plane that is nearly perpendicular to a direction: floors are level, files are not always.
fn straightened(up: Vec3, planes: &[Plane]) -> Vec3 {
    let level = planes.iter().filter(|plane| plane.normal.dot(up).abs() > PARALLEL);
    let largest = level.max_by_key(|plane| plane.points.len());
    largest.map_or(up, |plane| plane.normal * plane.normal.dot(up).signum())
}

struct Evidence<'a> {
    planes: &'a [Plane],
    positions: Vec<Vec3>,
    /// The same without those on planes: furniture rather than walls.
    clutter: Vec<Vec3>,
    n_points: f32,
}

impl<'a> Evidence<'a> {
    fn new(positions: &[Vec3], planes: &'a [Plane]) -> Self {
        let mut on_plane = vec![false; positions.len()];
        planes.iter().flat_map(|plane| &plane.points).for_each(|&i| on_plane[i as usize] = true);
        let stride = positions.len().div_ceil(MEASURED_POINTS).max(1);
        let off = positions.iter().zip(&on_plane).filter(|(_, on)| !**on).map(|(p, _)| *p);
        Self {
            planes,
            positions: positions.iter().step_by(stride).copied().collect(),
            clutter: off.step_by(stride).collect(),
            n_points: positions.len().max(1) as f32,
        }
    }

    /// How much a scene looks like a room or a table seen upright: a floor below, level surfaces, less height than width, and things
    /// that are low.
    fn score(&self, up: Vec3) -> f32 {
        let (low, high) = self.range(up);
        let height = (high - low).max(f32::MIN_POSITIVE);
        let level = self.planes.iter().filter(|plane| plane.normal.dot(up).abs() > PARALLEL);
        let (mut floor, mut flat) = (0.0, 0.0);
        for plane in level {
            let share = plane.points.len() as f32 / self.n_points;
            let at = plane.offset * plane.normal.dot(up).signum();
            flat += share;
            if at < low + FLOOR_ZONE * height {
                floor += share;
            }
        }
        let across = up.any_orthonormal_pair();
        let width = [across.0, across.1].map(|axis| self.range(axis)).map(|(low, high)| high - low);
        let flatness = 1.0 - (height / width[0].max(width[1]).max(height)).min(1.0);
        let relative = |p: &Vec3| ((p.dot(up) - low) / height).clamp(0.0, 1.0);
        let n = self.clutter.len().max(1) as f32;
        let mean_height =
            if self.clutter.is_empty() { 0.5 } else { self.clutter.iter().map(relative).sum::<f32>() / n };
        floor.min(0.4) + 0.5 * flat + 0.5 * flatness + 0.8 * (1.0 - mean_height)
    }

    /// Where points are along an axis, outliers aside.
    fn range(&self, axis: Vec3) -> (f32, f32) {
        let mut along: Vec<f32> = self.positions.iter().map(|p| p.dot(axis)).collect();
        if along.is_empty() {
            return (0.0, 0.0);
        }
        along.sort_unstable_by(f32::total_cmp);
        let outside = (along.len() as f32 * OUTLIERS) as usize;
        (along[outside], along[along.len() - 1 - outside])
    }
}
