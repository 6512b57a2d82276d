//! The vertex element of a PLY file, with the various names of its properties.

use glam::{DVec3, Vec2, Vec3, Vec4};

use super::header::Element;
use super::values::{Values, truncated_error};
use crate::{
    ReadError,
    builder::{PointCloudBuilder, pluralize},
    color,
    source::Source,
};

/// The zeroth spherical harmonic: splats store color as (color − 0.5) divided by it ([Kerbl et al. 2023]).
///
/// [Kerbl et al. 2023]: https://arxiv.org/abs/2308.04079
const SH_0: f32 = 0.282_094_79;
/// Splats with a lower opacity are haze around the shape.
const MIN_SPLAT_OPACITY: f32 = 0.1;

/// Roles of properties: indices into the slots of a row.
const POSITION: usize = 0;
const NORMAL: usize = 3;
const COLOR: usize = 6;
const UV: usize = 10;
const SPLAT_COLOR: usize = 12;
const SPLAT_OPACITY: usize = 15;
const ROLES: usize = 16;

fn role(name: &str) -> Option<usize> {
    Some(match name {
        "x" | "X" | "pos_x" | "position_x" => POSITION,
        "y" | "Y" | "pos_y" | "position_y" => POSITION + 1,
        "z" | "Z" | "pos_z" | "position_z" => POSITION + 2,
        "nx" | "normal_x" | "NX" => NORMAL,
        "ny" | "normal_y" | "NY" => NORMAL + 1,
        "nz" | "normal_z" | "NZ" => NORMAL + 2,
        "red" | "r" | "diffuse_red" | "Red" | "R" => COLOR,
        "green" | "g" | "diffuse_green" | "Green" | "G" => COLOR + 1,
        "blue" | "b" | "diffuse_blue" | "Blue" | "B" => COLOR + 2,
        "alpha" | "a" | "diffuse_alpha" | "Alpha" => COLOR + 3,
        "s" | "u" | "texture_u" | "texture_s" | "tex_u" => UV,
        "t" | "v" | "texture_v" | "texture_t" | "tex_v" => UV + 1,
        "f_dc_0" => SPLAT_COLOR,
        "f_dc_1" => SPLAT_COLOR + 1,
        "f_dc_2" => SPLAT_COLOR + 2,
        "opacity" => SPLAT_OPACITY,
        _ => return None,
    })
}

/// Whether an element holds the vertices or points.
pub(super) fn is_element(element: &Element) -> bool {
    matches!(element.name.as_str(), "vertex" | "vertices" | "point" | "points")
}

/// Vertices as read; lists are empty or as long as `positions`.
#[derive(Default)]
pub(super) struct Vertices {
    pub positions: Vec<DVec3>,
    pub normals: Vec<Vec3>,
    pub uvs: Vec<Vec2>,
    /// Display RGBA; floats may still be in bytes.
    colors: Vec<Vec4>,
    has_alpha: bool,
    /// Opacity before the sigmoid.
    opacities: Vec<f32>,
}

impl Vertices {
    /// Reads the table.
    pub fn read(&mut self, source: &Source, element: &Element, values: &mut Values) -> Result<(), ReadError> {
        let count = source.check_vertices(element.count)?;
        let roles: Vec<Option<usize>> =
            element.properties.iter().map(|p| if p.list.is_some() { None } else { role(&p.name) }).collect();
        let has = |first: usize, n: usize| (first..first + n).all(|r| roles.contains(&Some(r)));
        if !has(POSITION, 3) && count > 0 {
            return Err(source.invalid(format!("element \"{}\" has no properties x, y and z", element.name)));
        }
        let splat = has(SPLAT_COLOR, 3);
        *self = Self { has_alpha: has(COLOR + 3, 1), ..Self::default() };
        let (normals, colors, uvs, opacities) =
            (has(NORMAL, 3), has(COLOR, 3), has(UV, 2), has(SPLAT_OPACITY, 1));
        for row in 0..element.count {
            let mut slots = [0.0; ROLES];
            // Opaque unless the file has alphas.
            slots[COLOR + 3] = 1.0;
            for (property, role) in element.properties.iter().zip(&roles) {
                let length =
                    values.length(property.list).ok_or_else(|| truncated_error(source, element, row))?;
                for _ in 0..length {
                    let value =
                        values.next(property.scalar).ok_or_else(|| truncated_error(source, element, row))?;
                    match role {
                        Some(r) if (COLOR..UV).contains(r) => {
                            slots[*r] = property.scalar.normalized_channel(value)
                        }
                        Some(r) => slots[*r] = value,
                        None => {}
                    }
                }
            }
            values.end_row();
            let vec3 = |at: usize| Vec3::new(slots[at] as f32, slots[at + 1] as f32, slots[at + 2] as f32);
            self.positions.push(DVec3::new(slots[0], slots[1], slots[2]));
            if normals {
                self.normals.push(vec3(NORMAL));
            }
            if splat {
                self.colors.push((vec3(SPLAT_COLOR) * SH_0 + 0.5).clamp(Vec3::ZERO, Vec3::ONE).extend(1.0));
            } else if colors {
                self.colors.push(vec3(COLOR).extend(slots[COLOR + 3] as f32));
            }
            if uvs {
                self.uvs.push(Vec2::new(slots[UV] as f32, 1.0 - slots[UV + 1] as f32));
            }
            if splat && opacities {
                self.opacities.push(slots[SPLAT_OPACITY] as f32);
            }
        }
        Ok(())
    }

    /// Linear RGBA. Floats above 1 are bytes.
    pub fn linear_colors(&self) -> Option<Vec<Vec4>> {
        let largest = self.colors.iter().map(|c| c.truncate().max_element()).reduce(f32::max)?;
        let scale = color::full_scale(f64::from(largest)) as f32;
        // Some scanners leave all alphas at zero, which then has no meaning.
        let opaque = !self.has_alpha || self.colors.iter().all(|c| c.w <= 0.0);
        let alpha = |w: f32| if opaque { 1.0 } else { w / scale };
        Some(
            self.colors
                .iter()
                .map(|c| color::from_unit_alpha((c.truncate() / scale).extend(alpha(c.w))))
                .collect(),
        )
    }

    /// The vertices as points; faint splats are left out.
    pub fn into_cloud(self, notes: &mut Vec<String>) -> PointCloudBuilder {
        let colors = self.linear_colors().unwrap_or_default();
        let solid =
            |i: usize| self.opacities.get(i).is_none_or(|o| 1.0 / (1.0 + (-o).exp()) >= MIN_SPLAT_OPACITY);
        let kept = (0..self.positions.len()).filter(|&i| solid(i)).count();
        let mut builder = PointCloudBuilder {
            positions: self.positions.clone(),
            colors: colors.iter().map(|c| c.truncate()).collect(),
            // Splats have normals that are all zero.
            normals: if self.normals.iter().any(|n| *n != Vec3::ZERO) {
                self.normals.clone()
            } else {
                Vec::new()
            },
        };
        if !self.opacities.is_empty() {
            notes.push("Gaussian splats: their centers are read as points".to_owned());
        }
        // If all are faint, dropping them would leave nothing.
        if kept < self.positions.len() && kept > 0 {
            notes.push(format!(
                "dropped {} that can hardly be seen",
                pluralize(self.positions.len() - kept, "splat")
            ));
            builder.retain(solid);
        }
        builder
    }
}
