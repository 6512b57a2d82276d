//! Which axis of a file points up: stated by its format, usual for it, given by the caller, or decided from the shape.

use std::fmt;
use std::str::FromStr;

use lexiform_geometry::upright::z_up_probability;
use lexiform_geometry::{PointCloud, Scene};
use serde::{Deserialize, Serialize};

use crate::Format;
use crate::axis::UpAxis;

/// How the up axis of a file is found.
///
/// ```
/// use lexiform_mesh_io::{UpAxis, UpRule};
///
/// assert_eq!("z".parse(), Ok(UpRule::Axis(UpAxis::Z)));
/// assert_eq!(UpRule::Auto.to_string(), "auto");
/// assert!("up".parse::<UpRule>().is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum UpRule {
    /// What the file states, or else the axis that is usual for its format (see [`Format::up_axis`]).
    #[default]
    Format,
    /// This axis, whatever the file states.
    Axis(UpAxis),
    /// +Y or +Z, decided from each shape, whatever the file states.
    Auto,
}

impl UpRule {
    const ALL: [Self; 5] =
        [Self::Format, Self::Axis(UpAxis::X), Self::Axis(UpAxis::Y), Self::Axis(UpAxis::Z), Self::Auto];

    /// Name on the command line and in recipes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::Axis(axis) => axis.name(),
            Self::Auto => "auto",
        }
    }

    /// The orientation of a scene in the axes of its file, given what the format says.
    pub(super) fn resolve(self, scene: &Scene, of_format: Orientation) -> Orientation {
        let orientation = |axis, source| Orientation { axis, source, confidence: None };
        match self {
            Self::Format => of_format,
            Self::Axis(axis) => orientation(axis, UpSource::Given),
            Self::Auto => match z_up_probability(scene) {
                // Without points there is nothing to decide by.
                None => of_format,
                Some(z) if z > 0.5 => {
                    Orientation { confidence: Some(z), ..orientation(UpAxis::Z, UpSource::Shape) }
                }
                Some(z) => {
                    Orientation { confidence: Some(1.0 - z), ..orientation(UpAxis::Y, UpSource::Shape) }
                }
            },
        }
    }
}

/// Turns a scene whose coordinates are of no format, such as a stored point cloud, to +Y up. [`UpRule::Format`] does not turn
/// it: coordinates without a format are never turned unless asked.
///
/// ```
/// use glam::Vec3;
/// use lexiform_geometry::{PointCloud, Scene};
/// use lexiform_mesh_io::{UpAxis, UpRule, turn_upright};
///
/// let cloud = Scene::from_cloud(PointCloud::new(vec![Vec3::Z])?);
/// let (turned, axis) = turn_upright(cloud, UpRule::Axis(UpAxis::Z));
/// assert_eq!((turned.clouds[0].positions()[0], axis), (Vec3::Y, UpAxis::Z));
/// # Ok::<(), lexiform_geometry::PointCloudError>(())
/// ```
pub fn turn_upright(scene: Scene, rule: UpRule) -> (Scene, UpAxis) {
    let unstated = Orientation { axis: UpAxis::Y, source: UpSource::Default, confidence: None };
    let axis = rule.resolve(&scene, unstated).axis;
    (turned(scene, axis), axis)
}

/// As [`turn_upright`], for a point cloud.
pub fn turn_cloud_upright(cloud: PointCloud, rule: UpRule) -> PointCloud {
    turn_upright(Scene::from_cloud(cloud), rule).0.clouds.pop().unwrap_or_default()
}

/// The scene with `up` turned to +Y.
pub(super) fn turned(scene: Scene, up: UpAxis) -> Scene {
    if up == UpAxis::Y { scene } else { scene.transformed(up.world_from_file()) }
}

/// Not the name of an [`UpRule`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected y, z, x, auto or format, found {found:?}")]
pub struct UnknownUpRule {
    /// What was found.
    pub found: String,
}

impl FromStr for UpRule {
    type Err = UnknownUpRule;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let rule = Self::ALL.into_iter().find(|rule| rule.name() == name);
        rule.ok_or_else(|| UnknownUpRule { found: name.to_owned() })
    }
}

impl TryFrom<String> for UpRule {
    type Error = UnknownUpRule;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        name.parse()
    }
}

impl From<UpRule> for String {
    fn from(rule: UpRule) -> Self {
        rule.name().to_owned()
    }
}

impl fmt::Display for UpRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why an axis is the up axis of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum UpSource {
    /// The file or the specification of its format says so.
    Stated,
    /// The format states none, and most of its files have this one.
    Practice,
    /// The format states none: coordinates are not turned.
    Default,
    /// The caller says so.
    Given,
    /// Decided from the shape.
    Shape,
}

/// The up axis of a file, and why.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Orientation {
    /// The axis that points up in the file's coordinates. It is turned to +Y.
    #[serde(rename = "up_axis")]
    pub axis: UpAxis,
    /// Why.
    #[serde(rename = "up_source")]
    pub source: UpSource,
    /// Probability that the axis is right, if it was decided from the shape.
    #[serde(rename = "up_confidence", skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f32>,
}

impl Orientation {
    /// What the format says; `stated` is what the file itself states.
    pub(super) fn of_format(format: Format, stated: Option<UpAxis>) -> Self {
        let has_fixed_axis = matches!(
            format,
            Format::Gltf
                | Format::Glb
                | Format::Dae
                | Format::X3d
                | Format::Vox
                | Format::ThreeMf
                | Format::Amf
        );
        let source = match stated {
            Some(_) => UpSource::Stated,
            None if has_fixed_axis => UpSource::Stated,
            None if format.up_axis() == UpAxis::Y => UpSource::Default,
            None => UpSource::Practice,
        };
        Self { axis: stated.unwrap_or(format.up_axis()), source, confidence: None }
    }

    /// A sentence for people, such as `z (STL practice), turned to y`.
    ///
    /// ```
    /// use lexiform_mesh_io::{Format, Orientation, UpAxis, UpSource};
    ///
    /// let up = Orientation { axis: UpAxis::Z, source: UpSource::Practice, confidence: None };
    /// assert_eq!(up.describe(Format::Stl), "z (STL practice), turned to y");
    /// ```
    pub fn describe(&self, format: Format) -> String {
        let format = format.name();
        let why = match (self.source, self.confidence) {
            (UpSource::Stated, _) => format!("stated by {format}"),
            (UpSource::Practice, _) => format!("{format} practice"),
            (UpSource::Default, _) => format!("{format} states none"),
            (UpSource::Given, _) => "given".to_owned(),
            (UpSource::Shape, None) => "from the shape".to_owned(),
            (UpSource::Shape, Some(sure)) => format!("from the shape, {:.0} % sure", 100.0 * sure),
        };
        let done = if self.axis == UpAxis::Y { "not turned" } else { "turned to y" };
        format!("{} ({why}), {done}", self.axis.name())
    }
}
