//! Surface appearance: the part of glTF's [metallic-roughness material model] that rendering a view needs.
//!
//! [metallic-roughness material model]: https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html#materials

use glam::{Affine2, Vec2, Vec3, Vec4};
use image::RgbaImage;

/// What to do with alpha (glTF 2.0, section 3.9.4).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum AlphaMode {
    /// Alpha is ignored.
    #[default]
    Opaque,
    /// Fragments with alpha below the cutoff are discarded.
    Mask {
        /// The cutoff in `0..=1`.
        cutoff: f32,
    },
    /// Alpha blends the surface with what is behind it.
    Blend,
}

/// What a texture coordinate outside `0..1` means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wrap {
    /// Tiles the image.
    #[default]
    Repeat,
    /// Tiles the image, every other tile mirrored.
    Mirror,
    /// Repeats the edge texels.
    Clamp,
}

/// A decoded image, sRGB with straight alpha, top-left first.
#[derive(Clone, Debug, PartialEq)]
pub struct Texture {
    /// Pixels.
    pub image: RgbaImage,
    /// Wrapping along u and v.
    pub wrap: [Wrap; 2],
}

/// A material's reference to a texture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TextureRef {
    /// Index into [`Scene::textures`](crate::Scene::textures).
    pub texture: usize,
    /// KHR_texture_transform: applied to the mesh's coordinates before sampling.
    pub image_from_uv: Affine2,
}

impl TextureRef {
    /// A texture without transform.
    pub fn new(texture: usize) -> Self {
        Self { texture, image_from_uv: Affine2::from_translation(Vec2::ZERO) }
    }
}

/// Surface appearance. Factors are linear and multiply textures and vertex colors.
#[derive(Clone, Debug, PartialEq)]
pub struct Material {
    /// Name in the file.
    pub name: Option<String>,
    /// Linear RGBA factor.
    pub base_color: Vec4,
    /// Texture over the mesh's coordinates.
    pub base_color_texture: Option<TextureRef>,
    /// Linear emitted light.
    pub emissive: Vec3,
    /// Texture for `emissive`.
    pub emissive_texture: Option<TextureRef>,
    /// 0 (plastic, wood) to 1 (metal).
    pub metallic: f32,
    /// 0 (mirror) to 1 (chalk).
    pub roughness: f32,
    /// How alpha is used.
    pub alpha: AlphaMode,
    /// Whether back faces are visible.
    pub double_sided: bool,
    /// Whether light is ignored (KHR_materials_unlit).
    pub unlit: bool,
}

impl Default for Material {
    /// glTF's default: white, rough, opaque.
    fn default() -> Self {
        Self {
            name: None,
            base_color: Vec4::ONE,
            base_color_texture: None,
            emissive: Vec3::ZERO,
            emissive_texture: None,
            metallic: 0.0,
            roughness: 1.0,
            alpha: AlphaMode::Opaque,
            double_sided: false,
            unlit: false,
        }
    }
}
