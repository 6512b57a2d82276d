//! Data sets from the files that other projects publish. One file a format; each says how its files must lie.
//!
//! Images, points and features come over as they are stored: coordinates and colors keep their source's conventions.

mod carry;
mod duoduo;
mod lexiform;
mod modelnet;
mod mvimgnet;
mod openshape;
mod scanobjectnn;
mod shapenet55;
mod ulip_objaverse;
mod zero123;

use std::path::Path;

use serde_json::{Value, json};

use crate::shape::split_of;
use crate::table::Table;
use crate::{About, DataError, Job, Key, Picture, Problem, Producer, Shape};

/// A format that can be imported.
#[derive(Clone, Copy)]
pub struct Format {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it reads and how its files must lie.
    pub about: &'static str,
    /// Opens it.
    pub open: fn(&Path, &ImportOptions) -> Result<Opened, DataError>,
}

/// Every format, sorted by name.
pub const FORMATS: [Format; 11] = [
    Format {
        name: "duoduo",
        about: "Duoduo CLIP: *_images.h5 beside its *model_to_idx.json, lvis.csv and embeddings if there are any",
        open: duoduo::images,
    },
    Format {
        name: "duoduo-embeddings",
        about: "Duoduo CLIP: shape_emb_objaverse.h5 beside shape_emb_objaverse_model_to_idx.json",
        open: duoduo::embeddings,
    },
    Format {
        name: "lexiform",
        about: "another data set of this kind, as it is or with more labels and captions",
        open: lexiform::open,
    },
    Format {
        name: "modelnet",
        about: "ModelNet40/10: modelnet40_{shape_names,train,test}.txt beside <class>/<class>_0001.txt; a .npy of clouds \
            beside its .json (OpenShape, ULIP-2); or a .dat of sampled clouds (ULIP)",
        open: modelnet::open,
    },
    Format {
        name: "mvimgnet",
        about: "MVImgNet and MVPNet: <category>/<object>/images/*.jpg, and the lists mvpnet_train_model_ids.txt, \
            mvpnet_val.csv, mvimgnet_category.txt if there are any",
        open: mvimgnet::open,
    },
    Format {
        name: "openshape",
        about: "OpenShape: a split .json of {dataset, group, id, data_path}, ULIP-2's lvis.json, or a folder of its .npy files",
        open: openshape::open,
    },
    Format {
        name: "point-bert",
        about: "Point-BERT's ShapeNet55: train.txt, test.txt, taxonomy.json and shapenet_pc/<synset>-<model>.npy",
        open: shapenet55::open,
    },
    Format {
        name: "scanobjectnn",
        about: "ScanObjectNN: one .h5 of data and label, or a folder of them; OpenShape's xyz_label.npy",
        open: scanobjectnn::open,
    },
    Format {
        name: "ulip-objaverse",
        about: "ULIP-2's Objaverse: objaverse_pc_parallel/<uid>/<uid>_8192.npz",
        open: ulip_objaverse::open,
    },
    Format {
        name: "ulip-shapenet",
        about: "ULIP's ShapeNet: as point-bert, with rendered_images/<synset>-<model>/*_r_000.png",
        open: shapenet55::open,
    },
    Format {
        name: "zero123",
        about: "Zero123 renders: <id>/000.png … with <id>/000.npy if there are any",
        open: zero123::open,
    },
];

/// The format of a name.
pub fn find(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

/// What an importer may be told.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// How images that are stored as raw pixels are compressed.
    pub pictures: Picture,
    /// Share of shapes in the split `val` where the source names none.
    pub held_out: f64,
    /// Labels, captions and splits by name.
    pub facts: Table,
    /// Frozen features too, where the source has them.
    pub features: bool,
    /// Edge to which photographs are resized; 0 leaves them as they are.
    pub size: u32,
}

/// A source, opened: what it holds and how each shape is read.
pub struct Opened {
    format: &'static str,
    jobs: Vec<Job>,
    warnings: Vec<String>,
    settings: Value,
    read: Box<ReadShape>,
}

type ReadShape = dyn Fn(usize) -> Result<(Vec<crate::Member>, About), String> + Send + Sync;

impl Opened {
    /// Shapes called `ids`; `read` gives the members of each and what is known about it.
    fn new(
        format: &'static str,
        from: &Path,
        ids: &[String],
        options: &ImportOptions,
        read: impl Fn(usize) -> Result<(Vec<crate::Member>, About), String> + Send + Sync + 'static,
    ) -> Self {
        let source = from.display().to_string();
        let jobs: Vec<Job> = ids.iter().map(|id| Job { key: Key::of_id(id), source: id.clone() }).collect();
        let settings = json!({
            "made_by": format!("import {format}"),
            "pictures": options.pictures,
            "held_out": options.held_out,
            "features": options.features,
            "size": options.size,
        });
        let (facts, held_out) = (options.facts.clone(), options.held_out);
        let keys: Vec<(Key, String)> = jobs.iter().map(|job| (job.key.clone(), job.source.clone())).collect();
        let finish = move |index: usize| {
            let (members, mut about) = read(index)?;
            let (key, id) = &keys[index];
            about.id.clone_from(id);
            if about.source.is_empty() {
                about.source.clone_from(&source);
            }
            if let Some(more) = facts.find(id) {
                about.labels.extend(more.labels.iter().cloned());
                about.captions.extend(more.captions.iter().cloned());
                about.split = more.split.clone().unwrap_or(about.split);
            }
            if about.split.is_empty() {
                about.split = split_of(key, held_out).to_owned();
            }
            Ok((members, about))
        };
        Self { format, jobs, warnings: Vec::new(), settings, read: Box::new(finish) }
    }

    fn warn(mut self, warnings: Vec<String>) -> Self {
        self.warnings.extend(warnings);
        self
    }

    /// Traps that were found in the source, one sentence each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Name of the format.
    pub fn format(&self) -> &'static str {
        self.format
    }
}

impl Producer for Opened {
    fn jobs(&self) -> &[Job] {
        &self.jobs
    }

    fn settings(&self) -> Value {
        self.settings.clone()
    }

    fn produce(&self, index: usize) -> Result<Shape, Problem> {
        let (members, about) = (self.read)(index).map_err(Problem::Shape)?;
        Ok(Shape { key: self.jobs[index].key.clone(), members, about })
    }
}
