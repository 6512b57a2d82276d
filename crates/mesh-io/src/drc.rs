//! Draco files (`.drc`) through the crate `draco-core`: a mesh or a point cloud, with normals, texture coordinates and colors.

use draco_core::{DataType, DecoderBuffer, GeometryAttributeType, Mesh, PointCloud};
use glam::{Vec2, Vec3, Vec4};

use crate::builder::{MeshBuilder, PointCloudBuilder};
use crate::gltf::{catch_decoder_panic, draco_limits};
use crate::{ReadError, color, source::Source};
use lexiform_geometry::Scene;

/// Bytes of the header before the kind of geometry: the magic and the version.
const KIND: usize = 7;

/// Decodes the file.
pub(super) fn read(source: &Source) -> Result<Scene, ReadError> {
    if !source.bytes.starts_with(b"DRACO") {
        return Err(source.invalid("expected \"DRACO\" at the start"));
    }
    let mut scene = Scene::default();
    if source.bytes.get(KIND) == Some(&1) {
        let mesh = decode(source, |buffer| {
            let mut mesh = Mesh::new();
            draco_core::MeshDecoder::new().decode(buffer, &mut mesh).map_err(|e| e.to_string())?;
            Ok(mesh)
        })?;
        let builder = MeshBuilder {
            positions: attribute(&mesh, GeometryAttributeType::Position).unwrap_or_default(),
            faces: faces(&mesh),
            normals: attribute(&mesh, GeometryAttributeType::Normal),
            // As in the glTF extension, v counts from the top.
            uvs: attribute(&mesh, GeometryAttributeType::TexCoord)
                .map(|uvs| uvs.into_iter().map(|uv| Vec2::new(uv.x, 1.0 - uv.y)).collect()),
            colors: colors(&mesh)
                .map(|colors| colors.into_iter().map(|c| c.extend(1.0)).collect::<Vec<Vec4>>()),
        };
        scene.meshes.push(builder.build(source, &mut scene.notes)?);
    } else {
        let cloud = decode(source, |buffer| {
            let mut cloud = PointCloud::new();
            draco_core::PointCloudDecoder::new().decode(buffer, &mut cloud).map_err(|e| e.to_string())?;
            Ok(cloud)
        })?;
        let positions = attribute(&cloud, GeometryAttributeType::Position).unwrap_or_default();
        let builder = PointCloudBuilder {
            positions: positions.into_iter().map(|p| p.as_dvec3()).collect(),
            normals: attribute(&cloud, GeometryAttributeType::Normal).unwrap_or_default(),
            colors: colors(&cloud).unwrap_or_default(),
        };
        if !builder.positions.is_empty() {
            scene.clouds.push(builder.build(source, &mut scene.notes)?);
        }
    }
    Ok(scene)
}

fn decode<T>(
    source: &Source,
    decode: impl FnOnce(&mut DecoderBuffer) -> Result<T, String>,
) -> Result<T, ReadError> {
    let bytes = source.bytes;
    catch_decoder_panic("Draco", || decode(&mut DecoderBuffer::new(bytes).with_limits(draco_limits())))
        .map_err(|reason| source.invalid(reason))
}

/// Triangles, without those that name missing points.
fn faces(mesh: &Mesh) -> Vec<[u32; 3]> {
    let count = mesh.num_points();
    let faces = mesh.faces().iter().map(|face| face.map(|point| point.0));
    faces.filter(|face| face.iter().all(|&point| (point as usize) < count)).collect()
}

/// The first three components of each point; missing ones are 0.
fn attribute(cloud: &PointCloud, kind: GeometryAttributeType) -> Option<Vec<Vec3>> {
    let attribute = cloud.named_attribute(kind)?;
    let components = usize::from(attribute.num_components()).max(1);
    let count = cloud.num_points();
    let numbers = catch_decoder_panic("Draco", || Ok(attribute.read_f32s(count, components))).ok()?;
    let value =
        |point: &[f32]| Vec3::from_array(std::array::from_fn(|i| point.get(i).copied().unwrap_or(0.0)));
    let values: Vec<Vec3> = numbers.chunks_exact(components).map(value).collect();
    (values.len() == count).then_some(values)
}

/// Linear colors: bytes, or floats up to 1.
fn colors(cloud: &PointCloud) -> Option<Vec<Vec3>> {
    let attribute_type = cloud.named_attribute(GeometryAttributeType::Color)?.data_type();
    let scale = if matches!(attribute_type, DataType::Uint8) { 255.0 } else { 1.0 };
    let colors = attribute(cloud, GeometryAttributeType::Color)?;
    Some(colors.into_iter().map(|c| color::from_unit(c / scale)).collect())
}
