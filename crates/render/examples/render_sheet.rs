//! Renders files to a contact sheet: `render_sheet OUT.png COLUMNS VIEWS RIG FILE...`.
#![expect(clippy::print_stderr, reason = "a program for people")]

use std::path::Path;
use std::time::Instant;

use lexiform_geometry::RigKind;
use lexiform_geometry::normalize::{Center, normalize_unit_sphere};
use lexiform_render::{RenderConfig, render_views};
use lexiform_render::{SheetCell, contact_sheet};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [out, columns, views, rig, files @ ..] = &arguments[..] else {
        return Err("usage: render_sheet OUT.png COLUMNS VIEWS RIG FILE...".into());
    };
    let rig = rig.parse::<RigKind>()?.rig(views.parse()?, 1);
    let mut cells = Vec::new();
    for file in files {
        let scene = match lexiform_mesh_io::read(Path::new(file)) {
            Ok(scene) => scene,
            Err(error) => {
                eprintln!("{error}");
                continue;
            }
        };
        let (faces, points) = (scene.n_faces(), scene.n_points());
        let (scene, _) = normalize_unit_sphere(scene, Center::Bounds);
        let start = Instant::now();
        let images = render_views(&scene, &rig, &RenderConfig::default()).images;
        let time = start.elapsed().as_millis();
        let name = Path::new(file).file_name().map_or_else(String::new, |n| n.display().to_string());
        for (i, image) in images.into_iter().enumerate() {
            let facts = format!("{faces} faces {points} points {time} ms");
            let caption = if i == 0 { format!("{name}\n{facts}") } else { String::new() };
            cells.push(SheetCell { image, caption });
        }
    }
    contact_sheet(&cells, columns.parse()?).save(out)?;
    Ok(())
}
