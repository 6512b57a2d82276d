//! `lexiform sample`: points on the surface of a 3D file.

use std::path::PathBuf;

use clap::Args;
use lexiform_geometry::Scene;
use lexiform_geometry::sample::sample_surface;
use rand::SeedableRng as _;
use rand::rngs::SmallRng;

use crate::error::Outcome;
use crate::output;
use crate::output_file::ForceArg;
use crate::scene_file::read_scene;
use crate::up_axis::UpArg;

/// File name extensions of formats that hold points.
const EXTENSIONS: [&str; 6] = ["ply", "pcd", "xyz", "npy", "glb", "obj"];

/// Sample points on the surface of a 3D file
#[derive(Args)]
pub(crate) struct SampleArgs {
    /// 3D file
    file: PathBuf,
    /// Number of points
    #[arg(short, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=20_000_000))]
    n: u32,
    /// File to write: .ply, .xyz, .npy, .glb or .obj, +Y up; or .pcd, +Z up
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Seed of the points
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    up_arg: UpArg,
    #[command(flatten)]
    force: ForceArg,
}

impl SampleArgs {
    /// Reads the file, samples points and writes them.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let output = self.force.file(&self.output, &EXTENSIONS, &[&self.file])?;
        let path = output.replaceable()?;
        let scene = read_scene(&self.file, self.up_arg.rule())?;
        let mut rng = SmallRng::seed_from_u64(self.seed);
        let cloud = sample_surface(&scene, self.n as usize, &mut rng);
        lexiform_mesh_io::write(path, &Scene::from_cloud(cloud))?;
        output::note(format!(
            "wrote {} to {}",
            output::quantity(self.n as usize, "point"),
            self.output.display()
        ));
        Ok(Outcome::Done)
    }
}
