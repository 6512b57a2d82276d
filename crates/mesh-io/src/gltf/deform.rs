//! Morph targets and skins at rest: default weights, and joints where the file leaves them.

use glam::{Affine3A, Mat3A, Mat4, Vec3, Vec3A};

use super::accessor::IntegerConversion;
use super::attribute::Influence;
use super::document::{Document, get};
use super::error::{GltfError, Notes, invalid};
use super::json::{Primitive, Skin};
use super::nodes::Hierarchy;
use super::primitive::{PrimitiveData, Topology};

/// Adds the targets with a weight to positions and normals.
pub(super) fn morph(
    part: &mut PrimitiveData,
    document: &Document,
    primitive: &Primitive,
    weights: &[f32],
    notes: &mut Notes,
) {
    for (target, &weight) in primitive.targets.iter().zip(weights) {
        if weight == 0.0 {
            continue;
        }
        let added = target
            .get("POSITION")
            .map_or(Ok(()), |accessor| add_scaled(document, accessor.0, weight, &mut part.positions));
        let added = added.and_then(|()| match (target.get("NORMAL"), &mut part.normals) {
            (Some(accessor), Some(normals)) => add_scaled(document, accessor.0, weight, normals),
            _ => Ok(()),
        });
        if let Err(error) = added {
            notes.add(format!("a morph target is left out: {error}"));
        }
    }
}

fn add_scaled(document: &Document, accessor: usize, weight: f32, to: &mut [Vec3]) -> Result<(), GltfError> {
    let found = document.count(accessor)?;
    if found != to.len() {
        return Err(invalid(format!("{found} differences for {} vertices", to.len())));
    }
    let differences = document.floats::<3>(accessor, IntegerConversion::AsDeclared)?;
    to.iter_mut().zip(differences).for_each(|(value, difference)| *value += Vec3::from(difference) * weight);
    Ok(())
}

/// World from mesh, one a joint.
pub(super) fn joint_matrices(
    document: &Document,
    skin: &Skin,
    hierarchy: &Hierarchy,
) -> Result<Vec<Affine3A>, GltfError> {
    let bind = match skin.inverse_bind_matrices {
        Some(accessor) if document.count(accessor.0)? < skin.joints.len() => {
            let found = document.count(accessor.0)?;
            return Err(invalid(format!("{found} inverse bind matrices for {} joints", skin.joints.len())));
        }
        Some(accessor) => Some(document.floats::<16>(accessor.0, IntegerConversion::AsDeclared)?),
        None => None,
    };
    let matrix = |(index, joint): (usize, &super::json::NonNegativeInt)| {
        get(&document.root.nodes, joint.0, "node")?;
        let world_from_joint = hierarchy.world_from_node(joint.0).unwrap_or(Affine3A::IDENTITY);
        let joint_from_mesh = bind
            .as_ref()
            .map_or(Affine3A::IDENTITY, |list| Affine3A::from_mat4(Mat4::from_cols_array(&list[index])));
        Ok(world_from_joint * joint_from_mesh)
    };
    skin.joints.iter().enumerate().map(matrix).collect()
}

/// Moves a part into the world by its joints; `otherwise` moves vertices that no joint holds.
pub(super) fn skin(
    part: &mut PrimitiveData,
    influences: &[Influence],
    joints: &[Affine3A],
    otherwise: Affine3A,
) {
    let mut mirrored = 0_usize;
    for vertex in 0..part.positions.len() {
        let world_from_mesh = blended(influences, joints, vertex).unwrap_or(otherwise);
        part.positions[vertex] = world_from_mesh.transform_point3(part.positions[vertex]);
        let linear = world_from_mesh.matrix3;
        mirrored += usize::from(linear.determinant() < 0.0);
        if let Some(normals) = &mut part.normals {
            normals[vertex] = transform_normal(linear, normals[vertex]);
        }
    }
    if let Topology::Faces(faces) = &mut part.topology
        && mirrored * 2 > part.positions.len()
    {
        faces.iter_mut().for_each(|face| face.swap(1, 2));
    }
}

/// The mean of a vertex's joint matrices by weight; `None` without weight.
fn blended(influences: &[Influence], joints: &[Affine3A], vertex: usize) -> Option<Affine3A> {
    let mut linear = Mat3A::ZERO;
    let mut translation = Vec3A::ZERO;
    let mut total = 0.0;
    for influence in influences {
        for (&joint, &weight) in influence.joints[vertex].iter().zip(&influence.weights[vertex]) {
            if let Some(matrix) = joints.get(joint as usize)
                && weight > 0.0
            {
                linear += matrix.matrix3 * weight;
                translation += matrix.translation * weight;
                total += weight;
            }
        }
    }
    (total > 0.0)
        .then(|| Affine3A { matrix3: linear * (1.0 / total), translation: translation * (1.0 / total) })
}

/// A normal under a linear map, by the cofactor matrix, which also serves where there is no inverse.
fn transform_normal(linear: Mat3A, normal: Vec3) -> Vec3 {
    let cofactor = Mat3A::from_cols(
        linear.y_axis.cross(linear.z_axis),
        linear.z_axis.cross(linear.x_axis),
        linear.x_axis.cross(linear.y_axis),
    );
    let sign = if linear.determinant() < 0.0 { -1.0 } else { 1.0 };
    (cofactor * normal * sign).normalize_or_zero()
}
