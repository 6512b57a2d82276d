//! `lexiform render`: pictures of a 3D file.

use std::path::{Path, PathBuf};

use clap::Args;
use image::{DynamicImage, RgbaImage};
use lexiform_geometry::RigKind;
use lexiform_geometry::normalize::{Center, normalize_unit_sphere};
use lexiform_render::{Background, DepthNormals, RenderConfig, Renderer};
use lexiform_render::{SheetCell, contact_sheet};

use crate::failure::Verdict;
use crate::output;
use crate::reading::read_scene;

/// Draw views of a 3D file
#[derive(Args)]
pub struct RenderArgs {
    /// 3D file
    file: PathBuf,
    /// Folder for the pictures; made if it is not there
    #[arg(short, long, value_name = "FOLDER")]
    output: PathBuf,
    /// Where the cameras stand: zero123 (by chance, all around), openshape (three rings) or ring (one ring)
    #[arg(long, default_value = "zero123")]
    rig: RigKind,
    /// Number of views
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=1000))]
    views: u32,
    /// Edge of a view in pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 224, value_parser = clap::value_parser!(u32).range(1..=4096))]
    size: u32,
    /// Chooses the cameras of rig zero123
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Leave the background transparent instead of white
    #[arg(long)]
    transparent: bool,
    /// Also write each view's depth: dNN.png, 16 bit, ten-thousandths of the unit sphere's radius, 0 where nothing is
    #[arg(long)]
    depth: bool,
    /// Also write each view's normals: nNN.png, RGB of the camera's +X right, +Y up, +Z towards it
    #[arg(long)]
    normals: bool,
    /// Also draw all views into one picture, sheet.png
    #[arg(long)]
    sheet: bool,
}

impl RenderArgs {
    /// Reads, draws and writes.
    pub fn run(self) -> anyhow::Result<Verdict> {
        let scene = read_scene(&self.file)?;
        let (scene, _) = normalize_unit_sphere(scene, Center::Bounds);
        let background = if self.transparent { Background::Transparent } else { Background::WHITE };
        let config = RenderConfig { size: self.size, background, ..RenderConfig::default() };
        let renderer = Renderer::new(&scene);
        let views = renderer.render_views(&self.rig.rig(self.views as usize, self.seed), &config);
        fs_err::create_dir_all(&self.output)?;
        for (i, view) in views.images.iter().enumerate() {
            save_png(&view.clone().into(), &self.output.join(format!("v{i:02}.png")))?;
        }
        if self.depth || self.normals {
            for (i, camera) in views.cameras.iter().enumerate() {
                self.save_depth_normals(&renderer.depth_normals(camera, &config), i)?;
            }
        }
        if self.sheet {
            let cell = |(i, image): (usize, &RgbaImage)| SheetCell {
                image: image.clone(),
                caption: format!("v{i:02}"),
            };
            let cells: Vec<SheetCell> = views.images.iter().enumerate().map(cell).collect();
            save_sheet(&cells, &self.output.join("sheet.png"))?;
        }
        output::note(format!(
            "wrote {} to {}",
            output::count(views.images.len(), "view"),
            self.output.display()
        ));
        Ok(Verdict::Done)
    }

    /// Writes what is asked for of a view's form.
    fn save_depth_normals(&self, relief: &DepthNormals, view: usize) -> anyhow::Result<()> {
        if self.depth {
            save_png(&relief.depth_image().into(), &self.output.join(format!("d{view:02}.png")))?;
        }
        if self.normals {
            save_png(&relief.normal_image().into(), &self.output.join(format!("n{view:02}.png")))?;
        }
        Ok(())
    }
}

/// Writes captioned pictures as one PNG file, in rows, as near to a square as can be.
pub fn save_sheet(cells: &[SheetCell], path: &Path) -> anyhow::Result<()> {
    let columns = (1..).find(|n| n * n >= cells.len()).unwrap_or(1);
    save_png(&contact_sheet(cells, columns).into(), path)
}

fn save_png(picture: &DynamicImage, path: &Path) -> anyhow::Result<()> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png)?;
    Ok(fs_err::write(path, bytes.into_inner())?)
}
