//! Wavefront MTL: the materials of OBJ files.
//!
//! Colors are display values (sRGB), as the viewers people author in show them. `Kd` multiplies `map_Kd` only where
//! it is a tint: next to a texture, gray and black are what exporters write by default.

use std::io::{self, BufRead};
use std::path::{Path, PathBuf};

use glam::{Affine2, Vec2, Vec3};

use crate::{
    color,
    image_file::{TextureFiles, find_near},
    limits,
    sidecar::{Sidecar, Sidecars, for_each_line},
    text,
};
use lexiform_geometry::{AlphaMode, Material, TextureRef};

/// One `newmtl` block as written.
#[derive(Clone, Debug, Default)]
pub(super) struct Mtl {
    pub name: String,
    /// The file it is in, which the names of its textures are relative to.
    library: PathBuf,
    diffuse: Option<Vec3>,
    ambient: Option<Vec3>,
    emissive: Option<Vec3>,
    shininess: Option<f64>,
    opacity: Option<f32>,
    transparency: Option<f32>,
    illumination: Option<i64>,
    map_diffuse: Option<Map>,
    map_opacity: Option<Map>,
    map_emissive: Option<Map>,
}

/// A texture statement.
#[derive(Clone, Debug, PartialEq)]
struct Map {
    file: String,
    offset: Vec2,
    scale: Vec2,
    clamp: bool,
}

/// Parses a library.
fn parse(library: &Path, bytes: &[u8]) -> Vec<Mtl> {
    let mut materials: Vec<Mtl> = Vec::new();
    for (_, line) in text::lines(&text::without_byte_order_mark(bytes)) {
        let (keyword, rest) = text::split_keyword(line);
        let keyword = keyword.to_ascii_lowercase();
        if keyword == b"newmtl" {
            materials.push(Mtl { name: text::decode(rest), library: library.to_owned(), ..Mtl::default() });
        } else if let Some(material) = materials.last_mut() {
            material.set(&keyword, rest);
        }
    }
    materials
}

impl Mtl {
    fn set(&mut self, keyword: &[u8], rest: &[u8]) {
        let last = || text::fields(rest).last().and_then(text::number);
        match keyword {
            b"kd" => self.diffuse = rgb(rest).or(self.diffuse),
            b"ka" => self.ambient = rgb(rest),
            b"ke" => self.emissive = rgb(rest),
            b"ns" => self.shininess = last(),
            // The last field, because `-halo` may precede it.
            b"d" => self.opacity = last().map(|d| d as f32),
            b"tr" => self.transparency = last().map(|t| t as f32),
            b"illum" => self.illumination = text::integer(rest),
            b"map_kd" => self.map_diffuse = map(rest).or(self.map_diffuse.take()),
            b"map_d" | b"map_opacity" => self.map_opacity = map(rest),
            b"map_ke" | b"map_emissive" => self.map_emissive = map(rest),
            _ => {}
        }
    }

    /// `Tr` is defined as 1 − `d`, but several exporters write 1 for "opaque".
    fn alpha(&self) -> f32 {
        let written = match (self.opacity, self.transparency) {
            (Some(d), _) => d,
            (None, Some(t)) if t < 1.0 => 1.0 - t,
            _ => 1.0,
        };
        if written.is_finite() { written.clamp(0.0, 1.0) } else { 1.0 }
    }
}

fn rgb(rest: &[u8]) -> Option<Vec3> {
    let values: Vec<f64> = text::fields(rest).map_while(text::number).take(3).collect();
    let color = match values[..] {
        [gray] => Vec3::splat(gray as f32),
        [r, g, b] => Vec3::new(r as f32, g as f32, b as f32),
        _ => return None,
    };
    // Some exporters write bytes.
    Some(if color.max_element() > 2.0 { color / 255.0 } else { color })
}

/// `map_Kd -s 2 2 -clamp on my texture.png`: options first, then a name that may hold spaces.
fn map(rest: &[u8]) -> Option<Map> {
    let mut map = Map { file: String::new(), offset: Vec2::ZERO, scale: Vec2::ONE, clamp: false };
    let mut rest = rest;
    while rest.first() == Some(&b'-') {
        let (option, mut after) = text::split_keyword(rest);
        let wanted = match option {
            b"-o" | b"-s" | b"-t" => 3,
            b"-mm" => 2,
            b"-blendu" | b"-blendv" | b"-cc" | b"-clamp" | b"-bm" | b"-boost" | b"-texres" | b"-imfchan"
            | b"-type" => 1,
            _ => break,
        };
        let mut numbers = Vec::new();
        for i in 0..wanted {
            let (value, next) = text::split_keyword(after);
            match text::number(value) {
                Some(number) => numbers.push(number as f32),
                // -o, -s and -t may have fewer than three numbers; the other options have a word.
                None if wanted == 3 && i > 0 => break,
                None if option == b"-clamp" => map.clamp = value.eq_ignore_ascii_case(b"on"),
                None => {}
            }
            after = next;
        }
        let pair = |missing: f32| {
            Vec2::new(numbers.first().copied().unwrap_or(missing), numbers.get(1).copied().unwrap_or(missing))
        };
        match option {
            b"-o" => map.offset = pair(0.0),
            b"-s" => map.scale = pair(1.0),
            _ => {}
        }
        rest = after;
    }
    map.file = text::decode(rest);
    (!map.file.is_empty()).then_some(map)
}

/// Reads the libraries an OBJ file at `owner` names, each given as the whole rest of a `mtllib` line.
pub(super) fn read_libraries(owner: &Path, lines: &[String], notes: &mut Vec<String>) -> Vec<Mtl> {
    let mut materials = Vec::new();
    let mut load = |name: &str| {
        let Some(path) = find_near(owner, name) else { return false };
        let Some(bytes) = read_bounded(&path) else { return false };
        materials.extend(parse(&path, &bytes));
        true
    };
    for line in lines {
        if load(line) {
            continue;
        }
        for name in split_names(line) {
            if !load(&name) {
                notes.push(format!("material library \"{}\" is missing", name.escape_debug()));
            }
        }
    }
    if materials.is_empty() && !lines.is_empty() {
        // After renaming, the library usually still has the name of the OBJ file.
        let named = owner.with_extension("mtl");
        let bytes = named.is_file().then(|| read_bounded(&named)).flatten();
        materials = parse(&named, &bytes.unwrap_or_default());
    }
    materials
}

/// The file names that the rest of a `mtllib` line may mean: one name, or several.
pub(super) fn library_names(line: &str) -> Vec<String> {
    let mut names = vec![line.to_owned()];
    names.extend(split_names(line).into_iter().filter(|name| name != line));
    names
}

/// The textures of a library, also those of statements that have no use here.
pub(crate) fn library_sidecars(content: impl BufRead, sidecars: &mut Sidecars) -> io::Result<()> {
    for_each_line(content, |line| {
        let (keyword, rest) = text::split_keyword(line);
        let keyword = keyword.to_ascii_lowercase();
        if (keyword.starts_with(b"map_") || keyword == b"bump" || keyword == b"norm")
            && let Some(map) = map(rest)
        {
            sidecars.push(Sidecar::literal(&map.file, false));
        }
    })
}

fn read_bounded(path: &Path) -> Option<Vec<u8>> {
    let small = std::fs::metadata(path).ok()?.len() <= limits::SIDE_FILE_BYTES;
    small.then(|| std::fs::read(path).ok()).flatten()
}

/// Several names on one line, each of which may hold spaces: a name ends with `.mtl`.
fn split_names(line: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    for word in line.split_whitespace() {
        if let Some(name) = names.last_mut() {
            if !name.is_empty() {
                name.push(' ');
            }
            name.push_str(word);
        }
        if word.to_ascii_lowercase().ends_with(".mtl") {
            names.push(String::new());
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// Facts about the file that affect how a material is resolved.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MaterialContext {
    /// Whether its vertices have colors of their own.
    pub vertex_colors: bool,
    /// Whether every material of the file is black and untextured, which only happens in broken exports.
    pub all_black: bool,
}

/// Whether a material gives nothing but black.
pub(super) fn is_black(material: &Mtl) -> bool {
    material.map_diffuse.is_none() && material.diffuse.is_some_and(|kd| kd.max_element() <= 0.0)
}

/// Converts a material and loads its textures.
pub(super) fn resolve(mtl: &Mtl, context: MaterialContext, files: &mut TextureFiles) -> Material {
    files.set_library(&mtl.library);
    let mut load = |map: &Option<Map>| {
        let map = map.as_ref()?;
        let texture = files.load(&map.file, map.clamp)?;
        // MTL's v runs upward: v' = 1 − (offset + scale · (1 − v)).
        let flip = Affine2::from_scale_angle_translation(Vec2::new(1.0, -1.0), 0.0, Vec2::Y);
        let transform = flip * Affine2::from_scale_angle_translation(map.scale, 0.0, map.offset) * flip;
        Some(TextureRef { texture, image_from_uv: transform })
    };
    let base_color_texture = load(&mtl.map_diffuse);
    let emissive_texture = load(&mtl.map_emissive);
    let alpha = mtl.alpha();
    let emissive = mtl.emissive.map_or(Vec3::ZERO, color::from_unit);
    let mask = base_color_texture.filter(|_| mtl.map_opacity.is_some() || alpha >= 1.0);
    let own_alpha = match (mask, &mtl.map_opacity, &mtl.map_diffuse) {
        (Some(base), Some(opacity), Some(diffuse)) if opacity.file != diffuse.file => {
            merge_opacity(files, base.texture, opacity)
        }
        (Some(base), Some(_), _) => has_alpha(files, base.texture),
        // Without map_d, alpha may be gloss or nothing at all: it is a cut-out only where it is all or none.
        (Some(base), None, _) => is_cut_out(files, base.texture),
        _ => false,
    };
    Material {
        name: (!mtl.name.is_empty()).then(|| mtl.name.clone()),
        base_color: diffuse(mtl, base_color_texture.is_some(), context).extend(alpha),
        base_color_texture,
        emissive: if emissive_texture.is_some() && emissive == Vec3::ZERO { Vec3::ONE } else { emissive },
        emissive_texture,
        roughness: roughness(mtl.shininess),
        alpha: match (alpha < 1.0, own_alpha) {
            (true, _) => AlphaMode::Blend,
            (_, true) => AlphaMode::Mask { cutoff: 0.5 },
            _ => AlphaMode::Opaque,
        },
        // MTL has no notion of sides, and many files are modeled without care for them.
        double_sided: true,
        unlit: mtl.illumination == Some(0),
        ..Material::default()
    }
}

/// Linear diffuse factor.
fn diffuse(mtl: &Mtl, textured: bool, context: MaterialContext) -> Vec3 {
    let Some(kd) = mtl.diffuse else {
        return Vec3::ONE;
    };
    let black = kd.max_element() <= 0.0;
    // Exporters write gray or black next to a texture, meaning "no tint".
    let gray = (kd - Vec3::splat(kd.x)).abs().max_element() < 1e-3;
    if textured && gray || context.vertex_colors && black {
        return Vec3::ONE;
    }
    if context.all_black {
        let other = mtl.ambient.into_iter().chain(mtl.emissive).find(|c| c.max_element() > 0.0);
        return color::from_unit(other.unwrap_or(Vec3::splat(0.75)));
    }
    color::from_unit(kd)
}

/// Phong exponent → roughness, by matching the width of the highlight.
fn roughness(exponent: Option<f64>) -> f32 {
    let exponent = exponent.filter(|e| e.is_finite()).unwrap_or(0.0).max(0.0);
    ((2.0 / (exponent + 2.0)).powf(0.25) as f32).clamp(0.0, 1.0)
}

fn has_alpha(files: &TextureFiles, texture: usize) -> bool {
    files.textures[texture].image.pixels().any(|p| p[3] < 250)
}

fn is_cut_out(files: &TextureFiles, texture: usize) -> bool {
    let image = &files.textures[texture].image;
    // JPEG-like noise around 0 and 255 counts as fully transparent and opaque.
    let clear = image.pixels().filter(|p| p[3] < 8).count();
    let half = image.pixels().filter(|p| (8..248).contains(&p[3])).count();
    let all = image.pixels().len();
    clear > 0 && clear < all && half * 20 < all
}

/// Puts the brightness of `map_d` into the alpha of the texture; whether that leaves holes.
fn merge_opacity(files: &mut TextureFiles, base: usize, map: &Map) -> bool {
    let Some(opacity) = files.load(&map.file, map.clamp) else { return has_alpha(files, base) };
    let mask = files.textures[opacity].image.clone();
    // A mask is in the alpha channel if that is used, otherwise in the brightness.
    let own = mask.pixels().any(|p| p[3] < 250);
    let image = &mut files.textures[base].image;
    let (width, height) = image.dimensions();
    for (x, y, pixel) in image.enumerate_pixels_mut() {
        let at = |i: u32, n: u32, m: u32| (u64::from(i) * u64::from(m) / u64::from(n)) as u32;
        let from = mask.get_pixel(at(x, width, mask.width()), at(y, height, mask.height()));
        pixel[3] = if own { from[3] } else { from[0].max(from[1]).max(from[2]) };
    }
    has_alpha(files, base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_come_before_a_name_with_spaces() {
        let map = |line: &str| map(line.as_bytes()).unwrap();
        assert_eq!(map("my texture 01.png").file, "my texture 01.png");
        let options = map("-s 2 3 1 -o 0.5 -clamp on -bm 1.5 -imfchan l a b.png");
        assert_eq!((options.file.as_str(), options.clamp), ("a b.png", true));
        assert_eq!((options.scale, options.offset), (Vec2::new(2.0, 3.0), Vec2::new(0.5, 0.0)));
    }

    #[test]
    fn libraries_with_spaces_share_a_line() {
        assert_eq!(split_names("box mtllib green.mtl box.MTL "), ["box mtllib green.mtl", "box.MTL"]);
    }

    #[test]
    fn black_is_replaced_if_color_comes_from_elsewhere() {
        let mtl = &parse(Path::new("x.mtl"), b"newmtl a\nKd 0 0 0\nKa 1 0 0\nTr 1.0\n")[0];
        let look = |context| resolve(mtl, context, &mut TextureFiles::new(Path::new("x.obj"))).base_color;
        assert_eq!(look(MaterialContext::default()).to_array(), [0.0, 0.0, 0.0, 1.0]);
        assert_eq!(look(MaterialContext { vertex_colors: true, all_black: false }).to_array(), [1.0; 4]);
        assert_eq!(
            look(MaterialContext { vertex_colors: false, all_black: true }).to_array(),
            [1.0, 0.0, 0.0, 1.0]
        );
    }
}
