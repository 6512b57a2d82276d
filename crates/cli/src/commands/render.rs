//! `lexiform render`: images of a 3D file.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use clap::Args;
use image::{DynamicImage, RgbaImage};
use lexiform_formats::{SOFTWARE, png};
use lexiform_geometry::normalize::{Center, normalize_unit_sphere};
use lexiform_geometry::{Camera, Rig, RigKind, Views};
use lexiform_mesh_io::is_image;
use lexiform_render::{Background, RenderConfig, Renderer};
use lexiform_render::{SheetCell, contact_sheet};

use crate::error::{Outcome, UsageError};
use crate::output;
use crate::output_file::{ForceArg, OutputFile};
use crate::scene_file::read_scene;
use crate::up_axis::UpArg;

/// Render views of a 3D file
#[derive(Args)]
pub(crate) struct RenderArgs {
    /// 3D file
    file: PathBuf,
    /// Folder for the images, created if needed, or one image, OUT.png [default: the file's name with -views]
    #[arg(short, long, value_name = "OUTPUT")]
    output: Option<PathBuf>,
    /// Camera positions: ring (one ring, the first in front), zero123 (random, all around) or openshape (three rings) [default:
    /// ring]
    #[arg(long)]
    rig: Option<RigKind>,
    /// Number of views [default: 12; 1 from the front for OUT.png]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    views: Option<u32>,
    /// Width and height of a view in pixels [default: 512; 224, as in the papers, for zero123 and openshape]
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u32).range(1..=4096))]
    size: Option<u32>,
    /// Seed of the camera positions of rig zero123
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Make the background transparent instead of white
    #[arg(long)]
    transparent: bool,
    /// Also write a depth map of each view: dNN.png, 16 bits, in 1/10000 of the unit sphere's radius, 0 for the background
    #[arg(long)]
    depth: bool,
    /// Also write a normal map of each view: nNN.png, RGB of the camera's +X right, +Y up, +Z towards it
    #[arg(long)]
    normals: bool,
    /// Also write all views as one image, sheet.png; for OUT.png, instead of one view
    #[arg(long)]
    sheet: bool,
    #[command(flatten)]
    up_arg: UpArg,
    #[command(flatten)]
    force: ForceArg,
}

/// Number of views in a folder or on a sheet.
const N_VIEWS: u32 = 12;
/// Size of views to look at.
const VIEW_SIZE: u32 = 512;
/// Size of the views that the papers' models are trained on.
const MODEL_VIEW_SIZE: u32 = 224;

impl RenderArgs {
    /// Reads the file, renders and writes the images.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let scene = read_scene(&self.file, self.up_arg.rule())?;
        let (scene, config) = (normalize_unit_sphere(scene, Center::Bounds).0, self.config());
        let renderer = Renderer::new(&scene);
        match &self.output {
            // A folder may be called so too.
            Some(path) if is_image(path) && !path.is_dir() => self.write_picture(path, &renderer, &config)?,
            Some(folder) => self.write_folder(folder, &renderer, &config)?,
            None => self.write_folder(&default_folder(&self.file), &renderer, &config)?,
        }
        Ok(Outcome::Done)
    }

    /// Writes one view, or a sheet of several.
    fn write_picture(
        &self,
        path: &Path,
        renderer: &Renderer<'_>,
        config: &RenderConfig,
    ) -> anyhow::Result<()> {
        if self.depth || self.normals {
            let text =
                "--depth and --normals: expected a folder for the maps, as in -o views/, found an image";
            return Err(UsageError(text.to_owned()).into());
        }
        let file = self.force.file(path, &["png"], &[&self.file])?;
        let count = self.views.unwrap_or(if self.sheet { N_VIEWS } else { 1 });
        let rig = match (count, self.rig) {
            (1, None) => Rig(vec![Camera::three_quarter_view()]),
            (_, kind) => kind.unwrap_or(RigKind::Ring).rig(count as usize, self.seed),
        };
        let rendered = renderer.render_views(&rig, config);
        match &rendered.images[..] {
            [image] => save_png(&image.clone().into(), &file)?,
            _ => save_sheet(&cells(&rendered), &file)?,
        }
        let views = output::quantity(rendered.images.len(), "view");
        output::note(format!("wrote {views} to {}", path.display()));
        Ok(())
    }

    /// Writes each view as an image of its own.
    fn write_folder(
        &self,
        path: &Path,
        renderer: &Renderer<'_>,
        config: &RenderConfig,
    ) -> anyhow::Result<()> {
        let files = self.files(path)?;
        let rig = self.rig.unwrap_or(RigKind::Ring).rig(files.views.len(), self.seed);
        let rendered = renderer.render_views(&rig, config);
        for (image, file) in rendered.images.iter().zip(&files.views) {
            save_png(&image.clone().into(), file)?;
        }
        // One depth or normal buffer at a time: a thousand views of 4096 pixels would not fit in memory.
        for (camera, [depth, normals]) in rendered.cameras.iter().zip(&files.maps) {
            let buffers = renderer.depth_normals(camera, config);
            depth.iter().try_for_each(|file| save_png(&buffers.depth_image().into(), file))?;
            normals.iter().try_for_each(|file| save_png(&buffers.normal_image().into(), file))?;
        }
        if let Some(sheet) = &files.sheet {
            save_sheet(&cells(&rendered), sheet)?;
        }
        let views = output::quantity(rendered.images.len(), "view");
        output::note(format!("wrote {views} to {}", path.display()));
        Ok(())
    }

    fn config(&self) -> RenderConfig {
        let default_size = match self.rig {
            Some(RigKind::Zero123 | RigKind::Openshape) => MODEL_VIEW_SIZE,
            Some(RigKind::Ring) | None => VIEW_SIZE,
        };
        let background = if self.transparent { Background::Transparent } else { Background::WHITE };
        RenderConfig { size: self.size.unwrap_or(default_size), background, ..RenderConfig::default() }
    }

    /// The files to write: views, a depth and a normal map of each where asked for, and the sheet.
    fn files(&self, folder: &Path) -> anyhow::Result<OutputFiles> {
        let folder = self.force.folder(folder, &[&self.file])?;
        let n_views = self.views.unwrap_or(N_VIEWS);
        let numbered = |prefix: char| (0..n_views).map(move |i| format!("{prefix}{i:02}.png"));
        let views = folder.files(numbered('v'))?;
        let optional = |wanted: bool, prefix: char| -> anyhow::Result<Vec<Option<OutputFile>>> {
            if wanted {
                Ok(folder.files(numbered(prefix))?.into_iter().map(Some).collect())
            } else {
                Ok(views.iter().map(|_| None).collect())
            }
        };
        let maps: Vec<[Option<OutputFile>; 2]> = if self.depth || self.normals {
            let (depth, normals) = (optional(self.depth, 'd')?, optional(self.normals, 'n')?);
            depth.into_iter().zip(normals).map(|(depth, normals)| [depth, normals]).collect()
        } else {
            Vec::new()
        };
        let sheet = folder.files(self.sheet.then(|| "sheet.png".to_owned()))?.pop();
        Ok(OutputFiles { views, maps, sheet })
    }
}

/// The files of a run.
struct OutputFiles {
    views: Vec<OutputFile>,
    /// Depth and normal map of each view; empty if neither is asked for.
    maps: Vec<[Option<OutputFile>; 2]>,
    sheet: Option<OutputFile>,
}

/// `lamp-views` in the working folder for `models/lamp.glb`.
fn default_folder(file: &Path) -> PathBuf {
    let mut name = file.file_stem().unwrap_or_default().to_owned();
    name.push("-views");
    name.into()
}

fn cells(views: &Views) -> Vec<SheetCell> {
    let cell =
        |(i, image): (usize, &RgbaImage)| SheetCell { image: image.clone(), caption: format!("v{i:02}") };
    views.images.iter().enumerate().map(cell).collect()
}

/// Checks that a contact sheet can be written here.
pub(crate) fn check_sheet(path: &Path, inputs: &[&Path], force: ForceArg) -> anyhow::Result<OutputFile> {
    force.file(path, &["png"], inputs)
}

/// Writes captioned images as one PNG file, in rows, as close to a square as possible.
pub(crate) fn save_sheet(cells: &[SheetCell], file: &OutputFile) -> anyhow::Result<()> {
    let columns = (1..).find(|n| n * n >= cells.len()).unwrap_or(1);
    save_png(&contact_sheet(cells, columns).into(), file)
}

fn save_png(image: &DynamicImage, file: &OutputFile) -> anyhow::Result<()> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png)?;
    // The next run recognizes the file by this, and may replace it.
    file.write(&png::with_text(bytes.into_inner(), "Software", SOFTWARE))
}
