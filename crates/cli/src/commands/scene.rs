//! `lexiform scene`: objects in a scene by text.

use std::path::{Path, PathBuf};

use clap::Args;
use lexiform_geometry::Scene;
use lexiform_mesh_io::{UpAxis, UpRule};
use lexiform_search::{
    ANSWER_COLORS, ElementKind, Encoder, SceneAnswer, SceneFile, SceneIndex, SegmentConfig, paint,
    similarity_in_words,
};
use lexiform_segment::superpoints::{SuperpointConfig, mesh_superpoints};
use lexiform_server::{PageAnswer, scene_page};
use serde::Serialize;

use crate::error::Outcome;
use crate::models::ModelArg;
use crate::output::{self, Align};
use crate::output_file::{ForceArg, OutputFile};
use crate::progress::Progress;
use crate::scene_file::{not_found, read_scene};

/// Formats that hold colors of triangles and points.
const EXTENSIONS: [&str; 5] = ["ply", "glb", "pcd", "xyz", "obj"];

/// Find objects in a scan of a room by text
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SceneArgs {
    /// 3D file of a scene: a mesh, or a point cloud of up to 10 million points
    file: PathBuf,
    /// What to find
    #[arg(long, value_name = "TEXT", required_unless_present = "segments")]
    find: Option<String>,
    /// Find parts of one shape instead of objects in a scene: "handle" in a mug. Experimental: nano knows few words for parts
    #[arg(long, requires = "find", conflicts_with = "segments")]
    parts: bool,
    /// Number of answers
    #[arg(short, value_name = "N", default_value_t = 5)]
    k: usize,
    #[command(flatten)]
    model: ModelArg,
    /// Up axis of the scene: y, z or x, or format for what the file states [default: found from the planes of the scene]
    #[arg(long, value_name = "AXIS")]
    up: Option<UpRule>,
    /// File to write: the scene in gray with the answers in colors, .ply, .glb, .pcd, .xyz or .obj
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Web page to write: the scene turning, with the answers in colors; needs no server
    #[arg(long, value_name = "FILE.html")]
    page: Option<PathBuf>,
    /// File to write: the superpoints of a mesh as ScanNet's Segmentator writes them, for tools that need segs.json
    #[arg(long, value_name = "FILE.json")]
    segments: Option<PathBuf>,
    /// Index the scene again, although it has not changed
    #[arg(long)]
    rebuild: bool,
    /// Add the numbers of each answer's points or triangles to --json, as pairs of first number and count
    #[arg(long, requires = "json")]
    masks: bool,
    /// Print one JSON object per answer
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    force: ForceArg,
}

const EXAMPLES: &str = "\
Examples:
  lexiform scene room.ply --find \"a chair\"
  lexiform scene scan.las --find \"a red sofa\" -k 3 -o found.ply --page found.html
  lexiform scene mug.glb --find handle --parts -o handle.glb
  lexiform scene scene0000_00_vh_clean_2.ply --segments scene0000_00_vh_clean_2.0.010000.segs.json

The scene is indexed when it is first searched, and the index kept next to it in .lexiform/scenes.";

/// An answer as a line of JSON. Coordinates are those of the file, turned to +Y up by its format or by --up.
#[derive(Serialize)]
struct AnswerLine<'a> {
    rank: usize,
    score: f32,
    objectness: f32,
    min: [f32; 3],
    max: [f32; 3],
    elements: ElementKind,
    count: usize,
    up: [f32; 3],
    #[serde(skip_serializing_if = "Option::is_none")]
    mask: Option<&'a [[u32; 2]]>,
}

/// ScanNet's `segs.json`.
#[derive(Serialize)]
struct Segments {
    params: SuperpointConfig,
    #[serde(rename = "sceneId")]
    scene_id: String,
    #[serde(rename = "segIndices")]
    of_vertices: Vec<u32>,
}

impl SceneArgs {
    /// Reads or builds the index of the scene, and shows the answers.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        if !self.file.exists() {
            return Err(not_found(&self.file));
        }
        if let Some(path) = &self.segments {
            self.write_segments(path)?;
        }
        let Some(text) = &self.find else { return Ok(Outcome::Done) };
        let outputs = self.outputs()?;
        let encoder = self.model.open_args.for_answers().open(self.model.name(), None)?;
        let mut scene = None;
        let index = self.index(&*encoder, &mut scene)?;
        let answers = match self.parts {
            true => index.find_parts(&*encoder, text, self.k)?,
            false => index.find(&*encoder, text, self.k)?,
        };
        self.show(&*encoder, &index, &answers)?;
        if outputs.iter().any(Option::is_some) {
            let scene = match scene {
                Some(scene) => scene,
                None => self.read()?,
            };
            let title = format!("“{text}” in {}", file_name(&self.file));
            self.write(&outputs, &title, &paint(&scene, &index, &answers), &index, &answers)?;
        }
        Ok(if answers.is_empty() { Outcome::Failed } else { Outcome::Done })
    }

    /// The colored scene and the page, checked before any work.
    fn outputs(&self) -> anyhow::Result<[Option<OutputFile>; 2]> {
        let check = |path: &Option<PathBuf>, extensions: &[&str]| {
            path.as_ref().map(|path| self.force.file(path, extensions, &[&self.file])).transpose()
        };
        Ok([check(&self.output, &EXTENSIONS)?, check(&self.page, &["html"])?])
    }

    /// The index, from its file if the scene is unchanged. `scene` is filled if the scene is read.
    fn index(&self, encoder: &dyn Encoder, scene: &mut Option<Scene>) -> anyhow::Result<SceneIndex> {
        let file = match self.parts {
            true => SceneFile::for_parts(&self.file, encoder, self.up.unwrap_or_default())?,
            false => SceneFile::for_model(&self.file, encoder, self.up)?,
        };
        if let Some(index) = file.read().filter(|_| !self.rebuild) {
            return Ok(index);
        }
        let scene = scene.insert(self.read()?);
        let given = self.up.map(|_| glam::Vec3::Y);
        let config = SegmentConfig { up: given, ..SegmentConfig::default() };
        let bar = Progress::new(0);
        let progress = |done, all| bar.set_count(done, all);
        let index = match self.parts {
            true => SceneIndex::build_parts(encoder, scene, &progress)?,
            false => SceneIndex::build(encoder, scene, &config, &progress)?,
        };
        drop(bar);
        if let Err(error) = file.write(&index) {
            output::note(output::single_line(&format!("note: cannot keep the index of the scene: {error}")));
        }
        Ok(index)
    }

    /// Superpoints of the vertices, in the order and with the coordinates of the file.
    fn write_segments(&self, path: &Path) -> anyhow::Result<()> {
        let file = self.force.file(path, &["json"], &[&self.file])?;
        let scene = read_scene(&self.file, UpRule::Axis(UpAxis::Y))?;
        let [mesh] = &scene.meshes[..] else {
            let found = output::quantity(scene.meshes.len(), "mesh").replace("meshs", "meshes");
            anyhow::bail!("{}: expected one mesh for --segments, found {found}", self.file.display());
        };
        let config = SuperpointConfig::default();
        let segments = Segments {
            params: config,
            scene_id: self.file.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            of_vertices: mesh_superpoints(mesh.positions(), mesh.faces(), &config),
        };
        file.write(&serde_json::to_vec(&segments)?)?;
        output::note(format!("wrote {}", path.display()));
        Ok(())
    }

    fn read(&self) -> anyhow::Result<Scene> {
        let scene = read_scene(&self.file, self.up.unwrap_or_default())?;
        anyhow::ensure!(!scene.is_empty(), "{}: no triangles and no points", self.file.display());
        Ok(scene)
    }

    fn show(&self, encoder: &dyn Encoder, index: &SceneIndex, answers: &[SceneAnswer]) -> anyhow::Result<()> {
        if self.json {
            return answers.iter().enumerate().try_for_each(|(i, answer)| {
                let object = &index.objects[answer.object];
                let mask = runs(&object.elements);
                output::json(&AnswerLine {
                    rank: i + 1,
                    score: answer.score,
                    objectness: object.objectness,
                    min: object.bounds.min.to_array(),
                    max: object.bounds.max.to_array(),
                    elements: index.kind,
                    count: object.elements.len(),
                    up: index.up.to_array(),
                    mask: self.masks.then_some(&mask[..]),
                })
            });
        }
        if answers.is_empty() {
            output::note(format!(
                "no {} found in {}",
                if self.parts { "parts" } else { "objects" },
                self.file.display()
            ));
            return Ok(());
        }
        let row = |(i, answer): (usize, &SceneAnswer)| {
            let object = &index.objects[answer.object];
            let [center, size] = [object.bounds.center(), object.bounds.extents()]
                .map(|v| format!("{:.2} {:.2} {:.2}", v.x, v.y, v.z));
            let words = similarity_in_words(answer.score, encoder.id()).unwrap_or("");
            let count = format!("{} {}", object.elements.len(), index.kind.name());
            vec![(i + 1).to_string(), format!("{:.3}", answer.score), center, size, count, words.to_owned()]
        };
        let rows: Vec<_> = answers.iter().enumerate().map(row).collect();
        let columns = [
            ("rank", Align::Right),
            ("score", Align::Right),
            ("center (x y z)", Align::Left),
            ("size", Align::Left),
            ("holds", Align::Left),
            ("", Align::Left),
        ];
        Ok(output::line(output::table(&columns, &rows))?)
    }

    fn write(
        &self,
        [colored, page]: &[Option<OutputFile>; 2],
        title: &str,
        painted: &Scene,
        index: &SceneIndex,
        answers: &[SceneAnswer],
    ) -> anyhow::Result<()> {
        if let (Some(file), Some(path)) = (colored, &self.output) {
            lexiform_mesh_io::write(file.replaceable()?, painted)?;
            output::note(format!("wrote {}", path.display()));
        }
        if let (Some(file), Some(path)) = (page, &self.page) {
            let answer = |(i, answer): (usize, &SceneAnswer)| {
                let size = index.objects[answer.object].bounds.extents();
                PageAnswer {
                    color: ANSWER_COLORS[i.min(ANSWER_COLORS.len() - 1)],
                    label: format!("{:.3} · {:.2} × {:.2} × {:.2}", answer.score, size.x, size.y, size.z),
                }
            };
            let listed: Vec<PageAnswer> = answers.iter().enumerate().map(answer).collect();
            file.write(scene_page(painted, index.up, title, &listed)?.as_bytes())?;
            output::note(format!("wrote {}", path.display()));
        }
        Ok(())
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Ascending numbers as pairs of first number and count.
fn runs(elements: &[u32]) -> Vec<[u32; 2]> {
    let consecutive = elements.chunk_by(|a, b| a + 1 == *b);
    consecutive.map(|run| [run[0], run.len() as u32]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_are_runs() {
        assert_eq!(runs(&[1, 2, 3, 7, 9, 10]), [[1, 3], [7, 1], [9, 2]]);
        assert!(runs(&[]).is_empty());
    }
}
