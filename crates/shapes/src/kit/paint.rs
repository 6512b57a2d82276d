//! Named colors and materials.

use glam::{Vec3, vec3};
use lexiform_geometry::linear_from_srgb;

use super::Rng;

/// A named color.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Color {
    /// Name in captions.
    pub name: &'static str,
    /// Linear RGB in `0..=1`.
    pub rgb: Vec3,
}

/// Material of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaterialKind {
    /// Painted or unknown; not named in captions.
    Plain,
    /// Bare or stained wood.
    Wood,
    /// Any metal.
    Metal,
    /// Plastic.
    Plastic,
    /// Cloth.
    Fabric,
    /// Glass.
    Glass,
    /// Stone, concrete, brick.
    Stone,
    /// Leather.
    Leather,
    /// Fired style, porcelain.
    Ceramic,
}

impl MaterialKind {
    /// Adjective in captions: "wooden".
    pub fn adjective(self) -> Option<&'static str> {
        Some(match self {
            Self::Plain => return None,
            Self::Wood => "wooden",
            Self::Metal => "metal",
            Self::Plastic => "plastic",
            Self::Fabric => "fabric",
            Self::Glass => "glass",
            Self::Stone => "stone",
            Self::Leather => "leather",
            Self::Ceramic => "ceramic",
        })
    }

    fn metallic_roughness(self) -> (f32, f32) {
        match self {
            Self::Plain => (0.0, 0.8),
            Self::Wood => (0.0, 0.75),
            Self::Metal => (0.8, 0.35),
            Self::Plastic => (0.0, 0.45),
            Self::Fabric => (0.0, 1.0),
            Self::Glass => (0.1, 0.1),
            Self::Stone => (0.0, 0.95),
            Self::Leather => (0.0, 0.6),
            Self::Ceramic => (0.0, 0.25),
        }
    }
}

/// Color and material of a part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Paint {
    /// Color.
    pub color: Color,
    /// Material.
    pub material: MaterialKind,
    /// Emission as a fraction of the color (glTF `emissiveFactor`).
    pub emission: f32,
}

impl Paint {
    /// A color on a material.
    pub fn new(color: Color, material: MaterialKind) -> Self {
        Self { color, material, emission: 0.0 }
    }

    /// With emission.
    pub fn emissive(self, share: f32) -> Self {
        Self { emission: share, ..self }
    }

    /// With its color darkened (below 1) or lightened (above 1); keeps the name.
    pub fn shade(mut self, factor: f32) -> Self {
        self.color.rgb = (self.color.rgb * factor).clamp(Vec3::ZERO, Vec3::ONE);
        self
    }

    /// Metallic and roughness factors as in glTF.
    pub fn metallic_roughness(&self) -> (f32, f32) {
        self.material.metallic_roughness()
    }
}

/// Named colors in sRGB.
pub(crate) const PALETTE: &[(&str, [u8; 3])] = &[
    ("red", [204, 38, 34]),
    ("dark red", [120, 20, 22]),
    ("orange", [235, 125, 30]),
    ("yellow", [245, 205, 50]),
    ("light green", [140, 205, 90]),
    ("green", [60, 150, 60]),
    ("dark green", [28, 82, 42]),
    ("teal", [30, 140, 140]),
    ("light blue", [120, 185, 230]),
    ("blue", [45, 95, 200]),
    ("navy", [25, 35, 90]),
    ("purple", [120, 60, 160]),
    ("pink", [240, 140, 180]),
    ("brown", [120, 75, 42]),
    ("dark brown", [70, 44, 28]),
    ("beige", [220, 200, 165]),
    ("white", [240, 240, 238]),
    ("gray", [135, 137, 140]),
    ("light gray", [190, 192, 195]),
    ("dark gray", [75, 77, 80]),
    ("black", [28, 28, 30]),
    ("gold", [212, 170, 60]),
    ("silver", [195, 198, 204]),
    ("bronze", [150, 100, 50]),
    ("copper", [190, 105, 70]),
    ("cream", [245, 232, 200]),
    ("tan", [200, 160, 110]),
    ("skin", [235, 190, 150]),
];

/// Colors of painted objects.
const BRIGHT: &[&str] = &[
    "red",
    "dark red",
    "orange",
    "yellow",
    "light green",
    "green",
    "dark green",
    "teal",
    "light blue",
    "blue",
    "navy",
    "purple",
    "pink",
    "brown",
    "beige",
    "white",
    "gray",
    "dark gray",
    "black",
];

impl Rng {
    /// The named color with small random deviations; gray if the name is not in the palette.
    pub fn color(&mut self, name: &str) -> Color {
        let (name, srgb) = PALETTE.iter().find(|c| c.0 == name).copied().unwrap_or(("gray", [135, 137, 140]));
        // Squared in linear light, which is about the factor itself in sRGB.
        let value = self.between(0.86, 1.12);
        // A slight color cast, independent of brightness.
        let tint = vec3(self.normal(), self.normal(), self.normal()) * 0.025;
        let rgb = Vec3::from(srgb.map(linear_from_srgb)) * value * value * (Vec3::ONE + tint * 2.0);
        Color { name, rgb: rgb.clamp(Vec3::ZERO, Vec3::ONE) }
    }

    /// One of the named colors, with small random deviations.
    pub fn color_of(&mut self, names: &[&str]) -> Color {
        let name = self.choose(names);
        self.color(name)
    }

    /// Any color of painted objects.
    pub fn any_color(&mut self) -> Color {
        self.color_of(BRIGHT)
    }

    /// Any color on a material.
    pub fn painted(&mut self, material: MaterialKind) -> Paint {
        Paint::new(self.any_color(), material)
    }

    /// A named color on a material.
    pub fn paint(&mut self, name: &str, material: MaterialKind) -> Paint {
        Paint::new(self.color(name), material)
    }

    /// One of the named colors on a material.
    pub fn paint_of(&mut self, names: &[&str], material: MaterialKind) -> Paint {
        Paint::new(self.color_of(names), material)
    }

    /// Unpainted wood, light to dark.
    pub fn wood(&mut self) -> Paint {
        self.paint_of(&["brown", "brown", "brown", "tan", "tan", "dark brown", "beige"], MaterialKind::Wood)
    }

    /// Bare or dark painted metal.
    pub fn metal(&mut self) -> Paint {
        self.paint_of(&["silver", "silver", "gray", "light gray", "dark gray", "black"], MaterialKind::Metal)
    }

    /// Glass, as a pale opaque color.
    pub fn glass(&mut self) -> Paint {
        self.paint_of(&["light blue", "light blue", "light gray", "white"], MaterialKind::Glass)
    }
}
