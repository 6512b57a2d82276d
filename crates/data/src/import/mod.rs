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

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use lexiform_formats::picture::Picture;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::shape::split_of;
use crate::shard::mark;
use crate::table::{Matched, Table, add_new};
use crate::{About, DataError, Job, Key, Problem, Producer, Shape};

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
        about: "Duoduo CLIP: *_images.h5 beside its *model_to_idx.json; lvis.csv, mvpnet_val.csv, mvimgnet_category.txt and \
            embeddings if there are any",
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
        about: "ModelNet40/10: modelnet40_{shape_names,train,test}.txt beside <class>/<class>_0001.txt, or one of these \
            lists (modelnet10_shape_names.txt for ModelNet10); a .npy of clouds beside its .json (OpenShape, ULIP-2); or a \
            .dat of sampled clouds (ULIP)",
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
        about: "ScanObjectNN: one .h5 of data and label, or a folder of one variant's; OpenShape's xyz_label.npy",
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
    /// The only shapes that are wanted, if not all.
    pub ids: Option<Ids>,
    /// Frozen features too, where the source has them.
    pub features: bool,
    /// Edge to which photographs are resized; 0 leaves them as they are.
    pub size: u32,
}

impl ImportOptions {
    /// Whether a shape is to be imported.
    fn wants(&self, id: &str) -> bool {
        self.ids.as_ref().is_none_or(|ids| ids.wanted.contains(id))
    }
}

/// Ids of the shapes that are wanted.
#[derive(Clone, Debug)]
pub struct Ids {
    list: PathBuf,
    wanted: HashSet<String>,
}

impl Ids {
    /// Reads a list: one id a line, as Duoduo CLIP's `four_no_lvis_model_ids.txt`.
    pub fn read(list: &Path) -> Result<Self, DataError> {
        let wanted: HashSet<String> = carry::lines(list)?.into_iter().collect();
        match wanted.is_empty() {
            true => Err(DataError::invalid(list, "expected one id a line, found none")),
            false => Ok(Self { list: list.to_owned(), wanted }),
        }
    }

    /// A mark of the whole list.
    fn digest(&self) -> String {
        let mut ids: Vec<&String> = self.wanted.iter().collect();
        ids.sort();
        let mut hasher = Sha256::new();
        ids.into_iter().for_each(|id| hasher.update(format!("{id}\n")));
        mark(hasher)
    }

    /// Which of a source's shapes are wanted; and a warning if it lacks some of those that are.
    fn choose(&self, ids: &[String]) -> Result<(Vec<usize>, Option<String>), DataError> {
        let chosen: Vec<usize> = (0..ids.len()).filter(|i| self.wanted.contains(&ids[*i])).collect();
        if chosen.is_empty() {
            let example =
                ids.first().map_or_else(String::new, |id| format!(", which are called such as {id:?}"));
            let message = format!("lists none of the {} shapes{example}", ids.len());
            return Err(DataError::invalid(&self.list, message));
        }
        let found: HashSet<&String> = chosen.iter().map(|i| &ids[*i]).collect();
        let (missing, of) = (self.wanted.len() - found.len(), self.wanted.len());
        let list = carry::name_of(&self.list);
        Ok((chosen, (missing > 0).then(|| format!("{list}: {missing} of {of} ids are not in the source"))))
    }
}

/// A source, opened: what it holds and how each shape is read.
pub struct Opened {
    format: &'static str,
    jobs: Vec<Job>,
    warnings: Vec<String>,
    settings: Value,
    matched: Matched,
    read: Box<ReadShape>,
}

type ReadShape = dyn Fn(usize) -> Result<(Vec<crate::Member>, About), String> + Send + Sync;

impl Opened {
    /// Shapes called `ids`, or those of them that are wanted; `read` gives the members of each and what is known about it.
    fn new(
        format: &'static str,
        from: &Path,
        ids: &[String],
        options: &ImportOptions,
        read: impl Fn(usize) -> Result<(Vec<crate::Member>, About), String> + Send + Sync + 'static,
    ) -> Result<Self, DataError> {
        let (chosen, warning) = options
            .ids
            .as_ref()
            .map_or_else(|| Ok(((0..ids.len()).collect(), None)), |wanted| wanted.choose(ids))?;
        let job = |i: &usize| Job { key: Key::of_id(&ids[*i]), source: ids[*i].clone() };
        let jobs: Vec<Job> = chosen.iter().map(job).collect();
        let mut settings = json!({
            "made_by": format!("import {format}"),
            "pictures": options.pictures,
            "held_out": options.held_out,
            "features": options.features,
            "size": options.size,
            "facts": options.facts.digest(),
        });
        if let Some(ids) = &options.ids {
            settings["ids"] = ids.digest().into();
        }
        let matched = options.facts.matched(jobs.iter().map(|job| job.source.as_str()));
        let finish = finish(from, &jobs, options);
        let read = move |index: usize| {
            let (members, about) = read(chosen[index])?;
            Ok((members, finish(index, about)))
        };
        let warnings = warning.into_iter().collect();
        Ok(Self { format, jobs, warnings, settings, matched, read: Box::new(read) })
    }

    /// Records one thing more that decides what the shapes are.
    fn with(mut self, setting: &str, value: impl Into<Value>) -> Self {
        self.settings[setting] = value.into();
        self
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

/// What is the same for all formats: id, source, the user's facts, the split.
fn finish(from: &Path, jobs: &[Job], options: &ImportOptions) -> impl Fn(usize, About) -> About + use<> {
    let source = from.display().to_string();
    let (facts, held_out) = (options.facts.clone(), options.held_out);
    let keys: Vec<(Key, String)> = jobs.iter().map(|job| (job.key.clone(), job.source.clone())).collect();
    move |index: usize, mut about: About| {
        let (key, id) = &keys[index];
        about.id.clone_from(id);
        if about.source.is_empty() {
            about.source.clone_from(&source);
        }
        if let Some(more) = facts.find(id) {
            add_new(&mut about.labels, more.labels.iter().cloned());
            about.captions.extend(more.captions.iter().cloned());
            about.split = more.split.clone().unwrap_or(about.split);
        }
        if about.split.is_empty() {
            about.split = split_of(key, held_out).to_owned();
        }
        about
    }
}

impl Producer for Opened {
    fn jobs(&self) -> &[Job] {
        &self.jobs
    }

    fn settings(&self) -> Value {
        self.settings.clone()
    }

    fn matched(&self) -> Matched {
        self.matched
    }

    fn produce(&self, index: usize) -> Result<Shape, Problem> {
        let (members, about) = (self.read)(index).map_err(Problem::Shape)?;
        Ok(Shape { key: self.jobs[index].key.clone(), members, about })
    }
}
