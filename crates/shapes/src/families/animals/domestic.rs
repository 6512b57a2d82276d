//! Animals of house and farm on four legs, and their wild cousins.

use super::quadruped::quadruped;
use super::species::*;
use super::{GRAZERS, HUNTERS, RUNNERS, WALKERS, animal, coat, head, plain};
use crate::category::Category;
use crate::kit::{Rng, Specimen};

pub(crate) const CATEGORIES: &[Category] = &[
    animal("horse", &["pony", "stallion"], horse),
    animal("unicorn", &[], unicorn),
    animal("cow", &["bull", "cattle"], cow),
    animal("dog", &["puppy", "hound"], dog),
    animal("wolf", &[], wolf),
    animal("fox", &[], fox),
    animal("cat", &["kitten", "house cat"], cat),
    animal("pig", &["hog", "piglet"], pig),
    animal("sheep", &["lamb", "ram"], sheep),
    animal("goat", &[], goat),
    animal("zebra", &[], zebra),
];

const HORSE: Species = Species {
    kind: "",
    size: 1.6,
    leg: 0.56,
    chest: (0.15, 0.2),
    loin: (0.15, 0.19),
    limb: (0.062, 0.036),
    foot: Foot::Hoof,
    neck: Neck(0.46, 52.0, 0.17, 0.095),
    head: head(0.43, (0.075, 0.1), 0.52, (0.052, 0.062), 0.035, 38.0),
    ears: Ears::Pricked(0.11, 0.055),
    tail: Tail(0.5, 0.062, -30.0, -85.0, Outline::Strand),
    horns: Horns::None,
    mane: Mane::Crest,
    coats: &[
        coat("brown", ["", "black", "", "black"], Marks::Plain),
        coat("brown", ["", "white", "", "dark brown"], Marks::Plain),
        coat("dark brown", ["", "", "", "black"], Marks::Plain),
        coat("black", ["", "", "", "black"], Marks::Plain),
        coat("white", ["", "", "", "light gray"], Marks::Plain),
        coat("gray", ["", "", "dark gray", "dark gray"], Marks::Plain),
        coat("tan", ["", "", "", "cream"], Marks::Plain),
        coat("white", ["", "white", "", "dark brown"], Marks::Patches("brown")),
    ],
    poses: RUNNERS,
};

fn horse(rng: &mut Rng) -> Specimen {
    const PONY: Species =
        Species { kind: "pony", size: 1.1, leg: 0.42, neck: Neck(0.36, 48.0, 0.19, 0.11), ..HORSE };
    const DONKEY: Species = Species {
        kind: "donkey",
        size: 1.1,
        leg: 0.46,
        ears: Ears::Pricked(0.22, 0.07),
        tail: Tail(0.45, 0.035, -55.0, -88.0, Outline::Tuft),
        coats: &[coat("gray", ["white", "", "white", "dark gray"], Marks::Plain)],
        ..HORSE
    };
    quadruped(rng, &[HORSE, HORSE, HORSE, HORSE, PONY, DONKEY], 0.12)
}

fn unicorn(rng: &mut Rng) -> Specimen {
    const COATS: &[Coat] = &[
        coat("white", ["", "", "", "pink"], Marks::Plain),
        coat("white", ["", "", "", "purple"], Marks::Plain),
        coat("white", ["", "pink", "", "light blue"], Marks::Plain),
        coat("white", ["", "gold", "", "yellow"], Marks::Plain),
        coat("pink", ["", "", "", "purple"], Marks::Plain),
        coat("light blue", ["", "", "", "white"], Marks::Plain),
        coat("purple", ["", "", "", "pink"], Marks::Plain),
    ];
    const POSES: &[Pose] = &[Pose::Standing, Pose::Standing, Pose::Walking, Pose::Running];
    const KIND: Species = Species { horns: Horns::Unicorn(0.32), coats: COATS, poses: POSES, ..HORSE };
    const CUTE: Species = Species { leg: 0.38, neck: Neck(0.32, 60.0, 0.17, 0.12), ..KIND };
    const HEAD: Head =
        Head { length: 0.42, skull: (0.13, 0.14), muzzle: 0.4, tip: (0.08, 0.075), ..HORSE.head };
    quadruped(rng, &[KIND, KIND, Species { head: HEAD, ..CUTE }], 0.1)
}

fn cow(rng: &mut Rng) -> Specimen {
    const COW: Species = Species {
        kind: "",
        size: 1.8,
        leg: 0.37,
        chest: (0.16, 0.2),
        loin: (0.165, 0.195),
        limb: (0.055, 0.036),
        foot: Foot::Hoof,
        neck: Neck(0.24, 22.0, 0.16, 0.115),
        head: head(0.34, (0.078, 0.1), 0.5, (0.062, 0.062), 0.03, 32.0),
        ears: Ears::Sideways(0.12, 0.06),
        tail: Tail(0.42, 0.03, -60.0, -89.0, Outline::Tuft),
        horns: Horns::Cow(0.16),
        mane: Mane::None,
        coats: &[
            coat("white", ["", "", "pink", "black"], Marks::Patches("black")),
            coat("white", ["", "", "pink", "white"], Marks::Patches("black")),
            coat("black", ["", "white", "pink", "white"], Marks::Patches("white")),
            coat("white", ["", "", "pink", "brown"], Marks::Patches("brown")),
            coat("brown", ["", "", "cream", "dark brown"], Marks::Plain),
            coat("dark brown", ["", "", "", "black"], Marks::Plain),
            coat("tan", ["cream", "", "white", "brown"], Marks::Plain),
        ],
        poses: GRAZERS,
    };
    const BULL: Species = Species {
        kind: "bull",
        chest: (0.19, 0.24),
        loin: (0.15, 0.18),
        horns: Horns::Cow(0.3),
        coats: &[
            plain("black"),
            plain("dark brown"),
            coat("brown", ["", "", "dark brown", ""], Marks::Plain),
        ],
        ..COW
    };
    const CALF: Species = Species { kind: "calf", leg: 0.48, horns: Horns::None, size: 1.0, ..COW };
    quadruped(rng, &[COW, COW, COW, COW, BULL, CALF], 0.2)
}

const WOLF: Species = Species {
    kind: "",
    size: 0.95,
    leg: 0.42,
    chest: (0.125, 0.17),
    loin: (0.1, 0.13),
    limb: (0.055, 0.035),
    foot: Foot::Paw,
    neck: Neck(0.24, 34.0, 0.155, 0.115),
    head: head(0.34, (0.095, 0.092), 0.46, (0.042, 0.042), 0.03, 12.0),
    ears: Ears::Pricked(0.12, 0.09),
    tail: Tail(0.52, 0.075, -42.0, -62.0, Outline::Brush),
    horns: Horns::None,
    mane: Mane::Ruff,
    coats: &[
        coat("gray", ["light gray", "light gray", "white", "dark gray"], Marks::Saddle("dark gray")),
        coat("dark gray", ["gray", "gray", "", "black"], Marks::Plain),
        coat("gray", ["white", "white", "white", "dark gray"], Marks::Plain),
        coat("light gray", ["white", "white", "white", "gray"], Marks::Saddle("gray")),
        coat("black", ["", "", "", ""], Marks::Plain),
        coat("white", ["", "", "", ""], Marks::Plain),
    ],
    poses: HUNTERS,
};

fn wolf(rng: &mut Rng) -> Specimen {
    const PROWLING: Species = Species { neck: Neck(0.24, 8.0, 0.155, 0.12), ..WOLF };
    const STRETCHED: Species = Species { tail: Tail(0.55, 0.07, -5.0, 0.0, Outline::Brush), ..WOLF };
    quadruped(rng, &[WOLF, WOLF, PROWLING, STRETCHED], 0.14)
}

fn fox(rng: &mut Rng) -> Specimen {
    const FOX: Species = Species {
        kind: "",
        size: 0.55,
        leg: 0.36,
        chest: (0.105, 0.13),
        loin: (0.09, 0.11),
        limb: (0.042, 0.026),
        neck: Neck(0.2, 34.0, 0.115, 0.09),
        head: head(0.32, (0.105, 0.086), 0.48, (0.024, 0.024), 0.028, 12.0),
        ears: Ears::Pricked(0.16, 0.12),
        tail: Tail(0.7, 0.105, -22.0, 2.0, Outline::Brush),
        coats: &[
            coat("orange", ["white", "dark brown", "white", "white"], Marks::Plain),
            coat("orange", ["white", "black", "white", "white"], Marks::Plain),
            coat("orange", ["white", "", "white", "white"], Marks::Plain),
            coat("orange", ["cream", "dark brown", "cream", "cream"], Marks::Plain),
            coat("white", ["", "", "", ""], Marks::Plain),
        ],
        ..WOLF
    };
    const FLUFFY: Species = Species { tail: Tail(0.75, 0.14, -10.0, 40.0, Outline::Brush), ..FOX };
    quadruped(rng, &[FOX, FOX, FOX, FLUFFY], 0.14)
}

const DOG_COATS: &[Coat] = &[
    plain("brown"),
    plain("black"),
    coat("white", ["", "", "", "brown"], Marks::Patches("brown")),
    coat("white", ["", "", "", "black"], Marks::Patches("black")),
    coat("tan", ["cream", "white", "white", "white"], Marks::Plain),
    coat("dark brown", ["tan", "tan", "tan", ""], Marks::Plain),
    plain("gold"),
    plain("cream"),
];

const LABRADOR: Species = Species {
    kind: "labrador",
    head: head(0.31, (0.095, 0.095), 0.45, (0.05, 0.05), 0.03, 8.0),
    neck: Neck(0.2, 45.0, 0.13, 0.1),
    ears: Ears::Floppy(0.15, 0.1),
    tail: Tail(0.4, 0.042, 25.0, 60.0, Outline::Taper),
    mane: Mane::None,
    size: 0.7,
    coats: DOG_COATS,
    ..WOLF
};

const HUSKY: Species = Species {
    kind: "husky",
    tail: Tail(0.5, 0.07, 50.0, 140.0, Outline::Brush),
    neck: Neck(0.22, 50.0, 0.15, 0.11),
    coats: &[
        coat("dark gray", ["white", "white", "white", "white"], Marks::Plain),
        coat("black", ["white", "white", "white", "white"], Marks::Plain),
        coat("light gray", ["white", "white", "white", "white"], Marks::Plain),
    ],
    ..WOLF
};

const CORGI: Species = Species {
    kind: "corgi",
    leg: 0.17,
    chest: (0.16, 0.17),
    loin: (0.15, 0.155),
    limb: (0.055, 0.045),
    ears: Ears::Pricked(0.16, 0.12),
    tail: Tail(0.06, 0.05, 20.0, 40.0, Outline::Brush),
    neck: Neck(0.2, 55.0, 0.15, 0.115),
    head: head(0.33, (0.125, 0.105), 0.42, (0.048, 0.045), 0.035, 6.0),
    coats: &[
        coat("orange", ["white", "white", "white", "white"], Marks::Plain),
        coat("tan", ["white", "white", "white", "white"], Marks::Plain),
    ],
    ..WOLF
};

const DACHSHUND: Species = Species {
    kind: "dachshund",
    leg: 0.1,
    chest: (0.1, 0.11),
    loin: (0.09, 0.1),
    tail: Tail(0.3, 0.025, 10.0, 40.0, Outline::Taper),
    ..LABRADOR
};

const HOUND: Species = Species {
    kind: "greyhound",
    leg: 0.55,
    chest: (0.09, 0.16),
    loin: (0.075, 0.09),
    limb: (0.045, 0.025),
    neck: Neck(0.28, 52.0, 0.1, 0.07),
    head: head(0.33, (0.062, 0.068), 0.55, (0.03, 0.032), 0.02, 10.0),
    tail: Tail(0.5, 0.024, -50.0, 10.0, Outline::Taper),
    coats: &[plain("gray"), plain("tan"), plain("black"), plain("white")],
    ..LABRADOR
};

const SHIBA: Species = Species {
    kind: "shiba inu",
    tail: Tail(0.42, 0.075, 75.0, 290.0, Outline::Brush),
    head: head(0.3, (0.115, 0.105), 0.4, (0.045, 0.042), 0.03, 6.0),
    coats: &[coat("orange", ["cream", "cream", "cream", ""], Marks::Plain)],
    ..HUSKY
};

const PUG: Species = Species {
    kind: "pug",
    leg: 0.28,
    chest: (0.15, 0.17),
    loin: (0.13, 0.14),
    head: head(0.26, (0.125, 0.12), 0.2, (0.075, 0.06), 0.03, 4.0),
    ears: Ears::Floppy(0.09, 0.09),
    tail: Tail(0.25, 0.035, 70.0, 320.0, Outline::Even),
    coats: &[coat("tan", ["", "", "black", ""], Marks::Plain), plain("black")],
    ..LABRADOR
};

fn dog(rng: &mut Rng) -> Specimen {
    quadruped(rng, &[LABRADOR, LABRADOR, HUSKY, HUSKY, CORGI, CORGI, DACHSHUND, HOUND, SHIBA, PUG], 0.12)
}

fn cat(rng: &mut Rng) -> Specimen {
    const CAT: Species = Species {
        kind: "",
        size: 0.34,
        leg: 0.32,
        chest: (0.11, 0.14),
        loin: (0.115, 0.135),
        limb: (0.048, 0.034),
        foot: Foot::Paw,
        neck: Neck(0.15, 42.0, 0.105, 0.09),
        head: head(0.25, (0.122, 0.108), 0.2, (0.05, 0.042), 0.035, 2.0),
        ears: Ears::Pricked(0.11, 0.1),
        tail: Tail(0.72, 0.03, -10.0, 110.0, Outline::Even),
        horns: Horns::None,
        mane: Mane::None,
        coats: &[
            coat("orange", ["cream", "", "white", ""], Marks::Stripes("brown")),
            coat("gray", ["light gray", "", "white", ""], Marks::Stripes("dark gray")),
            plain("black"),
            plain("white"),
            plain("gray"),
            coat("black", ["white", "white", "white", ""], Marks::Plain),
            coat("white", ["", "", "", "orange"], Marks::Patches("orange")),
            coat("cream", ["", "dark brown", "dark brown", "dark brown"], Marks::Plain),
            plain("orange"),
        ],
        poses: HUNTERS,
    };
    const RAISED: Species = Species { tail: Tail(0.7, 0.032, 75.0, 130.0, Outline::Even), ..CAT };
    const FLUFFY: Species =
        Species { tail: Tail(0.65, 0.075, -20.0, 70.0, Outline::Brush), mane: Mane::Ruff, ..CAT };
    quadruped(rng, &[CAT, CAT, RAISED, RAISED, FLUFFY], 0.12)
}

fn pig(rng: &mut Rng) -> Specimen {
    const PIG: Species = Species {
        kind: "",
        size: 1.0,
        leg: 0.19,
        chest: (0.19, 0.21),
        loin: (0.2, 0.215),
        limb: (0.062, 0.045),
        foot: Foot::Hoof,
        neck: Neck(0.08, 10.0, 0.17, 0.15),
        head: head(0.34, (0.14, 0.14), 0.34, (0.072, 0.068), 0.02, 12.0),
        ears: Ears::Pricked(0.11, 0.11),
        tail: Tail(0.26, 0.017, 60.0, 400.0, Outline::Even),
        horns: Horns::None,
        mane: Mane::None,
        coats: &[
            plain("pink"),
            plain("pink"),
            plain("pink"),
            coat("pink", ["", "", "", ""], Marks::Patches("black")),
        ],
        poses: WALKERS,
    };
    const BOAR: Species = Species {
        kind: "wild boar",
        coats: &[plain("dark brown"), plain("dark gray")],
        chest: (0.17, 0.23),
        loin: (0.14, 0.17),
        tail: Tail(0.2, 0.02, -50.0, -80.0, Outline::Tuft),
        ..PIG
    };
    quadruped(rng, &[PIG, PIG, PIG, PIG, BOAR], 0.22)
}

fn sheep(rng: &mut Rng) -> Specimen {
    const SHEEP: Species = Species {
        kind: "",
        size: 1.0,
        leg: 0.28,
        chest: (0.19, 0.21),
        loin: (0.19, 0.21),
        limb: (0.045, 0.034),
        foot: Foot::Hoof,
        neck: Neck(0.12, 45.0, 0.14, 0.11),
        head: head(0.29, (0.082, 0.092), 0.45, (0.048, 0.048), 0.025, 28.0),
        ears: Ears::Sideways(0.11, 0.06),
        tail: Tail(0.1, 0.05, -50.0, -70.0, Outline::Even),
        horns: Horns::None,
        mane: Mane::Wool,
        coats: &[
            coat("white", ["", "black", "black", ""], Marks::Plain),
            coat("cream", ["", "dark gray", "dark gray", ""], Marks::Plain),
            coat("white", ["", "tan", "tan", ""], Marks::Plain),
            coat("white", ["", "", "", ""], Marks::Plain),
            coat("black", ["", "", "", ""], Marks::Plain),
        ],
        poses: GRAZERS,
    };
    const RAM: Species = Species { kind: "ram", horns: Horns::Goat(0.2), ..SHEEP };
    const SHORN: Species = Species { mane: Mane::None, chest: (0.17, 0.19), loin: (0.17, 0.19), ..SHEEP };
    quadruped(rng, &[SHEEP, SHEEP, SHEEP, RAM, SHORN], 0.2)
}

fn goat(rng: &mut Rng) -> Specimen {
    const GOAT: Species = Species {
        kind: "",
        size: 0.9,
        leg: 0.4,
        chest: (0.14, 0.17),
        loin: (0.14, 0.17),
        limb: (0.045, 0.03),
        foot: Foot::Hoof,
        neck: Neck(0.28, 55.0, 0.12, 0.08),
        head: head(0.31, (0.07, 0.078), 0.5, (0.042, 0.042), 0.025, 26.0),
        ears: Ears::Sideways(0.13, 0.055),
        tail: Tail(0.12, 0.03, 50.0, 70.0, Outline::Taper),
        horns: Horns::Goat(0.26),
        mane: Mane::None,
        coats: &[
            plain("white"),
            plain("brown"),
            plain("gray"),
            coat("dark brown", ["tan", "tan", "", ""], Marks::Plain),
            coat("white", ["", "", "", ""], Marks::Patches("brown")),
        ],
        poses: GRAZERS,
    };
    quadruped(rng, &[GOAT], 0.12)
}

fn zebra(rng: &mut Rng) -> Specimen {
    const COATS: &[Coat] = &[coat("white", ["", "", "black", "black"], Marks::Stripes("black"))];
    const TAIL: Tail = Tail(0.42, 0.03, -60.0, -86.0, Outline::Tuft);
    quadruped(rng, &[Species { coats: COATS, tail: TAIL, neck: Neck(0.4, 48.0, 0.17, 0.1), ..HORSE }], 0.12)
}
