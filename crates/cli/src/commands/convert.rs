//! `lexiform convert`: 3D files in another format.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use glam::{Affine3A, Vec3};
use lexiform_geometry::Scene;
use lexiform_mesh_io::Format;

use crate::error::{Outcome, UsageError};
use crate::output;
use crate::output_file::ForceArg;
use crate::scene_file::read_scene_with_format;
use crate::up_axis::UpArg;

/// File name extensions of formats that hold triangles.
const EXTENSIONS: [&str; 5] = ["glb", "obj", "ply", "stl", "3mf"];
/// What formats for printing without a unit are in.
const MILLIMETERS_PER_METER: f32 = 1000.0;

/// Convert 3D files to another format
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ConvertArgs {
    /// 3D files, then the file to write (.glb, .obj, .ply, .stl or .3mf), or a folder for several
    #[arg(required = true, num_args = 2.., value_name = "FILE... OUTPUT")]
    paths: Vec<PathBuf>,
    /// Format of files in a folder [default: glb]
    #[arg(long, value_enum, value_name = "FORMAT")]
    to: Option<OutputFormat>,
    #[command(flatten)]
    up_arg: UpArg,
    #[command(flatten)]
    force: ForceArg,
}

const EXAMPLES: &str = "\
Examples:
  lexiform convert chair.fbx chair.glb
  lexiform convert *.stl parts/ --to 3mf";

/// A format that is written.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum OutputFormat {
    Glb,
    Obj,
    Ply,
    Stl,
    #[value(name = "3mf")]
    ThreeMf,
}

impl OutputFormat {
    fn extension(self) -> &'static str {
        match self {
            Self::Glb => "glb",
            Self::Obj => "obj",
            Self::Ply => "ply",
            Self::Stl => "stl",
            Self::ThreeMf => "3mf",
        }
    }
}

impl ConvertArgs {
    /// Reads each file and writes it again.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let Some((output, inputs)) = self.paths.split_last() else {
            return Err(UsageError("expected files and an output".to_owned()).into());
        };
        let is_file = output.extension().is_some() && !output.is_dir();
        match inputs {
            [input] if is_file => {
                if self.to.is_some() {
                    return Err(
                        UsageError("--to: expected a folder as output, found a file".to_owned()).into()
                    );
                }
                self.convert(input, output, inputs)?;
                output::note(format!("wrote {}", output.display()));
                Ok(Outcome::Done)
            }
            _ if is_file => {
                let text = format!("{}: expected a folder for several files", output.display());
                Err(UsageError(text).into())
            }
            _ => self.convert_all(inputs, output),
        }
    }

    /// Converts each file into a folder. One that fails is reported, and the others are converted.
    fn convert_all(&self, inputs: &[PathBuf], folder: &Path) -> anyhow::Result<Outcome> {
        std::fs::create_dir_all(folder)?;
        let extension = self.to.unwrap_or(OutputFormat::Glb).extension();
        let (mut written, mut failed, mut names) = (0, 0, HashSet::new());
        for input in inputs {
            let stem = input.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            // Two files of one name in different formats are both kept.
            let unique = std::iter::once(stem.clone()).chain((2..).map(|n| format!("{stem}-{n}")));
            let name = unique.into_iter().find(|name| names.insert(name.clone())).unwrap_or(stem);
            match self.convert(input, &folder.join(format!("{name}.{extension}")), inputs) {
                Ok(()) => written += 1,
                Err(error) => {
                    failed += 1;
                    output::note(output::single_line(&format!("error: {error:#}")));
                }
            }
        }
        let files = output::quantity(written, "file");
        output::note(format!("wrote {files} to {}", folder.display()));
        Ok(if failed > 0 { Outcome::Failed } else { Outcome::Done })
    }

    /// Converts one file; none of `inputs` is overwritten.
    fn convert(&self, input: &Path, output: &Path, inputs: &[PathBuf]) -> anyhow::Result<()> {
        let inputs: Vec<&Path> = inputs.iter().map(PathBuf::as_path).collect();
        let file = self.force.file(output, &EXTENSIONS, &inputs)?;
        let path = file.replaceable()?;
        let (scene, format) = read_scene_with_format(input, self.up_arg.rule())?;
        for sidecar in lexiform_mesh_io::written_sidecars(path, &scene) {
            self.force.along_with(path).file(&sidecar, &["mtl", "png"], &inputs)?;
        }
        lexiform_mesh_io::write(path, &rescaled(scene, format, output))?;
        Ok(())
    }
}

/// Scenes of formats with a unit are in meters; STL is in millimeters by practice, and so is what becomes 3MF.
fn rescaled(scene: Scene, format: Format, output: &Path) -> Scene {
    let has_unit = format.has_unit();
    let scale = match Format::from_path(output) {
        Some(Format::Stl) if has_unit => MILLIMETERS_PER_METER,
        Some(Format::ThreeMf) if !has_unit => 1.0 / MILLIMETERS_PER_METER,
        _ => return scene,
    };
    scene.transformed(Affine3A::from_scale(Vec3::splat(scale)))
}
