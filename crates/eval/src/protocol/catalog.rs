//! All protocols. What a paper leaves open is stated in a note.

use lexiform_metrics::TemplateAveraging;
use lexiform_model::Templates;
use lexiform_model::point::PointNormalization;

use super::benchmark::{Benchmark, Paper};
use super::definition::{Protocol, ShapeInput};
use super::labels::{ClassList, MODELNET10, MODELNET40, SCANOBJECTNN, Spelling};
use super::published::PublishedResult;
use super::published_rows::ROWS;

/// LVIS classes with objects in Objaverse.
const LVIS: ClassList = ClassList::FromFile {
    count: 1156,
    file: "the names of the 1,156 LVIS classes, in the order of their indices",
};
/// Numbers of views evaluated by Duoduo CLIP, of 12 rendered ones.
const DUODUO_COUNTS: [usize; 9] = [1, 2, 3, 4, 5, 6, 8, 10, 12];
/// 123 plus 555, 666, 777: seeds of Duoduo CLIP's three runs.
const DUODUO_SEEDS: [u32; 3] = [678, 789, 900];

/// Points as the encoder was trained with.
const DEFAULT_POINTS: ShapeInput = ShapeInput::Points {
    count: None,
    placing: PointNormalization::UnitSphere,
    without_colors: false,
    note: "",
};

/// Common values of the protocols below.
const BASE: Protocol = Protocol {
    benchmark: Benchmark::Modelnet40,
    paper: Paper::Ulip2,
    classes: ClassList::Builtin(&MODELNET40),
    spelling: Spelling::Verbatim,
    templates: Templates::Ulip,
    template_averaging: TemplateAveraging::NormalizeEach,
    input: DEFAULT_POINTS,
    num_shapes: None,
    note: "",
};

/// ScanObjectNN as in ULIP.
const ULIP_SCANOBJECTNN: Protocol = Protocol {
    classes: ClassList::Builtin(&SCANOBJECTNN),
    input: ShapeInput::Points {
        count: None,
        placing: PointNormalization::UnitSphere,
        without_colors: true,
        note: "scans have 2,048 points",
    },
    note: "other papers quote different zero-shot results for ULIP",
    ..BASE
};

/// ModelNet as in CG3D.
const CG3D_MODELNET: Protocol = Protocol {
    paper: Paper::Cg3d,
    spelling: Spelling::Underscores,
    templates: Templates::Cg3d,
    template_averaging: TemplateAveraging::Unnormalized,
    input: ShapeInput::Points {
        count: Some(1024),
        placing: PointNormalization::UnitSphere,
        without_colors: true,
        note: "sampled from 10,000 by farthest point sampling; use the number the checkpoint was trained with, such as --points 8192",
    },
    num_shapes: Some(2468),
    note: "text features are not normalized after averaging in the authors' validation",
    ..BASE
};

/// ScanObjectNN as in CG3D.
const CG3D_SCANOBJECTNN: Protocol = Protocol {
    benchmark: Benchmark::ScanobjectnnHardest,
    classes: ClassList::Builtin(&SCANOBJECTNN),
    spelling: Spelling::Verbatim,
    input: ShapeInput::Points {
        count: Some(1024),
        placing: PointNormalization::UnitSphere,
        without_colors: true,
        note: "sampled from 2,048 by farthest point sampling",
    },
    num_shapes: None,
    ..CG3D_MODELNET
};

/// OpenShape.
const OPENSHAPE: Protocol = Protocol {
    paper: Paper::Openshape,
    templates: Templates::Unpublished,
    input: ShapeInput::Points {
        count: Some(10_000),
        placing: PointNormalization::UnitSphere,
        without_colors: false,
        note: "a random subset",
    },
    note: "templates are not published, but class features are: use --class-features",
    ..BASE
};

/// Every protocol.
const PROTOCOLS: &[Protocol] = &[
    Protocol {
        benchmark: Benchmark::ObjaverseLvis,
        paper: Paper::Duoduo,
        classes: LVIS,
        template_averaging: TemplateAveraging::NormalizeMean,
        input: ShapeInput::Views { view_counts: &DUODUO_COUNTS, total_views: 12, seeds: &DUODUO_SEEDS },
        num_shapes: Some(46_205),
        note: "the published runs sample views per shape and a 208-pixel crop per 200 shapes: use --seeds reference",
        ..BASE
    },
    Protocol {
        benchmark: Benchmark::ObjaverseLvis,
        classes: LVIS,
        input: ShapeInput::Points {
            count: None,
            placing: PointNormalization::UnitSphereF16,
            without_colors: false,
            note: "10,000 points with color, as the authors' files have them",
        },
        note: "papers report 46,832, 46,205 or 45,692 shapes, since some files are no longer available",
        ..BASE
    },
    Protocol { benchmark: Benchmark::ObjaverseLvis, classes: LVIS, num_shapes: Some(46_832), ..OPENSHAPE },
    Protocol {
        input: ShapeInput::Points {
            count: None,
            placing: PointNormalization::None,
            without_colors: true,
            note: "the colored encoder takes 10,000 points with every color 0.4, the uncolored one 8,192",
        },
        num_shapes: Some(2468),
        ..BASE
    },
    CG3D_MODELNET,
    Protocol { num_shapes: Some(2468), ..OPENSHAPE },
    Protocol {
        benchmark: Benchmark::Modelnet10,
        classes: ClassList::Builtin(&MODELNET10),
        num_shapes: Some(908),
        ..CG3D_MODELNET
    },
    Protocol {
        benchmark: Benchmark::ScanobjectnnObjOnly,
        paper: Paper::Duoduo,
        classes: ClassList::Builtin(&SCANOBJECTNN),
        template_averaging: TemplateAveraging::NormalizeMean,
        input: ShapeInput::Views { view_counts: &[5, 12], total_views: 12, seeds: &DUODUO_SEEDS },
        num_shapes: Some(581),
        note: "scans must be rendered first; how the authors rendered them is not published",
        ..BASE
    },
    Protocol { benchmark: Benchmark::ScanobjectnnObjOnly, num_shapes: Some(581), ..ULIP_SCANOBJECTNN },
    Protocol {
        benchmark: Benchmark::ScanobjectnnObjOnly,
        classes: ClassList::Builtin(&SCANOBJECTNN),
        input: ShapeInput::Points {
            count: Some(10_000),
            placing: PointNormalization::UnitSphere,
            without_colors: true,
            note: "scans have 2,048 points, some are sampled twice",
        },
        num_shapes: Some(581),
        ..OPENSHAPE
    },
    Protocol { benchmark: Benchmark::ScanobjectnnObjBg, num_shapes: Some(581), ..ULIP_SCANOBJECTNN },
    Protocol { benchmark: Benchmark::ScanobjectnnObjBg, num_shapes: Some(581), ..CG3D_SCANOBJECTNN },
    Protocol { benchmark: Benchmark::ScanobjectnnHardest, num_shapes: Some(2882), ..ULIP_SCANOBJECTNN },
    Protocol { num_shapes: Some(2882), ..CG3D_SCANOBJECTNN },
    Protocol {
        benchmark: Benchmark::Text2shape,
        paper: Paper::Duoduo,
        classes: ClassList::None,
        templates: Templates::Bare,
        input: ShapeInput::Views { view_counts: &[12], total_views: 12, seeds: &DUODUO_SEEDS },
        note: "RR@1, RR@5 and NDCG@5 of captions among ShapeNet's chairs and tables; a shape may have several captions",
        ..BASE
    },
    Protocol {
        benchmark: Benchmark::Mvpnet,
        paper: Paper::Duoduo,
        classes: ClassList::FromFile {
            count: 238,
            file: "the names of MVImgNet's 238 categories, in the order of their file",
        },
        template_averaging: TemplateAveraging::NormalizeMean,
        input: ShapeInput::Views { view_counts: &[1, 6, 12], total_views: 12, seeds: &DUODUO_SEEDS },
        num_shapes: Some(16_636),
        note: "all validation objects are in the released list of MVImgNet's training objects",
        ..BASE
    },
];

impl Protocol {
    /// The protocol of a paper for a benchmark; `None` if the paper has none.
    pub fn find(benchmark: Benchmark, paper: Paper) -> Option<&'static Self> {
        PROTOCOLS.iter().find(|p| p.benchmark == benchmark && p.paper == paper)
    }

    /// All protocols for a benchmark.
    pub fn for_benchmark(benchmark: Benchmark) -> impl Iterator<Item = &'static Self> {
        PROTOCOLS.iter().filter(move |p| p.benchmark == benchmark)
    }

    /// Published results to compare with, those of the paper's own models first.
    pub fn published(&self) -> Vec<&'static PublishedResult> {
        let rows = ROWS.iter().filter(|row| row.benchmark == self.benchmark);
        let mut rows: Vec<_> = rows.filter(|row| row.paper == self.paper).collect();
        // `false` sorts first; the sort is stable, so that tables keep their order.
        rows.sort_by_key(|row| !row.by_authors);
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::labels::same_class;

    #[test]
    fn names_round_trip_and_unknown_ones_are_errors() {
        for benchmark in Benchmark::ALL {
            assert_eq!(benchmark.name().parse(), Ok(benchmark));
            assert!(Protocol::for_benchmark(benchmark).next().is_some(), "{benchmark:?}");
        }
        for paper in Paper::ALL {
            assert_eq!(paper.name().parse(), Ok(paper));
        }
        let error = "shapenet".parse::<Benchmark>().unwrap_err().to_string();
        assert!(error.contains("unknown protocol \"shapenet\"") && error.contains("modelnet40"), "{error}");
    }

    #[test]
    fn protocols_are_unique_and_valid() {
        for protocol in PROTOCOLS {
            let twins =
                PROTOCOLS.iter().filter(|p| (p.benchmark, p.paper) == (protocol.benchmark, protocol.paper));
            assert_eq!(twins.count(), 1, "{}", protocol.title());
            if let ShapeInput::Views { view_counts, total_views, .. } = protocol.input {
                assert!(view_counts.iter().all(|n| (1..=total_views).contains(n)), "{}", protocol.title());
            }
        }
        assert!(Protocol::find(Benchmark::Modelnet10, Paper::Duoduo).is_none());
        let lvis = Protocol::find(Benchmark::ObjaverseLvis, Paper::Duoduo).unwrap();
        assert!(lvis.published()[0].by_authors);
    }

    #[test]
    fn every_published_result_has_a_protocol() {
        for row in ROWS {
            assert!(Protocol::find(row.benchmark, row.paper).is_some(), "{row:?}");
        }
    }

    #[test]
    fn spellings() {
        assert_eq!(Spelling::Underscores.spell("flower pot"), "flower_pot");
        assert_eq!(Spelling::Spaces.spell("flower_pot"), "flower pot");
        assert!(same_class("Night_Stand", "night stand") && !same_class("bed", "bench"));
    }
}
