//! Wild animals on four legs.

use super::quadruped::quadruped;
use super::species::*;
use super::{HUNTERS, RUNNERS, WALKERS, animal, coat, head, plain};
use crate::category::Category;
use crate::kit::{Rng, Specimen};

pub(crate) const CATEGORIES: &[Category] = &[
    animal("deer", &["stag", "doe"], deer),
    animal("rabbit", &["bunny", "hare"], rabbit),
    animal("elephant", &[], elephant),
    animal("bear", &["grizzly bear"], bear),
    animal("giraffe", &[], giraffe),
    animal("lion", &["big cat"], lion),
    animal("tiger", &["big cat"], tiger),
    animal("mouse", &["rat"], mouse),
    animal("rhinoceros", &["rhino"], rhinoceros),
];

fn deer(rng: &mut Rng) -> Specimen {
    const STAG: Species = Species {
        kind: "stag",
        size: 1.2,
        leg: 0.58,
        chest: (0.13, 0.17),
        loin: (0.12, 0.15),
        limb: (0.05, 0.025),
        foot: Foot::Hoof,
        neck: Neck(0.44, 62.0, 0.12, 0.068),
        head: head(0.31, (0.062, 0.072), 0.5, (0.034, 0.036), 0.022, 22.0),
        ears: Ears::Sideways(0.15, 0.075),
        tail: Tail(0.1, 0.04, -40.0, -60.0, Outline::Brush),
        horns: Horns::Antlers(0.46),
        mane: Mane::None,
        coats: &[
            coat("brown", ["cream", "", "", "white"], Marks::Plain),
            coat("tan", ["white", "", "dark brown", "white"], Marks::Plain),
            coat("dark brown", ["tan", "", "", "cream"], Marks::Plain),
            coat("brown", ["cream", "", "", "white"], Marks::Spots("white")),
        ],
        poses: RUNNERS,
    };
    const DOE: Species = Species { kind: "doe", horns: Horns::None, ..STAG };
    const MOOSE: Species = Species {
        kind: "moose",
        chest: (0.17, 0.22),
        neck: Neck(0.26, 30.0, 0.17, 0.11),
        head: head(0.42, (0.08, 0.09), 0.58, (0.06, 0.07), 0.03, 30.0),
        coats: &[plain("dark brown")],
        ..STAG
    };
    quadruped(rng, &[STAG, STAG, STAG, DOE, DOE, MOOSE], 0.12)
}

fn rabbit(rng: &mut Rng) -> Specimen {
    const RABBIT: Species = Species {
        kind: "",
        size: 0.3,
        leg: 0.16,
        chest: (0.21, 0.24),
        loin: (0.3, 0.33),
        limb: (0.075, 0.06),
        foot: Foot::Paw,
        neck: Neck(0.14, 62.0, 0.17, 0.14),
        head: head(0.42, (0.17, 0.175), 0.32, (0.09, 0.085), 0.05, 14.0),
        ears: Ears::Spoon(0.52, 0.17),
        tail: Tail(0.1, 0.11, 20.0, 20.0, Outline::Even),
        horns: Horns::None,
        mane: Mane::None,
        coats: &[
            plain("white"),
            coat("brown", ["white", "", "", "white"], Marks::Plain),
            coat("gray", ["white", "", "", "white"], Marks::Plain),
            coat("tan", ["white", "", "", "white"], Marks::Plain),
            coat("white", ["", "", "", "white"], Marks::Patches("black")),
            plain("pink"),
        ],
        poses: &[Pose::Standing, Pose::Crouching, Pose::Crouching, Pose::Crouching, Pose::Sitting],
    };
    const HARE: Species =
        Species { kind: "hare", leg: 0.3, chest: (0.15, 0.17), loin: (0.2, 0.22), ..RABBIT };
    const LOP: Species = Species { ears: Ears::Floppy(0.36, 0.13), ..RABBIT };
    quadruped(rng, &[RABBIT, RABBIT, RABBIT, RABBIT, HARE, LOP], 0.1)
}

fn elephant(rng: &mut Rng) -> Specimen {
    const ELEPHANT: Species = Species {
        kind: "",
        size: 2.8,
        leg: 0.34,
        chest: (0.23, 0.29),
        loin: (0.23, 0.28),
        limb: (0.105, 0.092),
        foot: Foot::Pad,
        neck: Neck(0.16, 22.0, 0.2, 0.18),
        head: head(0.38, (0.165, 0.19), 0.25, (0.1, 0.1), 0.05, 18.0),
        ears: Ears::Fan(0.25),
        tail: Tail(0.36, 0.03, -60.0, -86.0, Outline::Tuft),
        horns: Horns::Trunk(0.56),
        mane: Mane::None,
        coats: &[plain("gray"), plain("gray"), plain("light gray"), plain("dark gray"), plain("light blue")],
        poses: WALKERS,
    };
    const ASIAN: Species = Species { ears: Ears::Fan(0.17), ..ELEPHANT };
    quadruped(rng, &[ELEPHANT, ELEPHANT, ASIAN], 0.15)
}

fn bear(rng: &mut Rng) -> Specimen {
    const BEAR: Species = Species {
        kind: "",
        size: 1.5,
        leg: 0.27,
        chest: (0.19, 0.23),
        loin: (0.19, 0.22),
        limb: (0.09, 0.075),
        foot: Foot::Paw,
        neck: Neck(0.16, 24.0, 0.18, 0.15),
        head: head(0.33, (0.135, 0.13), 0.36, (0.06, 0.055), 0.04, 12.0),
        ears: Ears::Round(0.055),
        tail: Tail(0.06, 0.04, -20.0, -40.0, Outline::Even),
        horns: Horns::None,
        mane: Mane::None,
        coats: &[
            coat("brown", ["", "dark brown", "tan", ""], Marks::Plain),
            coat("dark brown", ["", "", "tan", ""], Marks::Plain),
            coat("black", ["", "", "brown", ""], Marks::Plain),
        ],
        poses: &[Pose::Standing, Pose::Standing, Pose::Walking, Pose::Sitting],
    };
    const POLAR: Species = Species { kind: "polar bear", coats: &[plain("white")], ..BEAR };
    const PANDA: Species = Species {
        kind: "panda",
        coats: &[coat("white", ["", "black", "", "black"], Marks::Plain)],
        head: head(0.33, (0.155, 0.14), 0.25, (0.065, 0.055), 0.04, 8.0),
        ..BEAR
    };
    quadruped(rng, &[BEAR, BEAR, BEAR, POLAR, PANDA], 0.18)
}

fn giraffe(rng: &mut Rng) -> Specimen {
    const GIRAFFE: Species = Species {
        kind: "",
        size: 1.9,
        leg: 0.95,
        chest: (0.16, 0.23),
        loin: (0.13, 0.17),
        limb: (0.065, 0.04),
        foot: Foot::Hoof,
        neck: Neck(1.1, 66.0, 0.15, 0.07),
        head: head(0.36, (0.072, 0.075), 0.5, (0.045, 0.045), 0.02, 28.0),
        ears: Ears::Sideways(0.12, 0.05),
        tail: Tail(0.55, 0.025, -65.0, -88.0, Outline::Tuft),
        horns: Horns::Knobs,
        mane: Mane::None,
        coats: &[
            coat("yellow", ["cream", "cream", "", "dark brown"], Marks::Spots("brown")),
            coat("tan", ["cream", "cream", "", "dark brown"], Marks::Spots("dark brown")),
            coat("gold", ["", "", "", "brown"], Marks::Spots("brown")),
        ],
        poses: WALKERS,
    };
    quadruped(rng, &[GIRAFFE], 0.15)
}

const LION: Species = Species {
    kind: "",
    size: 1.4,
    leg: 0.34,
    chest: (0.14, 0.18),
    loin: (0.12, 0.155),
    limb: (0.072, 0.055),
    foot: Foot::Paw,
    neck: Neck(0.2, 36.0, 0.16, 0.13),
    head: head(0.31, (0.115, 0.115), 0.34, (0.068, 0.06), 0.035, 8.0),
    ears: Ears::Round(0.05),
    tail: Tail(0.65, 0.03, -45.0, 30.0, Outline::Tuft),
    horns: Horns::None,
    mane: Mane::Lion,
    coats: &[
        coat("tan", ["cream", "", "cream", "brown"], Marks::Plain),
        coat("gold", ["cream", "", "cream", "dark brown"], Marks::Plain),
        coat("yellow", ["", "", "", "orange"], Marks::Plain),
    ],
    poses: HUNTERS,
};

fn lion(rng: &mut Rng) -> Specimen {
    const LIONESS: Species = Species { kind: "lioness", mane: Mane::None, ..LION };
    quadruped(rng, &[LION, LION, LION, LION, LIONESS], 0.15)
}

fn tiger(rng: &mut Rng) -> Specimen {
    const COATS: &[Coat] = &[
        coat("orange", ["white", "", "white", "black"], Marks::Stripes("black")),
        coat("white", ["", "", "", "black"], Marks::Stripes("black")),
    ];
    const TAIL: Tail = Tail(0.65, 0.035, -40.0, 40.0, Outline::Even);
    const TIGER: Species = Species { mane: Mane::None, coats: COATS, tail: TAIL, ..LION };
    const LEOPARD: Species = Species {
        kind: "leopard",
        coats: &[coat("gold", ["cream", "", "cream", "black"], Marks::Spots("black"))],
        ..TIGER
    };
    quadruped(rng, &[TIGER, TIGER, TIGER, LEOPARD], 0.12)
}

fn mouse(rng: &mut Rng) -> Specimen {
    const MOUSE: Species = Species {
        kind: "",
        size: 0.08,
        leg: 0.1,
        chest: (0.16, 0.16),
        loin: (0.23, 0.22),
        limb: (0.035, 0.028),
        foot: Foot::Paw,
        neck: Neck(0.06, 20.0, 0.14, 0.12),
        head: head(0.38, (0.135, 0.125), 0.5, (0.03, 0.03), 0.03, 12.0),
        ears: Ears::Round(0.13),
        tail: Tail(0.95, 0.022, -20.0, 50.0, Outline::Taper),
        horns: Horns::None,
        mane: Mane::None,
        coats: &[
            coat("gray", ["light gray", "pink", "", "pink"], Marks::Plain),
            coat("white", ["", "pink", "", "pink"], Marks::Plain),
            coat("brown", ["cream", "pink", "", "pink"], Marks::Plain),
        ],
        poses: &[Pose::Standing, Pose::Crouching, Pose::Crouching],
    };
    const RAT: Species = Species {
        kind: "rat",
        ears: Ears::Round(0.06),
        coats: &[plain("dark gray"), plain("brown")],
        ..MOUSE
    };
    quadruped(rng, &[MOUSE, MOUSE, MOUSE, RAT], 0.08)
}

fn rhinoceros(rng: &mut Rng) -> Specimen {
    const RHINOCEROS: Species = Species {
        kind: "",
        size: 2.4,
        leg: 0.24,
        chest: (0.2, 0.24),
        loin: (0.21, 0.24),
        limb: (0.085, 0.07),
        foot: Foot::Pad,
        neck: Neck(0.18, 2.0, 0.18, 0.14),
        head: head(0.42, (0.105, 0.12), 0.5, (0.075, 0.075), 0.04, 22.0),
        ears: Ears::Pricked(0.08, 0.05),
        tail: Tail(0.28, 0.025, -65.0, -86.0, Outline::Tuft),
        horns: Horns::Rhino,
        mane: Mane::None,
        coats: &[plain("gray"), plain("dark gray"), plain("light gray")],
        poses: WALKERS,
    };
    quadruped(rng, &[RHINOCEROS], 0.15)
}
