//! Rooms of [S3DIS](https://doi.org/10.1109/CVPR.2016.170): `Annotations/LABEL_N.txt` with rows `x y z r g b`, a file per object, +Z up.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use glam::{Affine3A, Quat, Vec3};
use lexiform_formats::write_file;
use lexiform_geometry::{PointCloud, Scene, linear_from_srgb, srgb_from_linear};

use super::failures::{invalid, unreadable};
use super::{LabeledScene, SceneInstance};
use crate::EvalError;

const FOLDER: &str = "Annotations";

pub(super) fn is_s3dis_room(folder: &Path) -> bool {
    folder.join(FOLDER).is_dir()
}

/// Reads a room. Numbers that are broken in the published files, such as a control character within one, are skipped with their row.
pub(super) fn read_s3dis_room(folder: &Path) -> Result<LabeledScene, EvalError> {
    let entries = fs_err::read_dir(folder.join(FOLDER)).map_err(|error| unreadable(&error))?;
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|e| e.path())).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    files.sort();
    let (mut positions, mut colors, mut of_elements) = (Vec::new(), Vec::new(), Vec::new());
    let mut instances = Vec::new();
    for path in &files {
        let bytes = fs_err::read(path).map_err(|error| unreadable(&error))?;
        let text = String::from_utf8_lossy(&bytes);
        for [x, y, z, r, g, b] in text.lines().filter_map(row) {
            positions.push(Vec3::new(x, y, z));
            colors.push(Vec3::from([r, g, b].map(|value| linear_from_srgb(value.clamp(0.0, 255.0) as u8))));
            of_elements.push(instances.len() as u32);
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        instances.push(SceneInstance::new(
            name.rsplit_once('_').map_or(&*name, |(label, _)| label).replace('-', " ").as_str(),
        ));
    }
    if positions.is_empty() {
        return Err(invalid(folder, "expected points in Annotations/*.txt, found none"));
    }
    let cloud = PointCloud::new(positions).and_then(|cloud| cloud.with_colors(colors));
    let cloud = cloud.map_err(|error| invalid(folder, &error.to_string()))?;
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(LabeledScene { name, scene: Scene::from_cloud(cloud), up: Vec3::Z, instances, of_elements })
}

/// Writes the points of a scene as a room: `FOLDER/Annotations/LABEL_N.txt`, +Z up, spaces of labels as `-`.
///
/// # Errors
/// If a file cannot be written.
pub fn write_s3dis_room(folder: &Path, scene: &LabeledScene) -> std::io::Result<()> {
    let annotations = folder.join(FOLDER);
    fs_err::create_dir_all(&annotations)?;
    let turned = Affine3A::from_quat(Quat::from_rotation_arc(scene.up, Vec3::Z));
    let mut texts = vec![String::new(); scene.instances.len()];
    let points = scene.scene.clouds.iter().flat_map(|cloud| {
        let color = |i: usize| cloud.colors().map_or(Vec3::splat(0.5), |colors| colors[i]);
        cloud.positions().iter().enumerate().map(move |(i, p)| (*p, color(i)))
    });
    for ((position, color), &instance) in points.zip(&scene.of_elements) {
        let Some(text) = texts.get_mut(instance as usize) else { continue };
        let (p, [r, g, b]) = (turned.transform_point3(position), color.to_array().map(srgb_from_linear));
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{:.3} {:.3} {:.3} {r} {g} {b}", p.x, p.y, p.z);
    }
    for (i, (instance, text)) in scene.instances.iter().zip(&texts).enumerate() {
        let same = scene.instances[..i].iter().filter(|other| other.label == instance.label).count();
        let name = format!("{}_{}.txt", instance.label.replace([' ', '/', '_'], "-"), same + 1);
        write_file(&annotations.join(name), text.as_bytes())?;
    }
    Ok(())
}

fn row(line: &str) -> Option<[f32; 6]> {
    let mut numbers =
        line.split_ascii_whitespace().map(|number| number.parse().ok().filter(|x: &f32| x.is_finite()));
    let mut row = [0.0; 6];
    for value in &mut row {
        *value = numbers.next()??;
    }
    Some(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_the_points_of_its_files() {
        let folder = tempfile::tempdir().unwrap();
        let annotations = folder.path().join(FOLDER);
        std::fs::create_dir(&annotations).unwrap();
        std::fs::write(annotations.join("chair_1.txt"), "1 2 3 255 0 0\n1 2 4 0 255 0\n").unwrap();
        // A row of the published files has a control character in a number.
        std::fs::write(annotations.join("floor_1.txt"), "0 0 0 10 20 3\u{10}0\n0 0 1 10 20 30\n").unwrap();
        let room = read_s3dis_room(folder.path()).unwrap();
        assert_eq!(room.of_elements, [0, 0, 1]);
        assert_eq!(room.scene.clouds[0].positions()[1], Vec3::new(1.0, 2.0, 4.0));
        assert_eq!(
            room.instances,
            [SceneInstance::new("chair"), SceneInstance { label: "floor".into(), is_object: false }]
        );
        assert_eq!(room.masks(), [vec![0, 1], vec![2]]);
    }

    #[test]
    fn a_room_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let positions = vec![Vec3::new(1.0, 2.0, 3.0), Vec3::new(0.5, 0.0, 0.25), Vec3::X];
        let colors = vec![Vec3::X, Vec3::ONE, Vec3::ZERO];
        let cloud = PointCloud::new(positions).and_then(|c| c.with_colors(colors)).unwrap();
        let instances = ["trash can", "trash can", "floor"].map(SceneInstance::new).to_vec();
        let of_elements = vec![0, 1, 2];
        let name = "room".to_owned();
        let scene =
            LabeledScene { name, scene: Scene::from_cloud(cloud), up: Vec3::Y, instances, of_elements };
        write_s3dis_room(folder.path(), &scene).unwrap();
        let back = read_s3dis_room(folder.path()).unwrap();
        let labels: Vec<&str> = back.instances.iter().map(|i| i.label.as_str()).collect();
        assert_eq!(labels, ["floor", "trash can", "trash can"]);
        // +Y becomes +Z: (x, y, z) is (x, −z, y).
        assert_eq!(back.scene.clouds[0].positions()[1], Vec3::new(1.0, -3.0, 2.0));
        assert_eq!(back.scene.clouds[0].colors().unwrap()[1], Vec3::X);
    }
}
