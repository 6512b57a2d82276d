//! Times the renderer: `bench_render [faces] [texture edge] [size]`, twelve views of a bumpy sphere.

use std::time::Instant;

use lexiform_geometry::Rig;
use lexiform_geometry::render::{RenderConfig, render_views};
use lexiform_geometry::shapes::bumpy_sphere;

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|a| a.parse().ok());
    let faces = numbers.next().unwrap_or(100_000);
    let edge = numbers.next().unwrap_or(1024) as u32;
    let size = numbers.next().unwrap_or(224) as u32;
    let scene = bumpy_sphere(faces, edge);
    let rig = Rig::zero123(12, 1);
    let config = RenderConfig { size, ..RenderConfig::default() };
    let mut times: Vec<f64> = (0..15)
        .map(|_| {
            let start = Instant::now();
            let views = render_views(&scene, &rig, &config);
            let time = start.elapsed().as_secs_f64() * 1e3;
            assert_eq!(views.images.len(), 12);
            time
        })
        .collect();
    times.sort_by(f64::total_cmp);
    #[expect(clippy::print_stdout, reason = "a program for people")]
    {
        println!(
            "{} triangles, 12 views of {size}²: best {:.1} ms, median {:.1} ms",
            scene.n_faces(),
            times[0],
            times[7]
        );
    }
}
