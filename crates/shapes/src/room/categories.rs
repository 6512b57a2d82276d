//! What is in rooms, and where.

/// Where on the floor an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spot {
    /// With its back to a wall.
    Wall,
    /// Anywhere.
    Free,
}

/// Categories that stand on the floor.
pub(super) const ON_FLOOR: &[(&str, Spot)] = &[
    ("bed", Spot::Wall),
    ("sofa", Spot::Wall),
    ("bookcase", Spot::Wall),
    ("wardrobe", Spot::Wall),
    ("dresser", Spot::Wall),
    ("cabinet", Spot::Wall),
    ("desk", Spot::Wall),
    ("desk", Spot::Wall),
    ("nightstand", Spot::Wall),
    ("refrigerator", Spot::Wall),
    ("washing machine", Spot::Wall),
    ("oven", Spot::Wall),
    ("piano", Spot::Wall),
    ("bathtub", Spot::Wall),
    ("toilet", Spot::Wall),
    ("chair", Spot::Free),
    ("chair", Spot::Free),
    ("chair", Spot::Free),
    ("armchair", Spot::Free),
    ("stool", Spot::Free),
    ("table", Spot::Free),
    ("table", Spot::Free),
    ("table", Spot::Free),
    ("bench", Spot::Free),
    ("potted plant", Spot::Free),
    ("trash can", Spot::Free),
    ("suitcase", Spot::Free),
    ("cardboard box", Spot::Free),
    ("basket", Spot::Free),
    ("ladder", Spot::Free),
    ("drum", Spot::Free),
];

/// Categories that are on tables, desks and the like.
pub(super) const ON_TOP: &[&str] = &[
    "mug",
    "bowl",
    "bottle",
    "teapot",
    "kettle",
    "vase",
    "pitcher",
    "laptop",
    "computer monitor",
    "microwave",
    "toaster",
    "blender",
    "coffee maker",
    "globe",
    "radio",
    "camera",
    "headphones",
    "teddy bear",
    "piggy bank",
    "trophy",
    "candle",
    "lamp",
    "pumpkin",
    "pineapple",
    "cactus",
];
