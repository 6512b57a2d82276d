//! Morph targets and skins in the rest pose: default weights, and joints as placed in the file.

use glam::{Affine3A, Mat3A, Mat4, Vec3, Vec3A};

use super::accessor::IntegerConversion;
use super::attribute::Influence;
use super::document::{Document, get};
use super::error::{GltfError, Notes, invalid};
use super::json::{Primitive, Skin};
use super::nodes::Hierarchy;
use super::primitive::{PrimitiveData, Topology};

/// Adds the weighted targets to positions and normals.
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

/// World-from-mesh transforms, one per joint.
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

/// Transforms a part to world space by its joints; `otherwise` is for vertices without joints.
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
    // Faces are flipped if most vertices are mirrored; a part with both kinds has no right answer.
    if let Topology::Faces(faces) = &mut part.topology
        && mirrored * 2 > part.positions.len()
    {
        faces.iter_mut().for_each(|face| face.swap(1, 2));
    }
}

/// The weighted mean of a vertex's joint matrices; `None` if all weights are zero.
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
    // Weights of files often do not sum to 1.
    (total > 0.0)
        .then(|| Affine3A { matrix3: linear * (1.0 / total), translation: translation * (1.0 / total) })
}

/// Transforms a normal by the cofactor matrix, which exists for singular maps too.
fn transform_normal(linear: Mat3A, normal: Vec3) -> Vec3 {
    let cofactor = Mat3A::from_cols(
        linear.y_axis.cross(linear.z_axis),
        linear.z_axis.cross(linear.x_axis),
        linear.x_axis.cross(linear.y_axis),
    );
    let sign = if linear.determinant() < 0.0 { -1.0 } else { 1.0 };
    (cofactor * normal * sign).normalize_or_zero()
}
