//! Deformations of solids: taper, shear, twist, bend, displacement.

use glam::{Vec3, vec3};

use super::{Rng, Solid};

impl Solid {
    /// Scales width and depth linearly along y, up to a factor of `top`.
    pub fn taper_y(self, top: f32) -> Self {
        let (low, high) = self.bounds();
        self.map(|p| {
            let factor = 1.0 + (top - 1.0) * fraction(p.y, low.y, high.y);
            vec3(p.x * factor, p.y, p.z * factor)
        })
    }

    /// Scales x and z by a function of the relative height, from 0 at the bottom to 1 at the top.
    pub fn profile_y(self, width: impl Fn(f32) -> f32) -> Self {
        let (low, high) = self.bounds();
        self.map(|p| {
            let factor = width(fraction(p.y, low.y, high.y));
            vec3(p.x * factor, p.y, p.z * factor)
        })
    }

    /// Shears: the top moves by `(dx, dz)`.
    pub fn shear_y(self, dx: f32, dz: f32) -> Self {
        let (low, high) = self.bounds();
        self.map(|p| {
            let t = fraction(p.y, low.y, high.y);
            vec3(p.x + dx * t, p.y, p.z + dz * t)
        })
    }

    /// Twists about y by an angle that grows along y up to `angle`.
    pub fn twist_y(self, angle: f32) -> Self {
        let (low, high) = self.bounds();
        self.map(|p| {
            let (sin, cos) = (angle * fraction(p.y, low.y, high.y)).sin_cos();
            vec3(p.x * cos + p.z * sin, p.y, p.z * cos - p.x * sin)
        })
    }

    /// Bends an upright solid into an arc toward +Z whose end is inclined by `angle`. The bottom stays. Needs intermediate vertices
    /// along y.
    pub fn bend_z(self, angle: f32) -> Self {
        let (low, high) = self.bounds();
        let length = high.y - low.y;
        if angle.abs() < 1e-4 || length <= 0.0 {
            return self;
        }
        let radius = length / angle;
        self.map(|p| {
            let (sin, cos) = ((p.y - low.y) / radius).sin_cos();
            let arm = radius - p.z;
            vec3(p.x, low.y + arm * sin, radius - arm * cos)
        })
    }

    /// Bends toward +X.
    pub fn bend_x(self, angle: f32) -> Self {
        self.rot_y(-std::f32::consts::FRAC_PI_2).bend_z(angle).rot_y(std::f32::consts::FRAC_PI_2)
    }

    /// Displaces vertices by up to `amount` along each axis. Vertices at equal positions stay together.
    pub fn displaced(self, amount: f32, rng: &mut Rng) -> Self {
        let seed = rand::RngCore::next_u64(rng);
        self.map(|p| p + amount * hash_noise(p, seed))
    }

    /// Splits every triangle into four.
    pub fn subdivided(self) -> Self {
        let mut fine = Self { positions: Vec::with_capacity(self.faces.len() * 6), ..Self::default() };
        fine.shading = self.shading;
        for face in &self.faces {
            let [a, b, c] = face.map(|v| self.positions[v as usize]);
            let first = fine.positions.len();
            fine.positions.extend([a, b, c, (a + b) * 0.5, (b + c) * 0.5, (c + a) * 0.5]);
            for [i, j, k] in [[0, 3, 5], [3, 1, 4], [5, 4, 2], [3, 4, 5]] {
                fine.tri(first + i, first + j, first + k);
            }
        }
        fine
    }
}

/// Noise in the cube `−1..1` as a function of position and seed: seams between unshared vertices stay closed.
pub fn hash_noise(position: Vec3, seed: u64) -> Vec3 {
    // Rounded to 0.1 mm: equal positions may differ in the last bits.
    let cell = (position * 1e4).round();
    let key = [cell.x, cell.y, cell.z]
        .iter()
        .fold(seed, |h, &c| (h ^ (c as i64) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29));
    let mut rng = Rng::new(key);
    vec3(rng.between(-1.0, 1.0), rng.between(-1.0, 1.0), rng.between(-1.0, 1.0))
}

fn fraction(value: f32, low: f32, high: f32) -> f32 {
    if high > low { (value - low) / (high - low) } else { 0.0 }
}
