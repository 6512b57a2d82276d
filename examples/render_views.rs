//! Renders a 3D file from twelve cameras into PNG files and one contact sheet: the same pixels on every machine.
//!
//! ```console
//! cargo run --release -p lexiform-examples --bin render_views -- samples/chair_01.glb views
//! ```

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use lexiform_geometry::Rig;
use lexiform_geometry::normalize::{Center, normalize_unit_sphere};
use lexiform_render::{Background, RenderConfig, SheetCell, contact_sheet, render_views};

/// Views of a row of the contact sheet.
const COLUMNS: usize = 4;

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let usage = "usage: render_views FILE FOLDER";
    let (file, folder) = (arguments.next().context(usage)?, arguments.next().context(usage)?);

    let scene = lexiform_mesh_io::read(&file)?;
    println!("{} triangles, {} points", scene.n_faces(), scene.n_points());
    scene.notes.iter().for_each(|note| println!("note: {note}"));

    // Rigs place their cameras around the unit sphere.
    let (scene, _) = normalize_unit_sphere(scene, Center::Bounds);
    let config = RenderConfig { size: 256, background: Background::WHITE, ..RenderConfig::default() };
    let views = render_views(&scene, &Rig::ring(12), &config);

    std::fs::create_dir_all(&folder)?;
    for (i, image) in views.images.iter().enumerate() {
        image.save(folder.join(format!("v{i:02}.png")))?;
    }
    let cells = views.images.into_iter().enumerate();
    let cells: Vec<SheetCell> =
        cells.map(|(i, image)| SheetCell { image, caption: format!("view {i}") }).collect();
    contact_sheet(&cells, COLUMNS).save(folder.join("sheet.png"))?;
    println!("wrote {}", folder.display());
    Ok(())
}
