//! `lexiform render`: images of a 3D file.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use clap::Args;
use image::{DynamicImage, RgbaImage};
use lexiform_formats::{SOFTWARE, png};
use lexiform_geometry::normalize::{Center, normalize_unit_sphere};
use lexiform_geometry::{RigKind, Views};
use lexiform_render::{Background, RenderConfig, Renderer};
use lexiform_render::{SheetCell, contact_sheet};

use crate::error::Outcome;
use crate::output;
use crate::output_file::{ForceArg, OutputFile};
use crate::scene_file::read_scene;
use crate::up_axis::UpArg;

/// Render views of a 3D file
#[derive(Args)]
pub(crate) struct RenderArgs {
    /// 3D file
    file: PathBuf,
    /// Folder for the images; created if needed
    #[arg(short, long, value_name = "FOLDER")]
    output: PathBuf,
    /// Camera positions: zero123 (random, all around), openshape (three rings) or ring (one ring)
    #[arg(long, default_value = "zero123")]
    rig: RigKind,
    /// Number of views
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=1000))]
    views: u32,
    /// Width and height of a view in pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 224, value_parser = clap::value_parser!(u32).range(1..=4096))]
    size: u32,
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
    /// Also write all views as one image, sheet.png
    #[arg(long)]
    sheet: bool,
    #[command(flatten)]
    up_arg: UpArg,
    #[command(flatten)]
    force: ForceArg,
}

impl RenderArgs {
    /// Reads the file, renders and writes the images.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let scene = read_scene(&self.file, self.up_arg.rule())?;
        let files = self.files()?;
        let (scene, _) = normalize_unit_sphere(scene, Center::Bounds);
        let background = if self.transparent { Background::Transparent } else { Background::WHITE };
        let config = RenderConfig { size: self.size, background, ..RenderConfig::default() };
        let renderer = Renderer::new(&scene);
        let rendered = renderer.render_views(&self.rig.rig(self.views as usize, self.seed), &config);
        for (image, file) in rendered.images.iter().zip(&files.views) {
            save_png(&image.clone().into(), file)?;
        }
        // One depth or normal buffer at a time: a thousand views of 4096 pixels would not fit in memory.
        for (camera, [depth, normals]) in rendered.cameras.iter().zip(&files.maps) {
            let buffers = renderer.depth_normals(camera, &config);
            depth.iter().try_for_each(|file| save_png(&buffers.depth_image().into(), file))?;
            normals.iter().try_for_each(|file| save_png(&buffers.normal_image().into(), file))?;
        }
        if let Some(sheet) = &files.sheet {
            save_sheet(&cells(&rendered), sheet)?;
        }
        let views = output::quantity(rendered.images.len(), "view");
        output::note(format!("wrote {views} to {}", self.output.display()));
        Ok(Outcome::Done)
    }

    /// The files to write: views, a depth and a normal map of each where asked for, and the sheet.
    fn files(&self) -> anyhow::Result<OutputFiles> {
        let folder = self.force.folder(&self.output, &[&self.file])?;
        let numbered = |prefix: char| (0..self.views).map(move |i| format!("{prefix}{i:02}.png"));
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
