//! The smallest value of a smooth function of many numbers: limited-memory BFGS (Nocedal and Wright 2006, algorithms
//! 7.4 and 7.5) with a line search that bisects until both of Wolfe's weak conditions hold.

use std::cmp::Ordering;
use std::collections::VecDeque;

/// Steps that the curvature is told from.
const MEMORY: usize = 10;
/// Least decrease, as a share of what the slope promises.
const DECREASE: f64 = 1e-4;
/// Most of the slope that may be left.
const CURVATURE: f64 = 0.9;
/// Most trials along one direction.
const TRIALS: usize = 60;

/// When to stop.
#[derive(Clone, Copy, Debug)]
pub struct Stop {
    /// Largest slope along any number.
    pub slope: f64,
    /// Most steps.
    pub steps: usize,
}

/// A step taken: the move and how the slope changed.
struct Step {
    moved: Vec<f64>,
    turned: Vec<f64>,
    product: f64,
}

/// Goes down from `x` and leaves it at the lowest place found. `value` writes the slope and returns the value.
pub fn minimize(x: &mut Vec<f64>, mut value: impl FnMut(&[f64], &mut [f64]) -> f64, stop: Stop) -> f64 {
    let mut slope = vec![0.0; x.len()];
    let mut lowest = value(x, &mut slope);
    let mut memory: VecDeque<Step> = VecDeque::with_capacity(MEMORY + 1);
    for _ in 0..stop.steps {
        // A slope that is no number ends it, too.
        if largest(&slope).partial_cmp(&stop.slope) != Some(Ordering::Greater) {
            break;
        }
        let direction = downhill(&slope, &memory);
        let Some(next) = search(x, &direction, (lowest, &slope), &mut value) else { break };
        let moved: Vec<f64> = next.x.iter().zip(x.iter()).map(|(a, b)| a - b).collect();
        let turned: Vec<f64> = next.slope.iter().zip(&slope).map(|(a, b)| a - b).collect();
        let product = dot(&moved, &turned);
        if product > 0.0 {
            memory.push_back(Step { moved, turned, product });
            if memory.len() > MEMORY {
                memory.pop_front();
            }
        }
        (*x, slope, lowest) = (next.x, next.slope, next.value);
    }
    lowest
}

/// The quasi-Newton direction; straight down while nothing is known.
fn downhill(slope: &[f64], memory: &VecDeque<Step>) -> Vec<f64> {
    let mut direction: Vec<f64> = slope.iter().map(|g| -g).collect();
    let mut shares = Vec::with_capacity(memory.len());
    for step in memory.iter().rev() {
        let share = dot(&step.moved, &direction) / step.product;
        add(&mut direction, -share, &step.turned);
        shares.push(share);
    }
    match memory.back() {
        Some(last) => {
            let scale = last.product / dot(&last.turned, &last.turned);
            direction.iter_mut().for_each(|d| *d *= scale);
        }
        None => {
            let length = dot(slope, slope).sqrt().max(1.0);
            direction.iter_mut().for_each(|d| *d /= length);
        }
    }
    for (step, share) in memory.iter().zip(shares.into_iter().rev()) {
        let back = dot(&step.turned, &direction) / step.product;
        add(&mut direction, share - back, &step.moved);
    }
    direction
}

struct Place {
    x: Vec<f64>,
    value: f64,
    slope: Vec<f64>,
}

/// A place along `direction` that is low and flat enough; the lowest one met where rounding hides such a place; `None` if
/// none is lower.
fn search(
    x: &[f64],
    direction: &[f64],
    (value_here, slope_here): (f64, &[f64]),
    value: &mut impl FnMut(&[f64], &mut [f64]) -> f64,
) -> Option<Place> {
    let steepness = dot(slope_here, direction);
    if steepness.partial_cmp(&0.0) != Some(Ordering::Less) {
        return None;
    }
    let (mut low, mut high, mut length) = (0.0, f64::INFINITY, 1.0);
    let mut best: Option<Place> = None;
    for _ in 0..TRIALS {
        let mut place = Place { x: x.to_vec(), value: 0.0, slope: vec![0.0; x.len()] };
        add(&mut place.x, length, direction);
        place.value = value(&place.x, &mut place.slope);
        let is_low = place.value <= value_here + DECREASE * length * steepness;
        let is_flat = dot(&place.slope, direction) >= CURVATURE * steepness;
        let is_lower = place.value < best.as_ref().map_or(value_here, |b| b.value);
        if is_low && is_flat {
            return Some(place);
        }
        if is_lower {
            best = Some(place);
        }
        if is_low {
            low = length;
        } else {
            high = length;
        }
        length = if high.is_finite() { f64::midpoint(low, high) } else { 2.0 * low };
    }
    best
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(to: &mut [f64], factor: f64, what: &[f64]) {
    to.iter_mut().zip(what).for_each(|(to, x)| *to += factor * x);
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |most, x| if x.is_nan() { f64::NAN } else { x.abs().max(most) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_bottom_of_a_curved_valley() {
        // Rosenbrock's function.
        let mut x = vec![-1.2, 1.0];
        let stop = Stop { slope: 1e-10, steps: 500 };
        let lowest = minimize(
            &mut x,
            |x, slope| {
                let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
                slope[0] = -2.0 * a - 400.0 * x[0] * b;
                slope[1] = 200.0 * b;
                a * a + 100.0 * b * b
            },
            stop,
        );
        assert!(lowest < 1e-18 && (x[0] - 1.0).abs() < 1e-9 && (x[1] - 1.0).abs() < 1e-9, "{lowest} {x:?}");
    }

    #[test]
    fn a_function_that_is_nan_ends_the_search() {
        let mut x = vec![1.0];
        minimize(
            &mut x,
            |_, slope| {
                slope[0] = f64::NAN;
                f64::NAN
            },
            Stop { slope: 1e-9, steps: 9 },
        );
        assert_eq!(x, [1.0]);
    }
}
