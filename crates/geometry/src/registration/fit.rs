//! Laying one form over another, and what lies between them then.
//!
//! Turns that the principal axes allow are tried, the best are improved by iterated closest points (Besl and McKay, 1992)
//! in both directions, each step solved in closed form (Horn, 1987).
//!
//! Distances are measured between points drawn by chance, which never meet: what two sets of points of one surface have
//! between them is known for each form and subtracted. That leaves distances far below the spacing of the points. A place is
//! found with few points; what is left there is measured with more, so that a small part without counterpart shows.

use glam::{DVec3, Mat3, Quat, Vec3};

use super::eigen::eigen;
use super::form::{Answers, Form, Spread};
use super::signature::Signature;
use super::turns::turns;

/// Points that score a rotation, points of each step of ICP, and how many of the best rotations are refined.
const SCORE_POINTS: usize = 64;
const ICP_POINTS: usize = 384;
const TOP_CANDIDATES: usize = 3;
/// Most steps of improvement, and the part of the squared distance that a step must take away to be followed by another.
const IMPROVEMENTS: usize = 12;
const WORTHWHILE: f64 = 0.01;
/// Forms have one size already; a fit changes it by no more than this factor.
const MOST_SCALING: f32 = 1.1;
/// With many turns to try, more of them look promising.
const MANY_TURNS: usize = 100;
const TOP_CANDIDATES_OF_MANY: usize = 10;
/// Standard errors within which two forms are the same …
const SURENESS: f64 = 3.0;
/// … if no point lies farther from the other form than this many times the farthest that chance puts from its own.
const OUTLYING: f64 = 2.0;
/// Mirrored is said only where the mirror image fits better by this part.
const CLEARLY_BETTER: f32 = 0.7;

/// How well one form lies over another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// Root of the mean squared distance between the surfaces, in the direction where it is larger, over the diameter.
    pub distance: f32,
    /// Distances up to this may be chance: the forms are then the same as far as can be seen.
    pub resolution: f32,
    /// Whether it is the mirror image that lies over.
    pub mirrored: bool,
    /// Whether a part too small to matter for the mean, a sign on a roof, has no counterpart.
    pub outlying: bool,
}

impl Fit {
    /// Whether no difference can be seen.
    pub fn is_same(&self) -> bool {
        self.distance <= self.resolution && !self.outlying
    }
}

/// Which of a form's points answer.
type Choice = fn(&Form) -> &Answers;

impl Form {
    /// Numbers for finding candidates.
    pub fn signature(&self) -> Signature {
        Signature::of(self)
    }

    /// Lays `other` over this form, turned and mirrored as need be.
    pub fn fit(&self, other: &Self) -> Fit {
        let plain = self.best_fit(other, false);
        if plain.is_same() {
            return plain;
        }
        let mirrored = self.best_fit(other, true);
        let is_better = mirrored.distance < CLEARLY_BETTER * plain.distance;
        if is_better { mirrored } else { plain }
    }

    fn best_fit(&self, other: &Self, mirrored: bool) -> Fit {
        let mirror = if mirrored { Mat3::from_diagonal(Vec3::new(1.0, 1.0, -1.0)) } else { Mat3::IDENTITY };
        let shares = std::array::from_fn(|axis| (self.shares[axis] + other.shares[axis]) / 2.0);
        let (few, all): (Choice, Choice) = (|form| &form.few, |form| &form.all);
        let mut tried: Vec<(f64, Placement)> = turns(shares)
            .into_iter()
            .map(|turn| Placement { turn: turn * mirror, scale: 1.0, offset: Vec3::ZERO })
            .map(|placement| (self.squared_gap(other, &placement, SCORE_POINTS, few), placement))
            .collect();
        tried.sort_by(|a, b| a.0.total_cmp(&b.0));
        let finalists = if tried.len() > MANY_TURNS { TOP_CANDIDATES_OF_MANY } else { TOP_CANDIDATES };
        let improved = tried.into_iter().take(finalists).map(|(_, placement)| {
            let placement = self.refined(other, placement, mirror, few);
            // Places of a shape that is nearly its own turned image differ by less than few points see.
            (self.squared_gap(other, &placement, ICP_POINTS, all), placement)
        });
        let best = improved.min_by(|a, b| a.0.total_cmp(&b.0));
        let placement = best.map_or(Placement::NONE, |(_, placement)| placement);
        let placement = self.refined(other, placement, mirror, all);
        self.measure(other, &placement, mirrored)
    }

    /// Mean squared distance of a few points, both ways.
    fn squared_gap(&self, other: &Self, placement: &Placement, count: usize, answers: Choice) -> f64 {
        let there =
            other.asking.iter().take(count).map(|p| answers(self).squared_distance(placement.apply(*p)));
        let scale = f64::from(placement.scale * placement.scale);
        let back = self.asking.iter().take(count);
        let back = back.map(|p| scale * answers(other).squared_distance(placement.undo(*p)));
        there.sum::<f64>() + back.sum::<f64>()
    }

    /// The placement improved as long as that is worthwhile, by a choice of the points that answer.
    fn refined(&self, other: &Self, mut placement: Placement, mirror: Mat3, answers: Choice) -> Placement {
        let mut last = f64::INFINITY;
        for _ in 0..IMPROVEMENTS {
            let (gap, better) = self.improved(other, &placement, mirror, answers);
            if gap > last * (1.0 - WORTHWHILE) {
                break;
            }
            (last, placement) = (gap, better);
        }
        placement
    }

    /// The placement that brings points nearest to the points they are nearest to now, and their squared distances now.
    fn improved(
        &self,
        other: &Self,
        placement: &Placement,
        mirror: Mat3,
        answers: Choice,
    ) -> (f64, Placement) {
        let (here, there) = (answers(self), answers(other));
        let scale = f64::from(placement.scale * placement.scale);
        let mut gap = 0.0;
        let mut pairs = Vec::with_capacity(2 * ICP_POINTS);
        for &point in other.asking.iter().take(ICP_POINTS) {
            if let Some((near, squared)) = here.nearest(placement.apply(point)) {
                gap += squared;
                pairs.push((mirror * point, near));
            }
        }
        for &point in self.asking.iter().take(ICP_POINTS) {
            if let Some((near, squared)) = there.nearest(placement.undo(point)) {
                gap += scale * squared;
                pairs.push((mirror * near, point));
            }
        }
        let (turn, scale, offset) = closest_similarity(&pairs);
        (gap, Placement { turn: turn * mirror, scale, offset })
    }

    fn measure(&self, other: &Self, placement: &Placement, mirrored: bool) -> Fit {
        let there = other.asking.iter().map(|p| self.all.squared_distance(placement.apply(*p)));
        let back = self.asking.iter().map(|p| other.all.squared_distance(placement.undo(*p)));
        let scale = f64::from(placement.scale * placement.scale);
        // What is more than between points of one surface; both that and its own chance vary.
        let (found_there, found_back) = (Spread::of(there), Spread::of(back));
        let there = found_there.mean - self.chance.mean;
        let back = (found_back.mean - other.chance.mean) * scale;
        let farthest = found_there.largest.max(found_back.largest * scale).sqrt();
        let by_chance = self.chance.largest.max(other.chance.largest * scale).sqrt();
        let error = std::f64::consts::SQRT_2 * self.error.max(other.error * scale);
        let diameter = self.diameter.max(other.diameter * placement.scale);
        let over_diameter = |square: f64| square.max(0.0).sqrt() as f32 / diameter;
        Fit {
            distance: over_diameter(there.max(back)),
            resolution: over_diameter(SURENESS * error),
            mirrored,
            outlying: farthest > OUTLYING * by_chance,
        }
    }
}

/// One form's place over another.
#[derive(Clone, Copy)]
struct Placement {
    /// A rotation, or one of a mirror image.
    turn: Mat3,
    scale: f32,
    offset: Vec3,
}

impl Placement {
    const NONE: Self = Self { turn: Mat3::IDENTITY, scale: 1.0, offset: Vec3::ZERO };

    fn apply(&self, point: Vec3) -> Vec3 {
        self.turn * point * self.scale + self.offset
    }

    fn undo(&self, point: Vec3) -> Vec3 {
        self.turn.transpose() * (point - self.offset) / self.scale
    }
}

/// Rotation, scale and offset that bring the first points of pairs closest to the second: Horn, "Closed-form solution of
/// absolute orientation using unit quaternions", 1987, with the scale that treats both sides alike.
fn closest_similarity(pairs: &[(Vec3, Vec3)]) -> (Mat3, f32, Vec3) {
    let count = pairs.len().max(1) as f64;
    let mean = |pick: fn(&(Vec3, Vec3)) -> Vec3| {
        pairs.iter().map(|pair| pick(pair).as_dvec3()).fold(DVec3::ZERO, |sum, p| sum + p) / count
    };
    let (from_mean, to_mean) = (mean(|pair| pair.0), mean(|pair| pair.1));
    let mut products = [DVec3::ZERO; 3];
    let (mut from_square, mut to_square) = (0.0, 0.0);
    for (from, to) in pairs {
        let (from, to) = (from.as_dvec3() - from_mean, to.as_dvec3() - to_mean);
        (from_square, to_square) = (from_square + from.length_squared(), to_square + to.length_squared());
        products.iter_mut().enumerate().for_each(|(axis, row)| *row += to * from[axis]);
    }
    let [xx, xy, xz] = products[0].to_array();
    let [yx, yy, yz] = products[1].to_array();
    let [zx, zy, zz] = products[2].to_array();
    let [(_, [w, x, y, z]), ..] = eigen([
        [xx + yy + zz, yz - zy, zx - xz, xy - yx],
        [yz - zy, xx - yy - zz, xy + yx, zx + xz],
        [zx - xz, xy + yx, yy - xx - zz, yz + zy],
        [xy - yx, zx + xz, yz + zy, zz - xx - yy],
    ]);
    let turn = Mat3::from_quat(Quat::from_xyzw(x as f32, y as f32, z as f32, w as f32).normalize());
    let scale = (to_square / from_square).sqrt() as f32;
    let scale = if scale.is_finite() { scale.clamp(1.0 / MOST_SCALING, MOST_SCALING) } else { 1.0 };
    (turn, scale, to_mean.as_vec3() - turn * from_mean.as_vec3() * scale)
}
