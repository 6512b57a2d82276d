//! Polygon triangulation.

use glam::{DVec2, DVec3, Vec3};

/// Splits a polygon into triangles of corner numbers: a fan where it is convex, ear clipping where it is not.
/// Always `corners.len() - 2` triangles, so degenerate input gives degenerate triangles rather than holes.
pub(super) fn triangulate(corners: &[Vec3], triangles: &mut Vec<[u32; 3]>) {
    match corners.len() {
        0..3 => {}
        // The common case, without any geometry.
        3 => triangles.push([0, 1, 2]),
        n => match flatten(corners) {
            Some(flat) if !is_convex(&flat) => clip_ears(&flat, triangles),
            _ => fan(&(0..n as u32).collect::<Vec<_>>(), triangles),
        },
    }
}

fn fan(ring: &[u32], triangles: &mut Vec<[u32; 3]>) {
    triangles.extend(ring[1..].windows(2).map(|edge| [ring[0], edge[0], edge[1]]));
}

/// The polygon in its plane (Newell's normal), counter-clockwise; `None` where it has no area.
fn flatten(corners: &[Vec3]) -> Option<Vec<DVec2>> {
    // Relative to a corner and in f64, because cross products of large coordinates cancel.
    let origin = corners[0].as_dvec3();
    let local: Vec<DVec3> = corners.iter().map(|c| c.as_dvec3() - origin).collect();
    let next = local.iter().cycle().skip(1);
    let normal: DVec3 = local.iter().zip(next).map(|(a, b)| a.cross(*b)).sum();
    let normal = normal.try_normalize()?;
    let (right, up) = normal.any_orthonormal_pair();
    Some(local.iter().map(|p| DVec2::new(p.dot(right), p.dot(up))).collect())
}

fn orientation(a: DVec2, b: DVec2, c: DVec2) -> f64 {
    (b - a).perp_dot(c - b)
}

/// Whether all corners turn left and the ring goes around once.
fn is_convex(flat: &[DVec2]) -> bool {
    let n = flat.len();
    let corner = |i: usize| (flat[i], flat[(i + 1) % n], flat[(i + 2) % n]);
    let mut around = 0.0;
    for i in 0..n {
        let (a, b, c) = corner(i);
        if orientation(a, b, c) < 0.0 {
            return false;
        }
        around += (b - a).angle_to(c - b);
    }
    // A pentagram also turns left everywhere, but goes around twice.
    around < 1.5 * std::f64::consts::TAU
}

/// [Ear clipping] with bounded work: beyond the budget, the rest becomes a fan.
///
/// [Ear clipping]: https://en.wikipedia.org/wiki/Polygon_triangulation#Ear_clipping_method
fn clip_ears(flat: &[DVec2], triangles: &mut Vec<[u32; 3]>) {
    let mut ring: Vec<u32> = (0..flat.len() as u32).collect();
    let mut budget = 256 * flat.len() + (1 << 16);
    let mut at = 0;
    let mut refused = 0;
    while ring.len() > 3 {
        let n = ring.len();
        // No ear in a full round means that the polygon intersects itself.
        if refused >= n || budget < n {
            break;
        }
        let (previous, here, next) = ((at + n - 1) % n, at % n, (at + 1) % n);
        budget -= n;
        if is_ear(flat, &ring, [previous, here, next]) {
            triangles.push([ring[previous], ring[here], ring[next]]);
            ring.remove(here);
            // The corner before may have become an ear.
            at = if here == 0 { 0 } else { here - 1 };
            refused = 0;
        } else {
            at = next;
            refused += 1;
        }
    }
    fan(&ring, triangles);
}

fn is_ear(flat: &[DVec2], ring: &[u32], ear: [usize; 3]) -> bool {
    let [a, b, c] = ear.map(|i| flat[ring[i] as usize]);
    if orientation(a, b, c) <= 0.0 {
        return false;
    }
    let inside = |p: DVec2| {
        (b - a).perp_dot(p - a) >= 0.0 && (c - b).perp_dot(p - b) >= 0.0 && (a - c).perp_dot(p - c) >= 0.0
    };
    ring.iter().enumerate().all(|(i, &v)| {
        let p = flat[v as usize];
        // Rings with bridges to holes visit a position twice: a copy of a corner does not block its ear.
        ear.contains(&i) || p == a || p == b || p == c || !inside(p)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(corners: &[Vec3]) -> (usize, f32) {
        let mut triangles = Vec::new();
        triangulate(corners, &mut triangles);
        let area = |t: &[u32; 3]| {
            let [a, b, c] = t.map(|i| corners[i as usize]);
            0.5 * (b - a).cross(c - a).z
        };
        assert!(triangles.iter().all(|t| area(t) >= 0.0), "a triangle is turned over");
        (triangles.len(), triangles.iter().map(area).sum())
    }

    #[test]
    fn convex_concave_and_degenerate_polygons_keep_their_area() {
        let ring =
            |points: &[(f32, f32)]| points.iter().map(|&(x, y)| Vec3::new(x, y, 0.0)).collect::<Vec<_>>();
        assert_eq!(area(&ring(&[(0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0)])), (2, 4.0));
        let arrow = [(0.0, 0.0), (2.0, 1.0), (0.0, 2.0), (0.5, 1.0)];
        assert_eq!(area(&ring(&arrow)), (2, 1.5));
        let comb = [(0.0, 0.0), (5.0, 0.0), (5.0, 3.0), (4.0, 1.0), (3.0, 3.0), (2.0, 1.0), (1.0, 3.0)];
        assert_eq!(area(&ring(&comb)).0, 5);
        assert_eq!(area(&[Vec3::ONE; 6]), (4, 0.0));
    }

    #[test]
    fn a_huge_concave_polygon_takes_bounded_time() {
        let star: Vec<Vec3> = (0..100_000)
            .map(|i| {
                let (angle, radius) = (i as f32 * 6.283e-5, if i % 2 == 0 { 1.0 } else { 0.2 });
                Vec3::new(angle.cos() * radius, angle.sin() * radius, 0.0)
            })
            .collect();
        let mut triangles = Vec::new();
        triangulate(&star, &mut triangles);
        assert_eq!(triangles.len(), star.len() - 2);
    }
}
