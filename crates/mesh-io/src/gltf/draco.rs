//! [KHR_draco_mesh_compression], decoded by the pure-Rust crate `draco-core`.
//!
//! [KHR_draco_mesh_compression]: https://github.com/KhronosGroup/glTF/tree/main/extensions/2.0/Khronos/KHR_draco_mesh_compression

use draco_core::{DecodeLimits, DecoderBuffer, GeometryAttributeType, PointAttribute};

use super::document::Document;
use super::error::{GltfError, catch_decoder_panic, invalid, quoted};
use super::json;
use crate::limits;

/// Limits of one mesh or point cloud.
pub(crate) fn decode_limits() -> DecodeLimits {
    /// Most bytes of all attributes.
    const ATTRIBUTE_BYTES: u64 = 512 << 20;
    DecodeLimits::default()
        .with_max_points(limits::VERTICES as u64)
        .with_max_faces(limits::FACES as u64)
        .with_max_decoded_bytes(ATTRIBUTE_BYTES)
}

/// A decoded primitive.
pub(super) struct DecodedPrimitive<'d> {
    mesh: draco_core::Mesh,
    json: &'d json::Draco,
}

impl<'d> DecodedPrimitive<'d> {
    pub fn read(document: &Document, json: &'d json::Draco) -> Result<Self, GltfError> {
        let bytes = document.view(json.buffer_view.0)?.bytes;
        let decode = || {
            let mut mesh = draco_core::Mesh::new();
            let mut buffer = DecoderBuffer::new(bytes).with_limits(decode_limits());
            draco_core::MeshDecoder::new()
                .decode(&mut buffer, &mut mesh)
                .map_err(|error| error.to_string())?;
            Ok(mesh)
        };
        let mesh =
            catch_decoder_panic("Draco", decode).map_err(|reason| invalid(format!("Draco: {reason}")))?;
        if mesh.num_points() > limits::VERTICES {
            return Err(GltfError::too_large("number of vertices", mesh.num_points(), limits::VERTICES));
        }
        Ok(Self { mesh, json })
    }

    /// Number of vertices.
    pub fn count(&self) -> usize {
        self.mesh.num_points()
    }

    /// Triangles; their indices are unchecked.
    pub fn faces(&self) -> Vec<[u32; 3]> {
        self.mesh.faces().iter().map(|face| face.map(|point| point.0)).collect()
    }

    /// Whether the stream has this attribute; otherwise an accessor has it.
    pub fn has(&self, name: &str) -> bool {
        self.json.attributes.contains_key(name)
    }

    /// Number of components of an attribute.
    pub fn width(&self, name: &str) -> Result<usize, GltfError> {
        Ok(usize::from(self.attribute(name)?.num_components()))
    }

    /// One vector per vertex; integers are normalized if `normalized`.
    pub fn floats<const N: usize>(&self, name: &str, normalized: bool) -> Result<Vec<[f32; N]>, GltfError> {
        let attribute = self.attribute(name)?;
        if usize::from(attribute.num_components()) != N {
            let found = attribute.num_components();
            return Err(invalid(format!("Draco {}: expected {N} components, found {found}", quoted(name))));
        }
        let numbers = catch_decoder_panic("Draco", || Ok(attribute.read_f32s(self.count(), N)))
            .map_err(|reason| invalid(format!("Draco: {reason}")))?;
        let (vectors, _) = numbers.as_chunks::<N>();
        Ok(match largest(attribute).filter(|_| normalized) {
            Some(largest) => vectors.iter().map(|v| v.map(|c| (c / largest).max(-1.0))).collect(),
            None => vectors.to_vec(),
        })
    }

    fn attribute(&self, name: &str) -> Result<&PointAttribute, GltfError> {
        let id = self.json.attributes.get(name).and_then(|id| u32::try_from(id.0).ok());
        let by_id = id.and_then(|id| self.mesh.attribute_by_unique_id(id));
        // Some writers use indices instead of unique ids; positions at least can be found by their type.
        let by_kind =
            || (name == "POSITION").then(|| self.mesh.named_attribute(GeometryAttributeType::Position));
        by_id
            .or_else(|| by_kind().flatten())
            .ok_or_else(|| invalid(format!("Draco: the stream has no attribute {}", quoted(name))))
    }
}

/// The integer that is normalized to 1.
fn largest(attribute: &PointAttribute) -> Option<f32> {
    use draco_core::DataType;
    Some(match attribute.data_type() {
        DataType::Int8 => 127.0,
        DataType::Uint8 => 255.0,
        DataType::Int16 => 32_767.0,
        DataType::Uint16 => 65_535.0,
        DataType::Int32 => i32::MAX as f32,
        DataType::Uint32 => u32::MAX as f32,
        _ => return None,
    })
}
