//! Draws specimens of categories, one row each, to look at: `contact_sheet OUT.png COUNT NAME[,NAME…]`.
//! A path instead of a name draws that file. `all` draws every category.

use std::path::Path;

use anyhow::{Context as _, Result};
use glam::{Vec3, vec3};
use lexiform_geometry::{Camera, Scene, normalize};
use lexiform_render::{RenderConfig, render};
use lexiform_shapes::{categories, category};

const CELL: u32 = 128;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let out = arguments.next().context("no output file")?;
    let count: u32 = arguments.next().context("no count")?.parse()?;
    let names = arguments.next().context("no names")?;
    let names: Vec<String> = if names == "all" {
        categories().iter().map(|c| c.name.to_owned()).collect()
    } else {
        names.split(',').map(str::to_owned).collect()
    };
    let per_line = (12 / count).max(1);
    let lines = (names.len() as u32).div_ceil(per_line);
    let mut sheet = image::RgbaImage::new(per_line * count * CELL, lines * CELL);
    for (row, name) in (0..).zip(&names) {
        for seed in 0..count {
            let scene = match category(name) {
                Some(category) => category.generate(u64::from(seed) + 1).scene,
                None => lexiform_mesh_io::read(Path::new(name)).with_context(|| name.clone())?,
            };
            let cell = draw(scene, seed);
            let (x, y) = ((row % per_line * count + seed) * CELL, row / per_line * CELL);
            image::imageops::replace(&mut sheet, &cell, i64::from(x), i64::from(y));
        }
    }
    Ok(sheet.save(out)?)
}

fn draw(scene: Scene, seed: u32) -> image::RgbaImage {
    let (scene, _) = normalize::normalize_unit_sphere(scene, normalize::Center::Bounds);
    let yaw = [0.6_f32, -0.7, 0.2, 2.4, 1.2, -0.4, 3.5, -1.3][seed as usize % 8];
    let pitch = [0.35_f32, 0.3, 0.45, 0.3, 0.2, 0.6, 0.35, 0.4][seed as usize % 8];
    let eye = vec3(yaw.sin() * pitch.cos(), pitch.sin(), yaw.cos() * pitch.cos()) * 2.6;
    let camera = Camera::look_at(eye, Vec3::ZERO, 47_f32.to_radians());
    render(&scene, &camera, &RenderConfig { size: CELL, ..RenderConfig::default() })
}
