//! The measures that make a horse or a fox of the four-legged skeleton. Lengths are shares of the body's length,
//! from breast to rump.

/// The measures of a kind of animal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Species {
    /// A narrower noun than the category's, or empty.
    pub kind: &'static str,
    /// Length of the body in metres.
    pub size: f32,
    /// Height of the belly over the ground.
    pub leg: f32,
    /// Half width and half depth of the chest.
    pub chest: (f32, f32),
    /// Half width and half depth before the hips.
    pub loin: (f32, f32),
    /// Radii of the upper leg and of the shin.
    pub limb: (f32, f32),
    pub foot: Foot,
    pub neck: Neck,
    pub head: Head,
    pub ears: Ears,
    pub tail: Tail,
    pub horns: Horns,
    pub mane: Mane,
    pub coats: &'static [Coat],
    pub poses: &'static [Pose],
}

/// Length, angle over the horizontal in degrees, and half depths at the base and at the top.
#[derive(Clone, Copy, Debug)]
pub(super) struct Neck(pub f32, pub f32, pub f32, pub f32);

/// The head: its length, the half width and half height of the skull, the muzzle's share of the length, half width
/// and half height of the muzzle's end, how far the muzzle lies below the skull's middle, and the angle by which
/// the nose points down, in degrees.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub length: f32,
    pub skull: (f32, f32),
    pub muzzle: f32,
    pub tip: (f32, f32),
    pub drop: f32,
    pub pitch: f32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Foot {
    Paw,
    Hoof,
    Pad,
}

/// Ears with length and width.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Ears {
    None,
    /// Upright triangles.
    Pricked(f32, f32),
    /// Upright spoons.
    Spoon(f32, f32),
    /// Disks.
    Round(f32),
    /// Hanging next to the head.
    Floppy(f32, f32),
    /// Held out to the sides.
    Sideways(f32, f32),
    /// An elephant's.
    Fan(f32),
}

/// Length, radius, angles of the root and of the end over "straight back" in degrees, and the outline.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tail(pub f32, pub f32, pub f32, pub f32, pub Outline);

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Outline {
    /// The same all along.
    Even,
    /// Thick in the middle: a fox's.
    Brush,
    /// A thin whip with a tuft.
    Tuft,
    /// Falling hair: a horse's.
    Strand,
    /// From thick to a point.
    Taper,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Horns {
    None,
    /// To the sides and up, with their length.
    Cow(f32),
    /// Swept back.
    Goat(f32),
    /// Branched.
    Antlers(f32),
    /// One on the forehead.
    Unicorn(f32),
    /// A giraffe's.
    Knobs,
    /// A trunk and two tusks.
    Trunk(f32),
    /// On the nose.
    Rhino,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Mane {
    None,
    /// Along the neck's ridge.
    Crest,
    /// Around the head.
    Lion,
    /// Long cheeks and a thick throat.
    Ruff,
    /// Curls all over the body.
    Wool,
}

/// Colors by name; an empty name is the main color again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Coat {
    pub main: &'static str,
    pub belly: &'static str,
    pub socks: &'static str,
    pub muzzle: &'static str,
    /// End of the tail, mane.
    pub tip: &'static str,
    pub marks: Marks,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Marks {
    Plain,
    /// Large patches of the color.
    Patches(&'static str),
    /// Small spots.
    Spots(&'static str),
    /// Bands around the body.
    Stripes(&'static str),
    /// A darker back.
    Saddle(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pose {
    Standing,
    Walking,
    Running,
    Sitting,
    /// Low on folded hind legs, as rabbits and mice rest.
    Crouching,
    Lying,
    Grazing,
}
