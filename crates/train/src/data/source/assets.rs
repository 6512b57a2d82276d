//! 3D files that are trained on together with the generated shapes, described by their names or a table of labels.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use glam::Vec4;
use lexiform_data::shape_csv::{CsvColumn, CsvRow, ShapeCsv};
use lexiform_geometry::Scene;
use lexiform_mesh_io::{ReadOptions, UpRule, read_with};
use lexiform_shapes::{Rng, Variation};
use rayon::prelude::*;

use super::asset_names::AssetName;
use super::folder::{files_of, fingerprint_of_files, fnv1a};
use crate::data::caption::{Caption, CaptionSource};
use crate::data::shape_set::{CategoryNames, Sample, SampleSize, ShapeSet, generated_names};
use crate::error::FolderError;
use crate::recipe::{AssetsConfig, DataConfig};

/// Sentences with a placeholder for a description.
const TEMPLATES: [&str; 4] =
    ["a 3d model of a {}", "a photo of a {}", "a low poly {}", "a rendering of a {}"];
/// Fraction of the variations whose colors are exchanged.
const RECOLORED: f32 = 0.3;
/// Ways to exchange red, green and blue.
const CHANNEL_ORDERS: [[usize; 3]; 5] = [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

/// The files of a folder, each with the category that its name says.
#[derive(Debug)]
pub(crate) struct Assets {
    files: Vec<(PathBuf, AssetName)>,
    /// The generated categories, then those of the files that are none of them.
    categories: Vec<CategoryNames>,
    indices: BTreeMap<String, usize>,
    copies: usize,
    up: UpRule,
    fingerprint: String,
}

impl Assets {
    /// Finds the files of `config.path`; `None` without a path.
    ///
    /// # Errors
    /// If the folder or the table of labels cannot be read, or there are fewer than two files with words in their names, or with
    /// labels.
    pub fn open(config: &AssetsConfig, up: UpRule) -> Result<Option<Self>, FolderError> {
        let Some(folder) = &config.path else { return Ok(None) };
        let known = generated_names();
        let mut files = match &config.label_table {
            Some(table) => labeled_files(table, folder, &known)?,
            None => named_files(folder, &known)?,
        };
        files.retain(|(path, _)| !is_excluded(path, folder, &config.exclude));
        if files.len() < 2 {
            return Err(FolderError::TooFew { path: folder.clone(), found: files.len(), first: None });
        }
        let mut categories = known;
        let mut indices: BTreeMap<String, usize> =
            categories.iter().enumerate().map(|(i, category)| (category.name.clone(), i)).collect();
        for (_, name) in &files {
            indices.entry(name.category.clone()).or_insert_with(|| {
                categories.push(CategoryNames { name: name.category.clone(), synonyms: Vec::new() });
                categories.len() - 1
            });
        }
        let mut fingerprint = fingerprint_of_files(files.iter().map(|(path, _)| path.as_path()), folder);
        // Names follow from the files' paths, labels from the table.
        if config.label_table.is_some() {
            let labels = files.iter().map(|(_, name)| format!("{}\0{}\n", name.category, name.phrase));
            fingerprint += &format!("{:016x}", fnv1a(&labels.collect::<String>()));
        }
        Ok(Some(Self { files, categories, indices, copies: config.copies, up, fingerprint }))
    }

    /// Number of training shapes.
    pub fn count(&self) -> usize {
        self.files.len() * self.copies
    }

    /// Checksum of the files.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Adds `copies` variations of each file to generated shapes.
    pub fn add_to(&self, set: &mut ShapeSet, config: &DataConfig, size: SampleSize, seed: u64, refresh: u64) {
        let rows: Vec<_> = (self.files.par_iter().enumerate())
            .map(|(i, (path, name))| {
                let scene = read_with(path, &ReadOptions { up: self.up })
                    .map_err(|error| (path.clone(), error.to_string()))?;
                if scene.is_empty() {
                    return Err((path.clone(), "no triangles and no points".to_owned()));
                }
                let serial = |copy: usize| (refresh << 40) | ((i as u64) << 8) | copy as u64;
                let copies = 0..self.copies;
                let samples = copies.map(|copy| {
                    let mut rng = Rng::named("asset", seed ^ serial(copy));
                    self.sample(name, scene.clone(), (config, size), &mut rng)
                });
                Ok(samples.collect::<Vec<Sample>>())
            })
            .collect();
        for row in rows {
            match row {
                Ok(samples) => set.samples.extend(samples),
                Err(skipped) => set.skipped.push(skipped),
            }
        }
        set.categories.clone_from(&self.categories);
    }

    fn sample(
        &self,
        name: &AssetName,
        scene: Scene,
        (config, size): (&DataConfig, SampleSize),
        rng: &mut Rng,
    ) -> Sample {
        let variation = Variation::sample(rng);
        let scene = if rng.chance(RECOLORED) { recolored(scene, rng.choose(&CHANNEL_ORDERS)) } else { scene };
        let scene = variation.apply(scene);
        Sample::for_training(self.indices[&name.category], scene, captions(name, rng), config, size, rng)
    }
}

/// The files of a table with the columns file and label.
fn labeled_files(
    table: &Path,
    folder: &Path,
    known: &[CategoryNames],
) -> Result<Vec<(PathBuf, AssetName)>, FolderError> {
    let listing = ShapeCsv::read(table)?;
    listing.require_any(&[CsvColumn::Shape])?;
    listing.require_any(&[CsvColumn::Label])?;
    let named = |row: CsvRow| {
        let path = folder.join(row.shape);
        let name = AssetName::labeled(&stem_of(&path), &row.label?, known);
        Some((path, name))
    };
    Ok(listing.rows.into_iter().filter_map(named).collect())
}

/// The files of a folder whose names have words.
fn named_files(folder: &Path, known: &[CategoryNames]) -> Result<Vec<(PathBuf, AssetName)>, FolderError> {
    // Tables have endings that clouds have too.
    let is_table = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "csv" || ending == "txt");
    let named = |path: PathBuf| {
        let name = AssetName::of(&stem_of(&path), known)?;
        Some((path, name))
    };
    Ok(files_of(folder)?.into_iter().filter(|path| !is_table(path)).filter_map(named).collect())
}

fn stem_of(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn is_excluded(path: &Path, folder: &Path, packs: &[String]) -> bool {
    let first = path.strip_prefix(folder).ok().and_then(|inner| inner.components().next());
    first.is_some_and(|first| packs.iter().any(|pack| first.as_os_str() == pack.as_str()))
}

/// The category, the words of the name, and both in sentences.
fn captions(name: &AssetName, rng: &mut Rng) -> Vec<Caption> {
    let sentence = |rng: &mut Rng| rng.choose(&TEMPLATES).replace("{}", &name.phrase);
    vec![
        Caption::new(&name.category, CaptionSource::Label),
        Caption::new(format!("a {}", name.phrase), CaptionSource::Generated),
        Caption::new(sentence(rng), CaptionSource::Generated),
    ]
}

/// Exchanges the channels of the materials' colors, so that a category is not known by its color.
fn recolored(mut scene: Scene, order: [usize; 3]) -> Scene {
    for material in &mut scene.materials {
        let color = material.base_color.to_array();
        material.base_color = Vec4::new(color[order[0]], color[order[1]], color[order[2]], color[3]);
    }
    scene
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(folder: &Path) -> DataConfig {
        let text = "shapes = 2\nviews = 2\nelevation_low = 0.0\nelevation_high = 10.0\n";
        let assets = AssetsConfig {
            path: Some(folder.to_owned()),
            copies: 3,
            exclude: vec!["other".to_owned()],
            label_table: None,
        };
        DataConfig { assets, ..toml::from_str(text).unwrap() }
    }

    #[test]
    fn files_join_the_generated_shapes() {
        let folder = tempfile::tempdir().unwrap();
        let triangle = "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n";
        fs_err::create_dir(folder.path().join("other")).unwrap();
        for name in ["Chair_Red.obj", "anvil2.obj", "Anvil_Old.obj", "broken.obj", "other/Lamp.obj"] {
            let content = if name == "broken.obj" { "v 1 2" } else { triangle };
            fs_err::write(folder.path().join(name), content).unwrap();
        }
        fs_err::write(folder.path().join("MANIFEST.csv"), "file,name\n").unwrap();
        let config = config(folder.path());
        let assets = Assets::open(&config.assets, UpRule::Format).unwrap().unwrap();
        assert_eq!(assets.count(), 4 * 3);
        let mut set = ShapeSet { categories: generated_names(), ..ShapeSet::default() };
        let size = SampleSize { view: 8, points: 0 };
        assets.add_to(&mut set, &config, size, 1, 0);
        let known = generated_names().len();
        let names: Vec<&str> =
            set.categories[known..].iter().map(|category| category.name.as_str()).collect();
        assert_eq!(names, ["anvil", "broken"]);
        let chair = set.categories.iter().position(|category| category.name == "chair").unwrap();
        let found: Vec<usize> = set.samples.iter().map(|sample| sample.category).collect();
        assert_eq!(found, [[known; 3], [chair; 3], [known; 3]].concat());
        assert_eq!(set.samples[3].captions[1].text, "a red chair");
        assert_eq!(set.skipped.len(), 1);
    }

    #[test]
    fn a_table_says_what_files_are() {
        let folder = tempfile::tempdir().unwrap();
        fs_err::create_dir(folder.path().join("other")).unwrap();
        for name in ["Potion_Big.obj", "Crop_1.obj", "x.obj", "other/Lamp.obj"] {
            fs_err::write(folder.path().join(name), "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n").unwrap();
        }
        let table = folder.path().join("what.csv");
        fs_err::write(&table, "file,label\nPotion_Big.obj,bottle\nx.obj,anvil\nother/Lamp.obj,lamp\n")
            .unwrap();
        let config = AssetsConfig { label_table: Some(table), ..config(folder.path()).assets };
        let assets = Assets::open(&config, UpRule::Format).unwrap().unwrap();
        let found: Vec<(&str, &str)> =
            assets.files.iter().map(|(_, name)| (&name.category[..], &name.phrase[..])).collect();
        assert_eq!(found, [("bottle", "big bottle"), ("anvil", "anvil")]);
        let missing = AssetsConfig { label_table: Some(folder.path().join("none.csv")), ..config };
        assert!(Assets::open(&missing, UpRule::Format).unwrap_err().to_string().contains("none.csv"));
    }

    #[test]
    fn without_a_path_there_are_none() {
        assert!(Assets::open(&AssetsConfig::default(), UpRule::Format).unwrap().is_none());
        let empty = tempfile::tempdir().unwrap();
        let config = AssetsConfig { path: Some(empty.path().to_owned()), ..AssetsConfig::default() };
        assert!(
            Assets::open(&config, UpRule::Format).unwrap_err().to_string().contains("expected at least 2")
        );
    }
}
