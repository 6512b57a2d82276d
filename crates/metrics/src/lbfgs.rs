//! Limited-memory BFGS (Nocedal and Wright, *Numerical Optimization*, 2006, algorithms 7.4 and 7.5,
//! <https://doi.org/10.1007/978-0-387-40065-5>) with a bisection line search for the weak Wolfe conditions.

use std::cmp::Ordering;
use std::collections::VecDeque;

/// Curvature pairs kept, torch's `history_size`.
const HISTORY: usize = 10;
/// Sufficient decrease (Armijo) constant c₁.
const WOLFE_C1: f64 = 1e-4;
/// Curvature constant c₂.
const WOLFE_C2: f64 = 0.9;
/// Maximum function evaluations per line search.
const MAX_LINE_SEARCH: usize = 60;

/// Convergence criteria.
#[derive(Clone, Copy, Debug)]
pub struct StopCriteria {
    /// Maximum absolute value of the gradient at convergence.
    pub gradient_tolerance: f64,
    /// Maximum number of steps.
    pub max_steps: usize,
}

/// A curvature pair in the notation of Nocedal and Wright: step s, gradient difference y, and sᵀy.
struct CurvaturePair {
    s: Vec<f64>,
    y: Vec<f64>,
    sy: f64,
}

/// Minimizes a function from the start `x`, which becomes the minimizer, and returns the minimum. `value` writes the
/// gradient and returns the function value.
pub fn minimize(
    x: &mut Vec<f64>,
    mut value: impl FnMut(&[f64], &mut [f64]) -> f64,
    stop: StopCriteria,
) -> f64 {
    let mut gradient = vec![0.0; x.len()];
    let mut lowest = value(x, &mut gradient);
    let mut memory: VecDeque<CurvaturePair> = VecDeque::with_capacity(HISTORY + 1);
    for _ in 0..stop.max_steps {
        // Not `<=`: a NaN in the gradient must stop the loop, too.
        if max_abs(&gradient).partial_cmp(&stop.gradient_tolerance) != Some(Ordering::Greater) {
            break;
        }
        let direction = two_loop_direction(&gradient, &memory);
        let Some(next) = line_search(x, &direction, (lowest, &gradient), &mut value) else { break };
        let s: Vec<f64> = next.x.iter().zip(x.iter()).map(|(a, b)| a - b).collect();
        let y: Vec<f64> = next.gradient.iter().zip(&gradient).map(|(a, b)| a - b).collect();
        let sy = dot(&s, &y);
        // A pair with sᵀy ≤ 0 would make the inverse Hessian indefinite.
        if sy > 0.0 {
            memory.push_back(CurvaturePair { s, y, sy });
            if memory.len() > HISTORY {
                memory.pop_front();
            }
        }
        (*x, gradient, lowest) = (next.x, next.gradient, next.value);
    }
    lowest
}

/// Quasi-Newton direction by the two-loop recursion (algorithm 7.4); steepest descent without history.
fn two_loop_direction(gradient: &[f64], memory: &VecDeque<CurvaturePair>) -> Vec<f64> {
    let mut direction: Vec<f64> = gradient.iter().map(|g| -g).collect();
    let mut shares = Vec::with_capacity(memory.len());
    for pair in memory.iter().rev() {
        let share = dot(&pair.s, &direction) / pair.sy;
        add(&mut direction, -share, &pair.y);
        shares.push(share);
    }
    match memory.back() {
        Some(last) => {
            // Initial inverse Hessian γI, equation 7.20.
            let scale = last.sy / dot(&last.y, &last.y);
            direction.iter_mut().for_each(|d| *d *= scale);
        }
        None => {
            let length = dot(gradient, gradient).sqrt().max(1.0);
            direction.iter_mut().for_each(|d| *d /= length);
        }
    }
    for (pair, share) in memory.iter().zip(shares.into_iter().rev()) {
        let back = dot(&pair.y, &direction) / pair.sy;
        add(&mut direction, share - back, &pair.s);
    }
    direction
}

/// A point of the line search.
struct LinePoint {
    x: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
}

/// A point along `direction` that fulfills the weak Wolfe conditions; the lowest point met if rounding prevents that;
/// `None` if no point is lower.
fn line_search(
    x: &[f64],
    direction: &[f64],
    (value_here, gradient_here): (f64, &[f64]),
    value: &mut impl FnMut(&[f64], &mut [f64]) -> f64,
) -> Option<LinePoint> {
    let steepness = dot(gradient_here, direction);
    if steepness.partial_cmp(&0.0) != Some(Ordering::Less) {
        return None;
    }
    let (mut low, mut high, mut length) = (0.0, f64::INFINITY, 1.0);
    let mut best: Option<LinePoint> = None;
    for _ in 0..MAX_LINE_SEARCH {
        let mut point = LinePoint { x: x.to_vec(), value: 0.0, gradient: vec![0.0; x.len()] };
        add(&mut point.x, length, direction);
        point.value = value(&point.x, &mut point.gradient);
        let is_low = point.value <= value_here + WOLFE_C1 * length * steepness;
        let is_flat = dot(&point.gradient, direction) >= WOLFE_C2 * steepness;
        let is_lower = point.value < best.as_ref().map_or(value_here, |b| b.value);
        if is_low && is_flat {
            return Some(point);
        }
        if is_lower {
            best = Some(point);
        }
        if is_low {
            low = length;
        } else {
            high = length;
        }
        // Bisect once there is an upper end; double the step until then.
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

fn max_abs(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |most, x| if x.is_nan() { f64::NAN } else { x.abs().max(most) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minimizes_the_rosenbrock_function() {
        let mut x = vec![-1.2, 1.0];
        let stop = StopCriteria { gradient_tolerance: 1e-10, max_steps: 500 };
        let lowest = minimize(
            &mut x,
            |x, gradient| {
                let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
                gradient[0] = -2.0 * a - 400.0 * x[0] * b;
                gradient[1] = 200.0 * b;
                a * a + 100.0 * b * b
            },
            stop,
        );
        assert!(lowest < 1e-18 && (x[0] - 1.0).abs() < 1e-9 && (x[1] - 1.0).abs() < 1e-9, "{lowest} {x:?}");
    }

    #[test]
    fn a_nan_gradient_stops() {
        let mut x = vec![1.0];
        minimize(
            &mut x,
            |_, gradient| {
                gradient[0] = f64::NAN;
                f64::NAN
            },
            StopCriteria { gradient_tolerance: 1e-9, max_steps: 9 },
        );
        assert_eq!(x, [1.0]);
    }
}
