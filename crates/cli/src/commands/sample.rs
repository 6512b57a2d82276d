//! `lexiform sample`: points on the surface of a 3D file.

use std::path::PathBuf;

use clap::Args;
use lexiform_geometry::Scene;
use lexiform_geometry::sample::sample_surface;
use rand::SeedableRng as _;
use rand::rngs::SmallRng;

use crate::failure::Verdict;
use crate::output;
use crate::reading::read_scene;

/// Sample points on the surface of a 3D file
#[derive(Args)]
pub struct SampleArgs {
    /// 3D file
    file: PathBuf,
    /// Number of points
    #[arg(short, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=20_000_000))]
    n: u32,
    /// File to write: .ply, or another format of points
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Chooses the points
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

impl SampleArgs {
    /// Reads, samples and writes.
    pub fn run(self) -> anyhow::Result<Verdict> {
        let scene = read_scene(&self.file)?;
        let mut rng = SmallRng::seed_from_u64(self.seed);
        let cloud = sample_surface(&scene, self.n as usize, &mut rng);
        lexiform_mesh_io::write(&self.output, &Scene::from_cloud(cloud))?;
        output::note(format!(
            "wrote {} to {}",
            output::count(self.n as usize, "point"),
            self.output.display()
        ));
        Ok(Verdict::Done)
    }
}
