//! Scenes → GLB.

use std::io::Cursor;

use glam::{Affine2, Vec2, Vec3, Vec4};
use image::ImageFormat;
use serde_json::{Map, Value, json};

use lexiform_geometry::{AlphaMode, Bounds, Material, Mesh, PointCloud, Scene, Texture, TextureRef, Wrap};

const FLOAT: u32 = 5126;
const UNSIGNED_INT: u32 = 5125;
const ARRAY_BUFFER: u32 = 34_962;
const ELEMENT_ARRAY_BUFFER: u32 = 34_963;
const POINTS: u32 = 0;

/// Why a scene cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GlbError {
    /// A texture cannot be encoded.
    #[error("texture {texture} cannot be written as PNG: {source}")]
    Texture {
        /// Index into [`Scene::textures`].
        texture: usize,
        /// What the encoder says.
        source: image::ImageError,
    },
    /// The file would not fit in the 32-bit lengths of a GLB.
    #[error("the scene takes {bytes} bytes, a GLB holds less than 4 GiB")]
    TooLarge {
        /// Length of its binary part.
        bytes: usize,
    },
}

/// Writes a scene as one GLB: a node for each mesh and cloud that is not empty, textures embedded as PNG. The same
/// scene always gives the same bytes.
///
/// # Errors
///
/// When a texture cannot be encoded, or the scene does not fit in a GLB.
pub fn write_glb(scene: &Scene) -> Result<Vec<u8>, GlbError> {
    let mut writer = Writer::default();
    for (index, texture) in scene.textures.iter().enumerate() {
        writer.texture(texture).map_err(|source| GlbError::Texture { texture: index, source })?;
    }
    let materials: Vec<Value> = scene.materials.iter().map(|material| writer.material(material)).collect();
    writer.list("materials", materials);
    for mesh in scene.meshes.iter().filter(|mesh| !mesh.faces().is_empty()) {
        writer.mesh(mesh);
    }
    for cloud in scene.clouds.iter().filter(|cloud| !cloud.positions().is_empty()) {
        writer.cloud(cloud);
    }
    writer.finish()
}

/// Builds a document.
#[derive(Default)]
struct Writer {
    root: Map<String, Value>,
    binary: Vec<u8>,
    extensions: std::collections::BTreeSet<&'static str>,
}

impl Writer {
    /// Appends to a list of the document; returns the index.
    fn push(&mut self, list: &str, value: Value) -> usize {
        let entry = self.root.entry(list).or_insert_with(|| Value::Array(Vec::new()));
        match entry {
            Value::Array(values) => {
                values.push(value);
                values.len() - 1
            }
            _ => 0,
        }
    }

    fn list(&mut self, name: &str, values: Vec<Value>) {
        if !values.is_empty() {
            self.root.insert(name.to_owned(), Value::Array(values));
        }
    }

    /// Appends bytes at a multiple of four, the alignment of all component types.
    fn view(&mut self, bytes: &[u8], target: Option<u32>) -> usize {
        self.binary.resize(self.binary.len().next_multiple_of(4), 0);
        let mut view = json!({ "buffer": 0, "byteOffset": self.binary.len(), "byteLength": bytes.len() });
        if let Some(target) = target {
            view["target"] = target.into();
        }
        self.binary.extend_from_slice(bytes);
        self.push("bufferViews", view)
    }

    fn accessor<T: bytemuck::NoUninit>(&mut self, values: &[T], kind: &str, component: u32) -> usize {
        let target = if component == UNSIGNED_INT { ELEMENT_ARRAY_BUFFER } else { ARRAY_BUFFER };
        // Faces are one value here, three indices in the file.
        let count = values.len() * if component == UNSIGNED_INT { 3 } else { 1 };
        let view = self.view(bytemuck::cast_slice(values), Some(target));
        self.push(
            "accessors",
            json!({ "bufferView": view, "componentType": component, "count": count, "type": kind }),
        )
    }

    /// Positions, with the bounds that the specification requires.
    fn positions(&mut self, positions: &[Vec3]) -> usize {
        let accessor = self.accessor(positions, "VEC3", FLOAT);
        if let Some(bounds) = Bounds::from_points(positions.iter().copied()) {
            let json = &mut self.root["accessors"][accessor];
            json["min"] = json!(bounds.min.to_array());
            json["max"] = json!(bounds.max.to_array());
        }
        accessor
    }

    fn mesh(&mut self, mesh: &Mesh) {
        let mut attributes = json!({ "POSITION": self.positions(mesh.positions()) });
        if let Some(normals) = mesh.normals() {
            attributes["NORMAL"] = self.accessor(normals, "VEC3", FLOAT).into();
        }
        if let Some(uvs) = mesh.uvs() {
            attributes["TEXCOORD_0"] = self.accessor::<Vec2>(uvs, "VEC2", FLOAT).into();
        }
        if let Some(colors) = mesh.colors() {
            attributes["COLOR_0"] = self.accessor::<Vec4>(colors, "VEC4", FLOAT).into();
        }
        let indices = self.accessor(mesh.faces(), "SCALAR", UNSIGNED_INT);
        let mut primitive = json!({ "attributes": attributes, "indices": indices });
        if let Some(material) = mesh.material {
            primitive["material"] = material.into();
        }
        self.node(primitive, mesh.name.as_deref());
    }

    fn cloud(&mut self, cloud: &PointCloud) {
        let mut attributes = json!({ "POSITION": self.positions(cloud.positions()) });
        if let Some(normals) = cloud.normals() {
            attributes["NORMAL"] = self.accessor(normals, "VEC3", FLOAT).into();
        }
        if let Some(colors) = cloud.colors() {
            attributes["COLOR_0"] = self.accessor(colors, "VEC3", FLOAT).into();
        }
        self.node(json!({ "attributes": attributes, "mode": POINTS }), None);
    }

    fn node(&mut self, primitive: Value, name: Option<&str>) {
        let mesh = self.push("meshes", json!({ "primitives": [primitive] }));
        let mut node = json!({ "mesh": mesh });
        if let Some(name) = name {
            node["name"] = name.into();
        }
        self.push("nodes", node);
    }

    fn texture(&mut self, texture: &Texture) -> Result<(), image::ImageError> {
        let mut png = Cursor::new(Vec::new());
        texture.image.write_to(&mut png, ImageFormat::Png)?;
        let view = self.view(&png.into_inner(), None);
        let source = self.push("images", json!({ "bufferView": view, "mimeType": "image/png" }));
        let [wrap_s, wrap_t] = texture.wrap.map(|wrap| match wrap {
            Wrap::Repeat => 10_497,
            Wrap::Mirror => 33_648,
            Wrap::Clamp => 33_071,
        });
        let sampler = self.push("samplers", json!({ "wrapS": wrap_s, "wrapT": wrap_t }));
        self.push("textures", json!({ "source": source, "sampler": sampler }));
        Ok(())
    }

    fn material(&mut self, material: &Material) -> Value {
        let mut pbr = json!({
            "baseColorFactor": material.base_color.to_array(),
            "metallicFactor": material.metallic,
            "roughnessFactor": material.roughness,
        });
        if let Some(used) = &material.base_color_texture {
            pbr["baseColorTexture"] = self.texture_info(used);
        }
        let mut json = json!({ "pbrMetallicRoughness": pbr, "doubleSided": material.double_sided });
        if let Some(name) = &material.name {
            json["name"] = name.as_str().into();
        }
        match material.alpha {
            AlphaMode::Opaque => {}
            AlphaMode::Mask { cutoff } => {
                json["alphaMode"] = "MASK".into();
                json["alphaCutoff"] = cutoff.into();
            }
            AlphaMode::Blend => json["alphaMode"] = "BLEND".into(),
        }
        if material.emissive != Vec3::ZERO {
            // Factors are at most 1; brighter emission needs a strength.
            let strength = material.emissive.max_element().max(1.0);
            json["emissiveFactor"] = json!((material.emissive / strength).to_array());
            if strength > 1.0 {
                self.extensions.insert("KHR_materials_emissive_strength");
                json["extensions"]["KHR_materials_emissive_strength"] =
                    json!({ "emissiveStrength": strength });
            }
        }
        if let Some(used) = &material.emissive_texture {
            json["emissiveTexture"] = self.texture_info(used);
        }
        if material.unlit {
            self.extensions.insert("KHR_materials_unlit");
            json["extensions"]["KHR_materials_unlit"] = json!({});
        }
        json
    }

    fn texture_info(&mut self, used: &TextureRef) -> Value {
        let mut info = json!({ "index": used.texture });
        if used.image_from_uv != Affine2::IDENTITY {
            self.extensions.insert("KHR_texture_transform");
            // The extension has no shear, and rotates in the opposite direction.
            let (scale, angle, offset) = used.image_from_uv.to_scale_angle_translation();
            let transform =
                json!({ "offset": offset.to_array(), "rotation": -angle, "scale": scale.to_array() });
            info["extensions"]["KHR_texture_transform"] = transform;
        }
        info
    }

    fn finish(mut self) -> Result<Vec<u8>, GlbError> {
        self.binary.resize(self.binary.len().next_multiple_of(4), 0);
        let n_nodes = self.root.get("nodes").and_then(Value::as_array).map_or(0, Vec::len);
        let scene =
            if n_nodes == 0 { json!({}) } else { json!({ "nodes": (0..n_nodes).collect::<Vec<_>>() }) };
        self.push("scenes", scene);
        self.root.insert("scene".to_owned(), 0.into());
        self.root
            .insert("asset".to_owned(), json!({ "version": "2.0", "generator": lexiform_formats::SOFTWARE }));
        if !self.binary.is_empty() {
            self.push("buffers", json!({ "byteLength": self.binary.len() }));
        }
        let extensions = self.extensions.iter().map(|&name| name.into()).collect();
        self.list("extensionsUsed", extensions);
        let mut text = Value::Object(self.root).to_string().into_bytes();
        // JSON is padded with spaces, binary data with zeros.
        text.resize(text.len().next_multiple_of(4), b' ');
        container(&text, &self.binary)
    }
}

/// Assembles a GLB from its two chunks, both padded to four bytes.
fn container(text: &[u8], binary: &[u8]) -> Result<Vec<u8>, GlbError> {
    let body = 8 + text.len() + if binary.is_empty() { 0 } else { 8 + binary.len() };
    let length = u32::try_from(12 + body).map_err(|_| GlbError::TooLarge { bytes: binary.len() })?;
    let mut glb = Vec::with_capacity(12 + body);
    glb.extend_from_slice(b"glTF");
    glb.extend_from_slice(&2_u32.to_le_bytes());
    glb.extend_from_slice(&length.to_le_bytes());
    for (kind, chunk) in [(b"JSON", text), (b"BIN\0", binary)] {
        if !chunk.is_empty() {
            glb.extend_from_slice(&(chunk.len() as u32).to_le_bytes());
            glb.extend_from_slice(kind);
            glb.extend_from_slice(chunk);
        }
    }
    Ok(glb)
}
