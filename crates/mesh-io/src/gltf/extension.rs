//! Required extensions: which are supported, and which can be ignored.

use super::error::{GltfError, Notes, quoted};
use super::json::Root;

/// Fully supported.
const SUPPORTED: &[&str] = &[
    "EXT_mesh_gpu_instancing",
    "EXT_meshopt_compression",
    "EXT_texture_webp",
    "KHR_draco_mesh_compression",
    "KHR_materials_emissive_strength",
    "KHR_materials_pbrSpecularGlossiness",
    "KHR_materials_unlit",
    "KHR_mesh_quantization",
    "KHR_meshopt_compression",
    "KHR_node_visibility",
    "KHR_texture_basisu",
    "KHR_texture_transform",
];

/// Names or prefixes of extensions that change appearance, animation or metadata, but not the rest pose geometry.
const IGNORABLE: &[&str] = &[
    "ADOBE_materials_",
    "AGI_",
    "CESIUM_primitive_outline",
    "EXT_feature_metadata",
    "EXT_instance_features",
    "EXT_lights_",
    "EXT_materials_",
    "EXT_mesh_features",
    "EXT_mesh_manifold",
    "EXT_mesh_polygon",
    "EXT_structural_metadata",
    "EXT_texture_",
    "FB_",
    "GODOT_",
    "KHR_animation_",
    "KHR_audio",
    "KHR_interactivity",
    "KHR_lights_",
    "KHR_materials_",
    "KHR_node_hoverability",
    "KHR_node_selectability",
    "KHR_physics_",
    "KHR_techniques_webgl",
    "KHR_texture_",
    "KHR_xmp",
    "MSFT_audio_emitter",
    "MSFT_packing_",
    "MSFT_texture_dds",
    "OMI_",
    "VRM",
];

/// Rejects unknown required extensions, which could change anything.
pub(super) fn check_required(root: &Root, notes: &mut Notes) -> Result<(), GltfError> {
    for name in &root.extensions_required {
        if SUPPORTED.contains(&name.as_str()) {
            continue;
        }
        // A vendor's material, light or animation adds to what the base of the format says.
        let adds =
            ["_materials_", "_texture", "_lights", "_animation"].iter().any(|part| name.contains(part));
        if adds || IGNORABLE.iter().any(|harmless| name.starts_with(harmless)) {
            notes.add(format!("{} is required but not applied; the shape is right without it", quoted(name)));
        } else {
            return Err(GltfError::Unsupported(format!("extension {}", quoted(name))));
        }
    }
    Ok(())
}
