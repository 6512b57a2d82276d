//! `lexiform duplicates`: files that hold the same shape, in whatever format, size, place and turn.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Args;
use lexiform_geometry::Camera;
use lexiform_geometry::normalize::{Center, normalize_unit_sphere};
use lexiform_render::SheetCell;
use lexiform_render::{RenderConfig, render};
use lexiform_search::{
    Duplicate, DuplicateGroup, DuplicateOptions, DuplicateRelation, LibraryPath, find_duplicates,
    library_files,
};
use serde::Serialize;

use crate::failure::{Verdict, WithHint as _};
use crate::indexing;
use crate::jobs::JobsArg;
use crate::output;
use crate::progress::Progress;
use crate::reading::not_found;
use crate::shown::Shown;
use crate::target::check_file;

/// Find files that hold the same shape: copies, other formats, scaled, turned, mirrored, with fewer triangles or other colors
///
/// Shapes are laid over each other, whatever their place, size, turn, triangles and colors. Where the folder has a library,
/// what is known about shapes is kept there for the next time.
#[derive(Args)]
pub struct DuplicatesArgs {
    /// Folder of 3D files, or library made by `lexiform index`
    #[arg(value_name = "FOLDER|LIBRARY")]
    target: PathBuf,
    /// Distance between surfaces up to which shapes that differ are near, in percent of the diameter; 0 leaves those that
    /// are the same or mirrored
    #[arg(long, value_name = "PERCENT", default_value_t = 0.6, value_parser = parse_threshold)]
    threshold: f32,
    /// Draw the groups into one picture
    #[arg(long, value_name = "OUT.png")]
    sheet: Option<PathBuf>,
    #[command(flatten)]
    jobs: JobsArg,
    /// Fail if a file cannot be used
    #[arg(long)]
    strict: bool,
    /// Print one JSON object for each group
    #[arg(long)]
    json: bool,
}

/// Larger differences are no likeness.
const LARGEST_THRESHOLD: f32 = 10.0;
/// Edge of a picture on the sheet in pixels.
const CELL_SIZE: u32 = 160;

impl DuplicatesArgs {
    /// Looks at all files and shows the groups.
    pub fn run(self) -> anyhow::Result<Verdict> {
        if let Some(sheet) = &self.sheet {
            check_file(sheet)?;
        }
        let target = fs_err::canonicalize(&self.target).map_err(|_| not_found(&self.target))?;
        if !target.is_dir() {
            let file = self.target.display();
            return Err(anyhow!("{file}: expected a folder or a library, found a file"))
                .hint("`lexiform search FOLDER --shape FILE` finds shapes like a file's");
        }
        let place = LibraryPath::discover(&target);
        let shown = Shown::new(&self.target, place.root.as_deref().unwrap_or(&target));
        let files = library_files(&place)?;
        let options = DuplicateOptions { threshold: self.threshold / 100.0, jobs: self.jobs.count() };
        let progress = Progress::new(files.len());
        let name =
            |file: &Path| file.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let found = find_duplicates(&files, Some(&place), &options, &|file| progress.step(&name(file)))?;
        drop(progress);
        if let Some(sheet) = &self.sheet {
            draw_sheet(&found.groups, sheet)?;
        }
        for (index, group) in found.groups.iter().enumerate() {
            if self.json {
                output::json(&GroupLine::new(group, &shown))?;
            } else {
                show(group, index, &shown)?;
            }
        }
        let failed = found.failed.iter().map(|(file, error)| (shown.path(file), error.clone()));
        indexing::list_failed(&failed.collect::<Vec<_>>());
        let n_others: usize = found.groups.iter().map(|group| group.others.len()).sum();
        output::note(match found.groups.len() {
            0 => format!("no duplicates among {}", output::count(files.len(), "file")),
            n => format!(
                "{} in {} of {}",
                output::count(n_others, "duplicate"),
                output::count(n, "group"),
                output::count(files.len(), "file")
            ),
        });
        Ok(if self.strict && !found.failed.is_empty() { Verdict::Failed } else { Verdict::Done })
    }
}

fn show(group: &DuplicateGroup, index: usize, shown: &Shown) -> anyhow::Result<()> {
    if index > 0 {
        output::line("")?;
    }
    output::line(shown.path(&group.first))?;
    let paths: Vec<String> = group.others.iter().map(|twin| shown.path(&twin.file)).collect();
    let width = paths.iter().map(|path| path.chars().count()).max().unwrap_or(0);
    for (path, twin) in paths.iter().zip(&group.others) {
        output::line(format!("  {path:<width$}  {}", in_words(twin)))?;
    }
    Ok(())
}

fn in_words(twin: &Duplicate) -> String {
    let percent = 100.0 * twin.distance;
    match twin.relation {
        DuplicateRelation::Identical => "identical bytes".to_owned(),
        DuplicateRelation::SameShape => "same shape".to_owned(),
        DuplicateRelation::Mirrored => "mirrored".to_owned(),
        DuplicateRelation::NearDuplicate if twin.mirrored => format!("near, mirrored, {percent:.2} % apart"),
        DuplicateRelation::NearDuplicate => format!("near, {percent:.2} % apart"),
    }
}

/// A group as a line of JSON.
#[derive(Serialize)]
struct GroupLine {
    path: String,
    others: Vec<TwinLine>,
}

#[derive(Serialize)]
struct TwinLine {
    path: String,
    relation: DuplicateRelation,
    mirrored: bool,
    /// Percent of the diameter.
    distance: f32,
}

impl GroupLine {
    fn new(group: &DuplicateGroup, shown: &Shown) -> Self {
        let line = |twin: &Duplicate| TwinLine {
            path: shown.path(&twin.file),
            relation: twin.relation,
            mirrored: twin.mirrored,
            distance: 100.0 * twin.distance,
        };
        Self { path: shown.path(&group.first), others: group.others.iter().map(line).collect() }
    }
}

/// Draws every file of every group from the front, group after group.
fn draw_sheet(groups: &[DuplicateGroup], path: &Path) -> anyhow::Result<()> {
    let mut cells = Vec::new();
    for (number, group) in (1..).zip(groups) {
        let others = group.others.iter().map(|twin| (&twin.file, in_words(twin)));
        for (file, words) in std::iter::once((&group.first, "first".to_owned())).chain(others) {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            let caption = format!("{number}  {words}\n{name}");
            cells.extend(picture(file).map(|image| SheetCell { image, caption }));
        }
    }
    super::render::save_sheet(&cells, path)
}

/// The shape as catalogs show it; `None` where the file has gone bad meanwhile.
fn picture(file: &Path) -> Option<image::RgbaImage> {
    let (scene, _) = normalize_unit_sphere(lexiform_mesh_io::read(file).ok()?, Center::Bounds);
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
    let is_valid = (0.0..=LARGEST_THRESHOLD).contains(&percent);
    if is_valid { Ok(percent) } else { Err(format!("expected 0 to {LARGEST_THRESHOLD}, found {percent}")) }
}
