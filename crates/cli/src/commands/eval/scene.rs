//! `lexiform eval scene`: evaluate finding objects in scenes.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use glam::Vec3;
use lexiform_eval::{
    Cg3dClass, Cg3dReport, LabeledScene, PartReport, SceneEvalConfig, SceneInstance, SceneReport,
    SceneSummary, cg3d_s3dis, read_scene_layout, write_s3dis_room,
};
use lexiform_geometry::Scene;
use lexiform_shapes::{Room, RoomConfig, ScanConfig, categories};

use crate::error::{Outcome, UsageError};
use crate::models::ModelArg;
use crate::output::{self, Align};
use crate::progress::Progress;

/// First seed of the rooms that are evaluated.
const FIRST_SEED: u64 = 1000;

/// Evaluate finding objects in scenes: proposals, objects found by name, recognition with given masks, mIoU and AP
///
/// Scenes are generated rooms, rooms of S3DIS (folders with Annotations/*.txt), scenes of ScanNet (*_vh_clean_2.ply with segs.json and
/// aggregation.json) or of Replica (mesh_semantic.ply with info_semantic.json).
#[derive(Args)]
pub(crate) struct SceneArgs {
    /// Folders of labeled scenes
    #[arg(value_name = "FOLDER")]
    folders: Vec<PathBuf>,
    /// Generate N rooms of 8 to 20 objects instead
    #[arg(long, value_name = "N", conflicts_with = "folders", value_parser = clap::value_parser!(u32).range(1..=1000))]
    generated: Option<u32>,
    /// Generate scans of N points, with noise and hidden surfaces, instead of meshes
    #[arg(long, value_name = "N", requires = "generated", value_parser = clap::value_parser!(u32).range(1000..=20_000_000))]
    points: Option<u32>,
    /// Folder to write the generated rooms to: NAME.glb, or scans as NAME.ply and as rooms of S3DIS, NAME/Annotations/*.txt
    #[arg(long, value_name = "FOLDER", requires = "generated")]
    keep: Option<PathBuf>,
    /// Procedure: proposals, Lexiform's own, or cg3d-s3dis, that of CG3D's code: structure removed by its labels, k-means, and the
    /// segments above 0.85 of the best; or parts: named parts of N generated shapes, asked for by their names
    #[arg(long, value_enum, value_name = "NAME", default_value = "proposals", hide_possible_values = true)]
    protocol: Protocol,
    /// Embed each object from the 5 views of the scene that show most of it, with 3 crops of each, instead of alone
    #[arg(long)]
    scene_views: bool,
    #[command(flatten)]
    model: ModelArg,
    /// Print one JSON object with all results
    #[arg(long)]
    json: bool,
}

/// How objects are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Protocol {
    Proposals,
    #[value(name = "cg3d-s3dis")]
    Cg3dS3dis,
    Parts,
}

impl SceneArgs {
    /// Evaluates the model and prints the results.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        if self.protocol == Protocol::Parts {
            return self.run_parts();
        }
        let (scenes, labels) = self.scenes()?;
        if let Some(folder) = &self.keep {
            scenes.iter().try_for_each(|scene| keep(scene, folder))?;
        }
        let encoder = self.model.open()?;
        if self.protocol == Protocol::Cg3dS3dis {
            let report = cg3d_s3dis(&*encoder, &scenes)?;
            if self.json {
                output::json(&report)?
            } else {
                show_cg3d(&report)?
            }
            return Ok(Outcome::Done);
        }
        let bar = Progress::new(scenes.len());
        let config = SceneEvalConfig { labels, scene_views: self.scene_views };
        let report =
            lexiform_eval::scenes(&*encoder, &scenes, &config, &|done| bar.set_count(done, scenes.len()))?;
        drop(bar);
        if self.json {
            output::json(&report)?
        } else {
            show(&report)?
        }
        Ok(Outcome::Done)
    }

    /// Asks for the parts of generated shapes, whose meshes have the parts' names.
    fn run_parts(&self) -> anyhow::Result<Outcome> {
        let Some(count) = self.generated.filter(|_| self.points.is_none() && self.keep.is_none()) else {
            let text = "--protocol parts needs --generated N, without --points and --keep";
            return Err(UsageError(text.to_owned()).into());
        };
        let encoder = self.model.open()?;
        let shapes: Vec<LabeledScene> =
            (0..count as usize).map(|i| generated_shape(i, count as usize)).collect();
        let bar = Progress::new(shapes.len());
        let report =
            lexiform_eval::find_parts(&*encoder, &shapes, &|done| bar.set_count(done, shapes.len()))?;
        drop(bar);
        if self.json {
            output::json(&report)?
        } else {
            show_parts(&report)?
        }
        Ok(Outcome::Done)
    }

    fn scenes(&self) -> anyhow::Result<(Vec<LabeledScene>, Vec<String>)> {
        if let Some(count) = self.generated {
            let rooms = (0..u64::from(count)).map(|i| self.generated_room(FIRST_SEED + i));
            let labels = Room::labels().into_iter().map(str::to_owned).collect();
            return Ok((rooms.collect::<anyhow::Result<_>>()?, labels));
        }
        if self.folders.is_empty() {
            return Err(UsageError("no scenes: give folders or --generated N".to_owned()).into());
        }
        let mut scenes = Vec::new();
        for folder in &self.folders {
            scenes.extend(read_scene_layout(folder)?);
        }
        Ok((scenes, Vec::new()))
    }

    fn generated_room(&self, seed: u64) -> anyhow::Result<LabeledScene> {
        let room = Room::generate(&RoomConfig::of_seed(seed));
        let instances = room.instances.iter().map(|i| SceneInstance::new(i.label)).collect();
        let (scene, of_elements) = match self.points {
            Some(points) => {
                let scan =
                    room.scan(&ScanConfig { points: points as usize, seed, ..ScanConfig::default() })?;
                (Scene::from_cloud(scan.cloud), scan.instances)
            }
            None => (room.scene, room.triangle_instances),
        };
        Ok(LabeledScene { name: format!("room-{seed}"), scene, up: Vec3::Y, instances, of_elements })
    }
}

/// Shape `i` of `count`, which are spread over all categories; its instances are its parts.
fn generated_shape(i: usize, count: usize) -> LabeledScene {
    let all: Vec<_> = categories().iter().collect();
    let category = all[(i * all.len() / count.min(all.len())) % all.len()];
    let scene = category.generate(FIRST_SEED + i as u64).scene;
    let (mut instances, mut of_elements) = (Vec::new(), Vec::new());
    for mesh in &scene.meshes {
        let part = SceneInstance::new(mesh.name.as_deref().unwrap_or_default());
        let known = instances.iter().position(|other| *other == part);
        let number = known.unwrap_or_else(|| {
            instances.push(part);
            instances.len() - 1
        });
        of_elements.extend(std::iter::repeat_n(number as u32, mesh.faces().len()));
    }
    LabeledScene { name: category.name.to_owned(), scene, up: Vec3::Y, instances, of_elements }
}

/// Writes a scene, and its labels if it consists of points.
fn keep(scene: &LabeledScene, folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    // PLY has no materials.
    let extension = if scene.scene.n_faces() > 0 { "glb" } else { "ply" };
    lexiform_mesh_io::write(&folder.join(format!("{}.{extension}", scene.name)), &scene.scene)?;
    if scene.scene.n_faces() == 0 {
        write_s3dis_room(&folder.join(&scene.name), scene)?;
    }
    Ok(())
}

fn show(report: &SceneReport) -> std::io::Result<()> {
    let sum = |count: fn(&SceneSummary) -> usize| report.scenes.iter().map(count).sum::<usize>();
    let upright = report.scenes.iter().filter(|scene| scene.up_cosine > 0.98).count();
    let percent = |value: f64| format!("{:.1}", 100.0 * value);
    let rows = [
        ("scenes", report.scenes.len().to_string()),
        ("up axis found", format!("{upright} of {}", report.scenes.len())),
        ("objects", sum(|s| s.objects).to_string()),
        ("proposals", sum(|s| s.proposals).to_string()),
        ("recall of proposals, IoU ≥ 0.5, %", percent(report.proposal_recall())),
        ("found by name, top-1 %", percent(report.found_top_1())),
        ("found by name with given masks, top-1 %", percent(report.found_given_masks_top_1())),
        ("recognition with given masks, top-1 %", percent(report.recognition_top_1())),
        ("recognition with given masks, top-5 %", percent(report.recognition_top_5())),
        ("mIoU %", percent(report.semantic.mean_iou)),
        ("mAcc %", percent(report.semantic.mean_accuracy)),
        ("AP %", percent(report.instances.ap)),
        ("AP50 %", percent(report.instances.ap_50)),
        ("AP25 %", percent(report.instances.ap_25)),
    ];
    let rows: Vec<Vec<String>> = rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect();
    output::line(output::table(&[("metric", Align::Left), ("", Align::Right)], &rows))
}

fn show_parts(report: &PartReport) -> std::io::Result<()> {
    let percent = |value: f64| format!("{:.1}", 100.0 * value);
    let row = |name: &str, [found, chance]: [f64; 2]| vec![name.to_owned(), percent(found), percent(chance)];
    let limit = |name: &str, value| vec![name.to_owned(), percent(value), String::new()];
    let rows = [
        row("IoU of the first answer, %", [report.iou, report.chance_iou]),
        row("first answer with IoU ≥ 0.5, %", [report.found, report.chance_found]),
        row("AP of the surface, %", [report.ap, report.chance_ap]),
        limit("IoU of the best geometric part, %", report.best_iou),
        limit("IoU of the whole shape, %", report.whole_iou),
    ];
    output::note(format!("{} parts of {} shapes", report.queries, report.shapes));
    let columns = [("metric", Align::Left), ("", Align::Right), ("chance", Align::Right)];
    output::line(output::table(&columns, &rows))
}

fn show_cg3d(report: &Cg3dReport) -> std::io::Result<()> {
    let row = |class: &Cg3dClass| {
        vec![class.label.clone(), class.points.to_string(), format!("{:.1}", 100.0 * class.iou)]
    };
    let mut rows: Vec<Vec<String>> = report.classes.iter().map(row).collect();
    rows.push(vec!["mean".to_owned(), String::new(), format!("{:.1}", 100.0 * report.mean_iou)]);
    let columns = [("label", Align::Left), ("points", Align::Right), ("IoU %", Align::Right)];
    output::line(output::table(&columns, &rows))
}
