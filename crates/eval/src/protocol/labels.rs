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
    /// Here.
    Builtin(&'static [&'static str]),
    /// In the data set's own file.
    FromFile {
        /// How many there should be.
        count: usize,
        /// Which file it is.
        file: &'static str,
    },
    /// There are none: captions are matched.
    None,
}

/// How a class name is written inside a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// As in the list.
    Verbatim,
    /// With underscores for spaces (`flower_pot`), as ModelNet's own folders have it.
    Underscores,
    /// With spaces for underscores.
    Spaces,
}

impl Spelling {
    /// The name as this spelling has it.
    pub fn spell(self, name: &str) -> String {
        match self {
            Self::Verbatim => name.to_owned(),
            Self::Underscores => name.replace(' ', "_"),
            Self::Spaces => name.replace('_', " "),
        }
    }
}

/// Whether two spellings name the same class: case, underscores and hyphens aside.
pub fn same_class(a: &str, b: &str) -> bool {
    let plain = |name: &str| name.trim().to_lowercase().replace(['_', '-'], " ");
    plain(a) == plain(b)
}
