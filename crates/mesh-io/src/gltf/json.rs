//! The part of glTF 2.0's JSON that shapes and their materials need, named as in the specification.
//!
//! Unknown members are skipped. Indices are not checked here, but where they are used.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de};

use super::error::{GltfError, invalid};

/// Most objects (`{`) in one document. Each costs some hundred bytes once parsed, so without this a text of
/// empty objects grows fifty-fold in memory.
const MAX_OBJECTS: usize = 2_000_000;

/// A whole number that is not negative. `24.0` counts as one, as JSON Schema has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NonNegativeInt(pub usize);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Root {
    pub asset: Asset,
    pub scene: Option<NonNegativeInt>,
    #[serde(default)]
    pub scenes: Vec<SceneNodes>,
    #[serde(default)]
    pub nodes: Vec<Node>,
    #[serde(default)]
    pub meshes: Vec<MeshJson>,
    #[serde(default)]
    pub skins: Vec<Skin>,
    #[serde(default)]
    pub accessors: Vec<Accessor>,
    #[serde(default)]
    pub buffer_views: Vec<BufferView>,
    #[serde(default)]
    pub buffers: Vec<Buffer>,
    #[serde(default)]
    pub materials: Vec<MaterialJson>,
    #[serde(default)]
    pub textures: Vec<TextureJson>,
    #[serde(default)]
    pub images: Vec<ImageJson>,
    #[serde(default)]
    pub samplers: Vec<Sampler>,
    #[serde(default)]
    pub extensions_required: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Asset {
    #[serde(default)]
    pub version: String,
    pub min_version: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct SceneNodes {
    #[serde(default)]
    pub nodes: Vec<NonNegativeInt>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Node {
    pub name: Option<String>,
    #[serde(default)]
    pub children: Vec<NonNegativeInt>,
    pub mesh: Option<NonNegativeInt>,
    pub skin: Option<NonNegativeInt>,
    pub matrix: Option<Box<[f32; 16]>>,
    pub translation: Option<[f32; 3]>,
    pub rotation: Option<[f32; 4]>,
    pub scale: Option<[f32; 3]>,
    pub weights: Option<Vec<f32>>,
    pub extensions: Option<Box<NodeExtensions>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct NodeExtensions {
    #[serde(rename = "EXT_mesh_gpu_instancing")]
    pub instancing: Option<Instancing>,
    #[serde(rename = "KHR_node_visibility")]
    pub visibility: Option<Visibility>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Instancing {
    #[serde(default)]
    pub attributes: BTreeMap<String, NonNegativeInt>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Visibility {
    pub visible: Option<bool>,
}

#[derive(Debug, Deserialize)]
pub(super) struct MeshJson {
    pub name: Option<String>,
    #[serde(default)]
    pub primitives: Vec<Primitive>,
    pub weights: Option<Vec<f32>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Primitive {
    #[serde(default)]
    pub attributes: BTreeMap<String, NonNegativeInt>,
    pub indices: Option<NonNegativeInt>,
    pub material: Option<NonNegativeInt>,
    pub mode: Option<NonNegativeInt>,
    #[serde(default)]
    pub targets: Vec<BTreeMap<String, NonNegativeInt>>,
    pub extensions: Option<Box<PrimitiveExtensions>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct PrimitiveExtensions {
    #[serde(rename = "KHR_draco_mesh_compression")]
    pub draco: Option<Draco>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Draco {
    pub buffer_view: NonNegativeInt,
    #[serde(default)]
    pub attributes: BTreeMap<String, NonNegativeInt>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Skin {
    pub inverse_bind_matrices: Option<NonNegativeInt>,
    #[serde(default)]
    pub joints: Vec<NonNegativeInt>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Accessor {
    pub buffer_view: Option<NonNegativeInt>,
    #[serde(default)]
    pub byte_offset: NonNegativeInt,
    pub component_type: NonNegativeInt,
    #[serde(default)]
    pub normalized: bool,
    pub count: NonNegativeInt,
    #[serde(rename = "type")]
    pub shape: String,
    pub sparse: Option<Box<Sparse>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Sparse {
    pub count: NonNegativeInt,
    pub indices: SparseIndices,
    pub values: SparseValues,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SparseIndices {
    pub buffer_view: NonNegativeInt,
    #[serde(default)]
    pub byte_offset: NonNegativeInt,
    pub component_type: NonNegativeInt,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SparseValues {
    pub buffer_view: NonNegativeInt,
    #[serde(default)]
    pub byte_offset: NonNegativeInt,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BufferView {
    pub buffer: NonNegativeInt,
    #[serde(default)]
    pub byte_offset: NonNegativeInt,
    pub byte_length: NonNegativeInt,
    pub byte_stride: Option<NonNegativeInt>,
    pub extensions: Option<Box<BufferViewExtensions>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct BufferViewExtensions {
    /// The ratified name carries the same streams, vertex codec version 1 included.
    #[serde(rename = "EXT_meshopt_compression", alias = "KHR_meshopt_compression")]
    pub meshopt: Option<Meshopt>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Meshopt {
    pub buffer: NonNegativeInt,
    #[serde(default)]
    pub byte_offset: NonNegativeInt,
    pub byte_length: NonNegativeInt,
    pub byte_stride: NonNegativeInt,
    pub count: NonNegativeInt,
    pub mode: String,
    pub filter: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Buffer {
    pub uri: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MaterialJson {
    pub name: Option<String>,
    pub pbr_metallic_roughness: Option<MetallicRoughness>,
    pub emissive_factor: Option<[f32; 3]>,
    pub emissive_texture: Option<TextureInfo>,
    pub alpha_mode: Option<String>,
    pub alpha_cutoff: Option<f32>,
    #[serde(default)]
    pub double_sided: bool,
    pub extensions: Option<Box<MaterialExtensions>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MetallicRoughness {
    pub base_color_factor: Option<[f32; 4]>,
    pub base_color_texture: Option<TextureInfo>,
    pub metallic_factor: Option<f32>,
    pub roughness_factor: Option<f32>,
    pub metallic_roughness_texture: Option<TextureInfo>,
}

#[derive(Debug, Deserialize)]
pub(super) struct MaterialExtensions {
    #[serde(rename = "KHR_materials_unlit")]
    pub unlit: Option<de::IgnoredAny>,
    #[serde(rename = "KHR_materials_emissive_strength")]
    pub emissive_strength: Option<EmissiveStrength>,
    #[serde(rename = "KHR_materials_pbrSpecularGlossiness")]
    pub specular_glossiness: Option<SpecularGlossiness>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EmissiveStrength {
    pub emissive_strength: Option<f32>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SpecularGlossiness {
    pub diffuse_factor: Option<[f32; 4]>,
    pub diffuse_texture: Option<TextureInfo>,
    pub glossiness_factor: Option<f32>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TextureInfo {
    pub index: NonNegativeInt,
    #[serde(default)]
    pub tex_coord: NonNegativeInt,
    pub extensions: Option<TextureInfoExtensions>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct TextureInfoExtensions {
    #[serde(rename = "KHR_texture_transform")]
    pub transform: Option<TextureTransform>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TextureTransform {
    pub offset: Option<[f32; 2]>,
    pub rotation: Option<f32>,
    pub scale: Option<[f32; 2]>,
    pub tex_coord: Option<NonNegativeInt>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TextureJson {
    pub sampler: Option<NonNegativeInt>,
    pub source: Option<NonNegativeInt>,
    pub extensions: Option<Box<TextureExtensions>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TextureExtensions {
    #[serde(rename = "KHR_texture_basisu")]
    pub basisu: Option<TextureSource>,
    #[serde(rename = "EXT_texture_webp")]
    pub webp: Option<TextureSource>,
    #[serde(rename = "EXT_texture_avif")]
    pub avif: Option<TextureSource>,
    #[serde(rename = "MSFT_texture_dds")]
    pub dds: Option<TextureSource>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TextureSource {
    pub source: Option<NonNegativeInt>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ImageJson {
    pub uri: Option<String>,
    pub buffer_view: Option<NonNegativeInt>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sampler {
    pub wrap_s: Option<NonNegativeInt>,
    pub wrap_t: Option<NonNegativeInt>,
}

/// Only what tells versions apart: glTF 1.0 has objects where 2.0 has lists, so its whole does not parse.
#[derive(Deserialize)]
struct Probe {
    asset: Option<Asset>,
}

impl Root {
    /// Parses a document and checks its version.
    pub fn parse(text: &[u8]) -> Result<Self, GltfError> {
        let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
        let objects = text.iter().filter(|&&byte| byte == b'{').count();
        if objects > MAX_OBJECTS {
            return Err(GltfError::too_large("number of JSON objects", objects, MAX_OBJECTS));
        }
        // Old exporters wrote names in Latin-1; a wrong letter in a name is no reason to lose the shape.
        let lossy;
        let text = match std::str::from_utf8(text) {
            Ok(text) => text,
            Err(_) => {
                lossy = String::from_utf8_lossy(text);
                &lossy
            }
        };
        let root = serde_json::from_str::<Self>(text);
        match &root {
            Ok(root) => root.asset.check_version()?,
            Err(_) => {
                if let Some(asset) = serde_json::from_str::<Probe>(text).ok().and_then(|probe| probe.asset) {
                    asset.check_version()?;
                }
            }
        }
        // The parser's message repeats what it found, however long that is.
        root.map_err(|error| {
            invalid(format!("JSON: {}", error.to_string().chars().take(300).collect::<String>()))
        })
    }
}

impl Asset {
    /// Any 2.x is readable unless the file says it needs more than 2.0 (specification, section 3.2).
    fn check_version(&self) -> Result<(), GltfError> {
        let major = |version: &str| version.split('.').next().and_then(|n| n.parse::<u32>().ok());
        let needed = self.min_version.as_deref();
        match major(&self.version) {
            Some(2) if needed.is_none_or(|v| v == "2.0") => Ok(()),
            Some(2) => Err(GltfError::Unsupported(format!("version {}", needed.unwrap_or_default()))),
            Some(_) => Err(GltfError::Unsupported(format!(
                "version {} (convert it to glTF 2.0, for example with gltf-pipeline)",
                self.version
            ))),
            None => Err(invalid(format!("asset.version: expected 2.0, found {:?}", self.version))),
        }
    }
}

impl<'de> Deserialize<'de> for NonNegativeInt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NonNegativeIntVisitor)
    }
}

struct NonNegativeIntVisitor;

impl de::Visitor<'_> for NonNegativeIntVisitor {
    type Value = NonNegativeInt;

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<NonNegativeInt, E> {
        usize::try_from(value).map(NonNegativeInt).map_err(|_| E::custom("number too large"))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<NonNegativeInt, E> {
        // Above 2^53 not every whole number is a double, and no count in a file is that large.
        if value.fract() == 0.0 && (0.0..9.0e15).contains(&value) {
            Ok(NonNegativeInt(value as usize))
        } else {
            Err(E::invalid_value(de::Unexpected::Float(value), &self))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_may_be_written_as_floats() {
        assert_eq!(serde_json::from_str::<NonNegativeInt>("24.0").unwrap(), NonNegativeInt(24));
        assert!(serde_json::from_str::<NonNegativeInt>("24.5").is_err());
        assert!(serde_json::from_str::<NonNegativeInt>("-1").is_err());
        assert!(serde_json::from_str::<NonNegativeInt>("1e300").is_err());
    }

    #[test]
    fn versions_are_distinguished() {
        let version = |text: &str| Root::parse(text.as_bytes()).map(|_| ()).unwrap_err().to_string();
        assert!(version(r#"{"asset":{"version":"1.0"},"meshes":{"a":{}}}"#).contains("version 1.0"));
        assert!(version(r#"{"asset":{"version":"2.1","minVersion":"2.1"}}"#).contains("2.1"));
        assert!(version(r#"{"asset":{"version":""}}"#).contains("expected 2.0"));
        assert!(Root::parse(br#"{"asset":{"version":"2.1"}}"#).is_ok());
    }
}
