//! Measured colors and the color words of captions: a caption that names a color which its shape does not have is corrected.

use glam::Vec3;

use crate::kit::PALETTE_COLORS;

/// Share of the surface of a color from which a color word says something true.
const MIN_NAMED: f32 = 0.1;
/// The same, relative to the main color.
const MIN_NAMED_OF_MAIN: f32 = 0.34;
/// Share of the surface that the main color has at least: of shapes of many colors, none is named.
const MIN_MAIN: f32 = 0.35;
/// Share below which a color is not on the surface at all.
const ABSENT: f32 = 0.02;
/// Distance in OKLab up to which a word fits a color: cream and beige, or orange and tan in shadow, are nearer.
const SAME_COLOR: f32 = 0.07;

/// Chroma from which a color is not a gray.
const MIN_CHROMA: f32 = 0.03;
/// Basic colors without hue.
const ACHROMATIC: [&str; 3] = ["white", "gray", "black"];
/// Weights of a difference of hue in radians, and of lightness and chroma.
const HUE_WEIGHT: f32 = 0.15;
const OTHERS_WEIGHT: f32 = 0.5;

/// The basic color of each color name, and whether a measured color can have that name: metals and skin cannot be recognized by their color alone.
#[rustfmt::skip]
const NAMES: &[(&str, &str, bool)] = &[
    ("red", "red", true), ("dark red", "red", true), ("orange", "orange", true), ("yellow", "yellow", true),
    ("light green", "green", true), ("green", "green", true), ("dark green", "green", true), ("teal", "teal", true),
    ("light blue", "blue", true), ("blue", "blue", true), ("navy", "blue", true), ("purple", "purple", true), ("pink", "pink", true),
    ("brown", "brown", true), ("dark brown", "brown", true), ("beige", "beige", true), ("white", "white", true),
    ("gray", "gray", true), ("light gray", "gray", true), ("dark gray", "gray", true), ("black", "black", true),
    ("gold", "yellow", false), ("silver", "gray", false), ("bronze", "brown", false), ("copper", "brown", false),
    ("cream", "beige", true), ("tan", "brown", true), ("skin", "beige", false),
];

/// The colors of a surface by name.
#[derive(Clone, Debug, PartialEq)]
pub struct MeasuredColors {
    /// Basic colors, their share of the surface, and their mean in OKLab; the largest first.
    basic: Vec<(&'static str, f32, Vec3)>,
}

impl MeasuredColors {
    /// Measures linear RGB colors of points that are spread evenly over a surface.
    pub fn new(colors: &[Vec3]) -> Self {
        let mut sums: Vec<(&'static str, f32, Vec3)> = Vec::new();
        for color in colors.iter().map(|color| oklab(*color)) {
            let basic = basic_of(nearest(color));
            match sums.iter_mut().find(|(name, ..)| *name == basic) {
                Some((_, count, sum)) => (*count, *sum) = (*count + 1.0, *sum + color),
                None => sums.push((basic, 1.0, color)),
            }
        }
        sums.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(b.0)));
        let total = colors.len().max(1) as f32;
        let basic = sums.into_iter().map(|(name, count, sum)| (name, count / total, sum / count)).collect();
        Self { basic }
    }

    /// The name of the color that most of the surface has, if one has enough of it.
    pub fn main(&self) -> Option<&'static str> {
        let (_, share, mean) = self.basic.first()?;
        (*share >= MIN_MAIN).then(|| nearest(*mean))
    }

    /// The caption with a color word of its noun replaced by the main color, and those of its parts left out, if the surface has no
    /// such color.
    pub fn correct(&self, caption: &str) -> String {
        rewritten(caption, &|word, is_of_part| {
            let share = self.share(word);
            if is_of_part {
                return if share < ABSENT { Correction::Drop } else { Correction::Keep };
            }
            let main = self.basic.first().map_or(0.0, |(_, share, _)| *share);
            match self.main() {
                Some(color) if share < MIN_NAMED.max(MIN_NAMED_OF_MAIN * main) => Correction::Replace(color),
                _ => Correction::Keep,
            }
        })
    }

    /// Share of the surface that a color word fits.
    fn share(&self, word: &str) -> f32 {
        let (basic, named) = (basic_of(word), palette_color(word));
        let fits = |name: &str, mean: Vec3| {
            name == basic || named.is_some_and(|named| named.distance(mean) < SAME_COLOR)
        };
        self.basic.iter().filter(|(name, _, mean)| fits(name, *mean)).map(|(_, share, _)| share).sum()
    }
}

/// A caption without its color words: of a shape that has no colors, they are guesses.
pub fn without_colors(caption: &str) -> String {
    rewritten(caption, &|_, _| Correction::Drop)
}

/// What happens to a color word.
enum Correction {
    Keep,
    Drop,
    Replace(&'static str),
}

/// Rewrites the color words of a caption; `correct` gets a word and whether it is of a part. Words of lists ("red and green lights") and
/// those that are nouns ("an orange") stay.
fn rewritten(caption: &str, correct: &dyn Fn(&str, bool) -> Correction) -> String {
    let words: Vec<&str> = caption.split(' ').collect();
    let mut written: Vec<&str> = Vec::with_capacity(words.len());
    let mut is_of_part = false;
    let mut i = 0;
    while i < words.len() {
        let Some((color, length)) = color_at(&words[i..]) else {
            is_of_part |= words[i] == "with";
            written.push(words[i]);
            i += 1;
            continue;
        };
        let next = words.get(i + length).copied();
        let is_noun = next.is_none_or(|next| matches!(next, "with" | "and") || next.starts_with('('));
        let is_in_list =
            color_at(words.get(i + length..).unwrap_or_default()).is_some() || written.last() == Some(&"and");
        let correction = if is_noun || is_in_list { Correction::Keep } else { correct(color, is_of_part) };
        match correction {
            Correction::Keep => written.extend(&words[i..i + length]),
            Correction::Drop => {}
            Correction::Replace(color) => written.push(color),
        }
        i += length;
    }
    with_articles(&written.join(" "))
}

/// The color word at the beginning, which may be two words, and their number.
fn color_at(words: &[&str]) -> Option<(&'static str, usize)> {
    let [first, rest @ ..] = words else { return None };
    let is_color = |text: &str| NAMES.iter().find(|(name, ..)| *name == text).map(|(name, ..)| *name);
    let two = rest.first().and_then(|second| is_color(&format!("{first} {second}")));
    two.map(|name| (name, 2)).or_else(|| is_color(first).map(|name| (name, 1)))
}

/// Articles that agree with the word after them.
fn with_articles(text: &str) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let article = |i: usize| match (words[i], words.get(i + 1).and_then(|next| next.chars().next())) {
        ("a" | "an", Some('a' | 'e' | 'i' | 'o' | 'u')) if !words[i + 1].starts_with("uni") => "an",
        ("a" | "an", Some(_)) => "a",
        (word, _) => word,
    };
    (0..words.len()).map(article).collect::<Vec<_>>().join(" ")
}

fn basic_of(name: &str) -> &'static str {
    NAMES.iter().find(|(known, ..)| *known == name).map_or("", |(_, basic, _)| *basic)
}

/// The name of the nearest color of the palette that names measured colors. Colors with chroma are compared with those that have some:
/// real surfaces are less colorful than the palette, and a dull green is nearer to gray than to any green of it.
fn nearest(color: Vec3) -> &'static str {
    let is_gray = chroma(color) < MIN_CHROMA;
    let candidates = NAMES.iter().filter(|(_, basic, names)| *names && ACHROMATIC.contains(basic) == is_gray);
    let distance = |name: &str| {
        palette_color(name).map_or(f32::INFINITY, |known| match is_gray {
            true => (known.x - color.x).abs(),
            false => hue_distance(known, color),
        })
    };
    let best = candidates.min_by(|a, b| distance(a.0).total_cmp(&distance(b.0)));
    best.map_or("", |(name, ..)| *name)
}

/// Distance of two colors in which hue counts most.
fn hue_distance(a: Vec3, b: Vec3) -> f32 {
    let turn = (a.z.atan2(a.y) - b.z.atan2(b.y)).rem_euclid(std::f32::consts::TAU);
    let hue = turn.min(std::f32::consts::TAU - turn);
    let terms = [OTHERS_WEIGHT * (a.x - b.x), OTHERS_WEIGHT * (chroma(a) - chroma(b)), HUE_WEIGHT * hue];
    terms.iter().map(|term| term * term).sum::<f32>().sqrt()
}

/// Distance from gray.
fn chroma(color: Vec3) -> f32 {
    color.y.hypot(color.z)
}

/// A color of the palette in OKLab.
fn palette_color(name: &str) -> Option<Vec3> {
    PALETTE_COLORS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, srgb)| oklab(Vec3::from(srgb.map(lexiform_geometry::linear_from_srgb))))
}

/// Linear RGB in [OKLab](https://bottosson.github.io/posts/oklab/), where distances are about as large as they look.
fn oklab(rgb: Vec3) -> Vec3 {
    let row = |weights: [f32; 3], v: Vec3| Vec3::from(weights).dot(v);
    let lms = Vec3::new(
        row([0.412_221_47, 0.536_332_55, 0.051_445_995], rgb),
        row([0.211_903_5, 0.680_699_5, 0.107_396_96], rgb),
        row([0.088_302_46, 0.281_718_85, 0.629_978_7], rgb),
    );
    let cubic = Vec3::new(lms.x.cbrt(), lms.y.cbrt(), lms.z.cbrt());
    Vec3::new(
        row([0.210_454_26, 0.793_617_8, -0.004_072_047], cubic),
        row([1.977_998_5, -2.428_592_2, 0.450_593_7], cubic),
        row([0.025_904_037, 0.782_771_77, -0.808_675_77], cubic),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surface(colors: &[([u8; 3], usize)]) -> MeasuredColors {
        let linear = |srgb: [u8; 3]| Vec3::from(srgb.map(lexiform_geometry::linear_from_srgb));
        let points: Vec<Vec3> =
            colors.iter().flat_map(|(srgb, count)| std::iter::repeat_n(linear(*srgb), *count)).collect();
        MeasuredColors::new(&points)
    }

    /// White has the lightness 1 and no color; the values of red are those of the author of OKLab.
    #[test]
    fn oklab_has_the_published_values() {
        assert!(oklab(Vec3::ONE).abs_diff_eq(Vec3::new(1.0, 0.0, 0.0), 1e-3));
        assert!(oklab(Vec3::X).abs_diff_eq(Vec3::new(0.627_96, 0.224_86, 0.125_85), 1e-3));
    }

    #[test]
    fn surfaces_have_a_main_color_or_none() {
        assert_eq!(surface(&[([200, 30, 30], 9), ([20, 20, 20], 4)]).main(), Some("red"));
        assert_eq!(surface(&[([250, 250, 250], 5)]).main(), Some("white"));
        // Dull colors have a hue; grays of photos are hardly ever without any.
        assert_eq!(surface(&[([84, 104, 70], 5)]).main(), Some("dark green"));
        assert_eq!(surface(&[([132, 134, 138], 5)]).main(), Some("gray"));
        assert_eq!(surface(&[([100, 62, 35], 5)]).main(), Some("brown"));
        let many = [([200, 30, 30], 1), ([30, 140, 50], 1), ([40, 90, 200], 1), ([250, 210, 50], 1)];
        assert_eq!(surface(&many).main(), None);
        assert_eq!(surface(&[]).main(), None);
    }

    #[test]
    fn wrong_color_words_are_replaced() {
        let red = surface(&[([200, 30, 30], 8), ([120, 120, 120], 2)]);
        let check = |caption: &str, expected: &str| assert_eq!(red.correct(caption), expected);
        check("a blue car with four wheels", "a red car with four wheels");
        check("a dark green car", "a red car");
        check("a red car", "a red car");
        check("a dark red car", "a dark red car");
        // A fifth of the surface is less than a third of the main color.
        check("a gray car", "a red car");
        check("an old orange car with an engine", "an old red car with an engine");
        // Words of parts are left out if the color is nowhere; lists and nouns stay.
        check("a red car with a blue stripe", "a red car with a stripe");
        check("a red car with a gray bumper", "a red car with a gray bumper");
        check("a red robot with red and green lights", "a red robot with red and green lights");
        check("an orange", "an orange");
        check("an orange (perhaps ball)", "an orange (perhaps ball)");
        check("a ball (perhaps orange)", "a ball (perhaps orange)");
        let many =
            surface(&[([200, 30, 30], 1), ([30, 140, 50], 1), ([40, 90, 200], 1), ([250, 210, 50], 1)]);
        assert_eq!(many.correct("a black car"), "a black car");
    }

    #[test]
    fn articles_follow() {
        assert_eq!(without_colors("an orange metal cup with a blue ear"), "a metal cup with an ear");
        assert_eq!(without_colors("a gray axe"), "an axe");
        assert_eq!(surface(&[([235, 125, 30], 5)]).correct("a blue axe"), "an orange axe");
    }

    #[test]
    fn every_color_of_the_palette_has_a_basic_color() {
        let named: Vec<&str> = NAMES.iter().map(|(name, ..)| *name).collect();
        let palette: Vec<&str> = PALETTE_COLORS.iter().map(|(name, _)| *name).collect();
        assert_eq!(named, palette);
    }
}
