//! Benchmarks the processing of one shape: `bench_render [faces] [texture edge] [size]` renders twelve views of a bumpy
//! sphere, samples 10,000 points from it, and takes 512 of them by farthest point sampling.
#![expect(clippy::print_stdout, reason = "a benchmark reports on standard output")]

use std::time::Instant;

use lexiform_geometry::Rig;
use lexiform_geometry::neighbors::{farthest_point_sample, knn};
use lexiform_geometry::sample::sample_surface;
use lexiform_geometry::test_shapes::bumpy_sphere;
use lexiform_render::{RenderConfig, Renderer, render_views};
use rand::SeedableRng;
use rand::rngs::SmallRng;

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|a| a.parse().ok());
    let faces = numbers.next().unwrap_or(100_000);
    let edge = numbers.next().unwrap_or(1024) as u32;
    let size = numbers.next().unwrap_or(224) as u32;
    let scene = bumpy_sphere(faces, edge);
    let rig = Rig::zero123(12, 1);
    let config = RenderConfig { size, ..RenderConfig::default() };
    time(&format!("mip maps of {edge} px"), || Renderer::new(&scene));
    time(&format!("12 views, {size} px, {faces} triangles"), || render_views(&scene, &rig, &config));
    let sample = || sample_surface(&scene, 10_000, &mut SmallRng::seed_from_u64(1));
    time("sample 10k points", sample);
    let cloud = sample();
    time("farthest points 10k -> 512", || farthest_point_sample(cloud.positions(), 512, 0));
    time("32 nearest of 512", || knn(cloud.positions(), &cloud.positions()[..512], 32));
}

fn time<T>(what: &str, run: impl Fn() -> T) {
    let mut times: Vec<f64> = (0..15)
        .map(|_| {
            let start = Instant::now();
            std::hint::black_box(run());
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!("{{\"what\": \"{what}\", \"milliseconds\": {:.3}}}", times[7]);
}
