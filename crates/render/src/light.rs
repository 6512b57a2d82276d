//! The lighting model: light reflected from a surface to the camera.

use glam::Vec3;

use crate::config::Light;

/// The lights of a scene, prepared for shading.
#[derive(Clone, Copy)]
pub(crate) struct Lighting {
    light: Light,
    /// Unit vector.
    towards_key: Vec3,
}

impl Lighting {
    pub(crate) fn new(light: &Light) -> Self {
        let towards_key = Vec3::from(light.key_direction).try_normalize().unwrap_or(Vec3::Y);
        Self { light: *light, towards_key }
    }

    /// Light reflected by a matte white surface. `normal` and `view` are unit vectors; `view` points to the camera.
    #[inline(always)]
    pub(crate) fn irradiance(&self, normal: Vec3, view: Vec3) -> f32 {
        // Wrap lighting: a large light source still reaches surfaces that face slightly away from its center.
        let key = (0.25 + 0.75 * normal.dot(self.towards_key)).max(0.0);
        self.ambient(normal.y) + self.light.key * key * key + self.light.headlight * normal.dot(view).abs()
    }

    /// Light reflected by a white metal: instead of an environment map, a sky that is brighter than the ground, with a sharper
    /// horizon for smoother metal.
    #[inline(always)]
    pub(crate) fn reflected(&self, normal: Vec3, view: Vec3, roughness: f32) -> f32 {
        // The mirrored view direction; a steeper gradient of the sky makes the metal look smoother.
        let towards = normal * (2.0 * normal.dot(view)) - view;
        let sharpness = 2.5 - 1.5 * roughness;
        let key = towards.dot(self.towards_key).max(0.0);
        let highlight = key * key * key * key * self.light.key * (2.0 - roughness);
        self.ambient((towards.y * sharpness).clamp(-1.0, 1.0)) + highlight + 1.4 * self.light.headlight
    }

    #[inline(always)]
    fn ambient(&self, up: f32) -> f32 {
        self.light.ground + (self.light.sky - self.light.ground) * (0.5 + 0.5 * up)
    }
}
