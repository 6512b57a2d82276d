//! Data sets from the files that other projects publish. One file per format; each documents the expected files.
//!
//! Images, points and features are imported without changes: coordinates and colors keep the conventions of their source, unless
//! [`ImportOptions::up`] says which axis of the points is up.
//!
//! ```
//! use lexiform_data::import::{self, ImportOptions};
//! use lexiform_data::{BuildOptions, Dataset, build_dataset, merge_partitions};
//!
//! # let pixel = image::RgbaImage::new(1, 1);
//! # let folder = tempfile::tempdir()?;
//! # let (renders, set) = (folder.path().join("renders"), folder.path().join("set"));
//! # std::fs::create_dir_all(renders.join("chair-1"))?;
//! # pixel.save(renders.join("chair-1/000.png"))?;
//! // renders/chair-1/000.png …
//! let format = import::find("zero123").ok_or("no such format")?;
//! let source = (format.open)(&renders, &ImportOptions::default())?;
//! build_dataset(&source, &set, &BuildOptions::default(), &mut |_| {})?;
//! merge_partitions(&set)?;
//! assert!(Dataset::open(&set)?.find("chair-1").is_some());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cg3d;
mod duoduo;
mod duoduo_features;
mod few_shot;
mod files;
mod id_lists;
mod lexiform;
mod members;
mod modelnet;
mod mvimgnet;
mod openshape;
mod options;
mod scanobjectnn;
mod shapenet55;
mod source;
mod ulip_objaverse;
mod zero123;

use std::path::Path;

pub(crate) use self::id_lists::{checked_rows, rows_by_id, rows_in};
pub use self::options::{IdFilter, ImportOptions};
pub use self::source::ImportSource;
use crate::DataError;

/// A format that can be imported.
#[derive(Clone, Copy)]
pub struct ImportFormat {
    /// Its name on the command line.
    pub name: &'static str,
    /// The files that it expects.
    pub description: &'static str,
    /// Opens a file or folder of this format.
    pub open: fn(&Path, &ImportOptions) -> Result<ImportSource, DataError>,
}

/// Every format, sorted by name.
pub const FORMATS: [ImportFormat; 13] = [
    ImportFormat {
        name: "cg3d",
        description: "CG3D: ShapeNet55/shapenet_pc/<synset>-<model>.npy, shapenet_render/img/<synset>/<model>/000.png … and \
            shapenet_render/{train_img,test_img}.txt, taxonomy.json; optionally ShapeNetCore.v2_images/<class>/ and <class>.json",
        open: cg3d::open,
    },
    ImportFormat {
        name: "duoduo",
        description: "Duoduo CLIP: *_images.h5 with its *model_to_idx.json; optionally lvis.csv, mvpnet_val.csv, mvimgnet_category.txt and \
            embeddings",
        open: duoduo::images,
    },
    ImportFormat {
        name: "duoduo-embeddings",
        description: "Duoduo CLIP: shape_emb_objaverse.h5 with shape_emb_objaverse_model_to_idx.json",
        open: duoduo::embeddings,
    },
    ImportFormat {
        name: "few-shot",
        description: "a fold of a few-shot benchmark (Point-BERT, ULIP, CG3D): <way>way_<shot>shot/<fold>.pkl",
        open: few_shot::open,
    },
    ImportFormat {
        name: "lexiform",
        description: "another Lexiform data set, to add labels and captions or to change the size of shards",
        open: lexiform::open,
    },
    ImportFormat {
        name: "modelnet",
        description: "ModelNet40/10: modelnet40_{shape_names,train,test}.txt with <class>/<class>_0001.txt, or one of these \
            lists (modelnet10_shape_names.txt for ModelNet10); a .npy of clouds with its .json (OpenShape, ULIP-2); or a \
            .dat of sampled clouds (ULIP)",
        open: modelnet::open,
    },
    ImportFormat {
        name: "mvimgnet",
        description: "MVImgNet and MVPNet: <category>/<object>/images/*.jpg, optionally the lists mvpnet_train_model_ids.txt, \
            mvpnet_val.csv, mvimgnet_category.txt",
        open: mvimgnet::open,
    },
    ImportFormat {
        name: "openshape",
        description: "OpenShape: a split .json of {dataset, group, id, data_path}, ULIP-2's lvis.json, or a folder of its .npy files",
        open: openshape::open,
    },
    ImportFormat {
        name: "point-bert",
        description: "Point-BERT's ShapeNet55: train.txt, test.txt, taxonomy.json and shapenet_pc/<synset>-<model>.npy",
        open: shapenet55::open,
    },
    ImportFormat {
        name: "scanobjectnn",
        description: "ScanObjectNN: a .h5 with data and label, or a folder with the files of one variant; OpenShape's xyz_label.npy",
        open: scanobjectnn::open,
    },
    ImportFormat {
        name: "ulip-objaverse",
        description: "ULIP-2's Objaverse: objaverse_pc_parallel/<uid>/<uid>_8192.npz, with its renders render_images_resized_224/<uid>/000.png \
            and captions merged_data.json",
        open: ulip_objaverse::open,
    },
    ImportFormat {
        name: "ulip-shapenet",
        description: "ULIP's ShapeNet: as point-bert, with rendered_images/<synset>-<model>/*_r_000.png",
        open: shapenet55::open,
    },
    ImportFormat {
        name: "zero123",
        description: "Zero123 renders: <id>/000.png …, optionally <id>/000.npy …",
        open: zero123::open,
    },
];

/// The format with this name.
pub fn find(name: &str) -> Option<&'static ImportFormat> {
    FORMATS.iter().find(|format| format.name == name)
}
