//! Class lists of the benchmarks, in the order of their indices.

/// ModelNet40.
pub const MODELNET40: [&str; 40] = [
    "airplane",
    "bathtub",
    "bed",
    "bench",
    "bookshelf",
    "bottle",
    "bowl",
    "car",
    "chair",
    "cone",
    "cup",
    "curtain",
    "desk",
    "door",
    "dresser",
    "flower pot",
    "glass box",
    "guitar",
    "keyboard",
    "lamp",
    "laptop",
    "mantel",
    "monitor",
    "night stand",
    "person",
    "piano",
    "plant",
    "radio",
    "range hood",
    "sink",
    "sofa",
    "stairs",
    "stool",
    "table",
    "tent",
    "toilet",
    "tv stand",
    "vase",
    "wardrobe",
    "xbox",
];

/// ModelNet10.
pub const MODELNET10: [&str; 10] =
    ["bathtub", "bed", "chair", "desk", "dresser", "monitor", "night stand", "sofa", "table", "toilet"];

/// ScanObjectNN.
pub const SCANOBJECTNN: [&str; 15] = [
    "bag", "bin", "box", "cabinet", "chair", "desk", "display", "door", "shelf", "table", "bed", "pillow",
    "sink", "sofa", "toilet",
];

/// Where the classes of a benchmark are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClassList {
    /// Built into this crate.
    Builtin(&'static [&'static str]),
    /// Listed in a file of the data set.
    FromFile {
        /// Expected number of classes.
        count: usize,
        /// Which file it is.
        file: &'static str,
    },
    /// None: a retrieval benchmark with captions.
    None,
}

/// How a class name is spelled in a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// As listed.
    Verbatim,
    /// With underscores instead of spaces (`flower_pot`), like the folders of ModelNet.
    Underscores,
    /// With spaces instead of underscores.
    Spaces,
}

impl Spelling {
    /// Applies the spelling.
    pub fn spell(self, name: &str) -> String {
        match self {
            Self::Verbatim => name.to_owned(),
            Self::Underscores => name.replace(' ', "_"),
            Self::Spaces => name.replace('_', " "),
        }
    }
}

/// Whether two labels are equal up to case, underscores and hyphens.
///
/// ```
/// use lexiform_eval::protocol::labels::same_class;
///
/// assert!(same_class("Night_Stand", "night stand"));
/// assert!(!same_class("bed", "bench"));
/// ```
pub fn same_class(a: &str, b: &str) -> bool {
    let plain = |name: &str| name.trim().to_lowercase().replace(['_', '-'], " ");
    plain(a) == plain(b)
}
