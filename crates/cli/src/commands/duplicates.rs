//! `lexiform duplicates`: files that hold the same shape, in any format, scale, position and orientation.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Args;
use lexiform_geometry::Camera;
use lexiform_geometry::normalize::{Center, normalize_unit_sphere};
use lexiform_mesh_io::{ReadOptions, UpRule, read_with};
use lexiform_render::SheetCell;
use lexiform_render::{RenderConfig, render};
use lexiform_search::{
    Duplicate, DuplicateGroup, DuplicateOptions, DuplicateRelation, LibraryPath, find_duplicates,
    library_files,
};
use serde::Serialize;

use crate::display_path::PathDisplay;
use crate::error::{Outcome, WithHint as _};
use crate::indexing;
use crate::jobs::JobsArg;
use crate::output;
use crate::output_file::{ForceArg, OutputFile};
use crate::progress::Progress;
use crate::scene_file::not_found;
use crate::sheet_labels::{sheet_labels, slashed};
use crate::up_axis::UpArg;

/// Find files that hold the same shape: copies, other formats, scaled, rotated, mirrored, simplified or recolored
///
/// Surfaces are aligned and compared; position, scale, orientation, triangulation and colors do not matter. If the folder has
/// a library, shape signatures are cached there.
#[derive(Args)]
pub(crate) struct DuplicatesArgs {
    /// Folder of 3D files, or library made by `lexiform index`
    #[arg(value_name = "FOLDER|LIBRARY")]
    target: PathBuf,
    /// Largest distance between the surfaces of near duplicates, in percent of the diameter; 0 reports exact and mirrored
    /// duplicates only
    #[arg(long, value_name = "PERCENT", default_value_t = 0.6, value_parser = parse_threshold)]
    threshold: f32,
    /// Write thumbnails of the groups as one image
    #[arg(long, value_name = "OUT.png")]
    sheet: Option<PathBuf>,
    #[command(flatten)]
    up_arg: UpArg,
    #[command(flatten)]
    force: ForceArg,
    #[command(flatten)]
    jobs: JobsArg,
    /// Fail if a file cannot be used
    #[arg(long)]
    strict: bool,
    /// Print one JSON object per group
    #[arg(long)]
    json: bool,
}

/// Shapes that differ more are not duplicates, in percent.
const MAX_THRESHOLD: f32 = 10.0;
/// Width and height of a thumbnail on the sheet in pixels.
const CELL_SIZE: u32 = 160;

impl DuplicatesArgs {
    /// Compares all files and shows the groups.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let check = |path: &PathBuf| super::render::check_sheet(path, &[], self.force);
        let sheet = self.sheet.as_ref().map(check).transpose()?;
        let target = fs_err::canonicalize(&self.target).map_err(|_| not_found(&self.target))?;
        if !target.is_dir() {
            let file = self.target.display();
            return Err(anyhow!("{file}: expected a folder or a library, found a file"))
                .hint("`lexiform search FOLDER --shape FILE` finds shapes like a file's");
        }
        let place = LibraryPath::discover(&target);
        let paths = PathDisplay::of_library(&self.target, &target, &place);
        let files = library_files(&place)?;
        let options = DuplicateOptions { threshold: self.threshold / 100.0, jobs: self.jobs.count() };
        let progress = Progress::new(files.len());
        let name =
            |file: &Path| file.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let found = find_duplicates(&files, Some(&place), &options, &|file| progress.step(&name(file)))?;
        // The bar is removed before the groups are printed.
        drop(progress);
        for (index, group) in found.groups.iter().enumerate() {
            if self.json {
                output::json(&GroupLine::new(group, &paths))?;
            } else {
                show(group, index, &paths)?;
            }
        }
        let failed = found.failed.iter().map(|(file, error)| (paths.path(file), error.clone()));
        indexing::list_failed(&failed.collect::<Vec<_>>());
        let n_others: usize = found.groups.iter().map(|group| group.others.len()).sum();
        let bytes: u64 = found.groups.iter().map(DuplicateGroup::duplicate_bytes).sum();
        output::note(match found.groups.len() {
            0 => format!("no duplicates among {}", output::quantity(files.len(), "file")),
            n => format!(
                "{} in {} of {}, {} in all files but the first of each group",
                output::quantity(n_others, "duplicate"),
                output::quantity(n, "group"),
                output::quantity(files.len(), "file"),
                output::byte_size(bytes)
            ),
        });
        // Groups first: they are not lost if the sheet cannot be written.
        if let Some(sheet) = &sheet {
            write_sheet(&found.groups, self.up_arg.rule(), sheet)?;
        }
        Ok(if self.strict && !found.failed.is_empty() { Outcome::Failed } else { Outcome::Done })
    }
}

fn show(group: &DuplicateGroup, index: usize, paths: &PathDisplay) -> anyhow::Result<()> {
    if index > 0 {
        output::line("")?;
    }
    let shown = |file: &Path| output::single_line(&paths.path(file)).into_owned();
    output::line(shown(&group.first))?;
    let paths: Vec<String> = group.others.iter().map(|duplicate| shown(&duplicate.file)).collect();
    let width = paths.iter().map(|path| path.chars().count()).max().unwrap_or(0);
    for (path, duplicate) in paths.iter().zip(&group.others) {
        output::line(format!("  {path:<width$}  {}", describe(duplicate)))?;
    }
    Ok(())
}

fn describe(duplicate: &Duplicate) -> String {
    let percent = 100.0 * duplicate.distance;
    match duplicate.relation {
        DuplicateRelation::Identical => "identical bytes".to_owned(),
        DuplicateRelation::SameShape => "same shape".to_owned(),
        DuplicateRelation::Mirrored => "mirrored".to_owned(),
        DuplicateRelation::NearDuplicate if duplicate.mirrored => {
            format!("near, mirrored, {percent:.2} % apart")
        }
        DuplicateRelation::NearDuplicate => format!("near, {percent:.2} % apart"),
    }
}

/// A group as a line of JSON.
#[derive(Serialize)]
struct GroupLine {
    path: String,
    /// Size of all files but the first.
    duplicate_bytes: u64,
    others: Vec<DuplicateLine>,
}

#[derive(Serialize)]
struct DuplicateLine {
    path: String,
    relation: DuplicateRelation,
    mirrored: bool,
    /// Percent of the diameter.
    distance: f32,
    bytes: u64,
}

impl GroupLine {
    fn new(group: &DuplicateGroup, paths: &PathDisplay) -> Self {
        let line = |duplicate: &Duplicate| DuplicateLine {
            path: paths.path(&duplicate.file),
            relation: duplicate.relation,
            mirrored: duplicate.mirrored,
            distance: 100.0 * duplicate.distance,
            bytes: duplicate.bytes,
        };
        Self {
            path: paths.path(&group.first),
            duplicate_bytes: group.duplicate_bytes(),
            others: group.others.iter().map(line).collect(),
        }
    }
}

/// Writes thumbnails of every file, group after group.
fn write_sheet(groups: &[DuplicateGroup], up: UpRule, output: &OutputFile) -> anyhow::Result<()> {
    let mut files = Vec::new();
    for (number, group) in (1..).zip(groups) {
        let others = group.others.iter().map(|duplicate| (&duplicate.file, describe(duplicate)));
        let all = std::iter::once((&group.first, "first".to_owned())).chain(others);
        files.extend(all.map(|(file, words)| (file, format!("{number}  {words}"))));
    }
    let labels = sheet_labels(&files.iter().map(|(file, _)| slashed(file)).collect::<Vec<_>>());
    let mut cells = Vec::new();
    for ((file, words), label) in files.into_iter().zip(labels) {
        let caption = format!("{words}\n{label}");
        // A file that was removed meanwhile is left out of the sheet.
        cells.extend(thumbnail(file, up).map(|image| SheetCell { image, caption }));
    }
    super::render::save_sheet(&cells, output)
}

/// The shape in the catalog view; `None` if the file cannot be read any more.
fn thumbnail(file: &Path, up: UpRule) -> Option<image::RgbaImage> {
    let scene = read_with(file, &ReadOptions { up }).ok()?;
    let (scene, _) = normalize_unit_sphere(scene, Center::Bounds);
    Some(render(
        &scene,
        &Camera::three_quarter_view(),
        &RenderConfig { size: CELL_SIZE, ..RenderConfig::default() },
    ))
}

fn parse_threshold(text: &str) -> Result<f32, String> {
    let percent: f32 = text
        .trim_end_matches('%')
        .trim()
        .parse()
        .map_err(|_| format!("expected a number, found {text:?}"))?;
    let is_valid = (0.0..=MAX_THRESHOLD).contains(&percent);
    if is_valid { Ok(percent) } else { Err(format!("expected 0 to {MAX_THRESHOLD}, found {percent}")) }
}
