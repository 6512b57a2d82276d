//! Embedding several subsets of a shape's views, sharing the blocks that see one view at a time.

use std::collections::BTreeMap;

use burn::tensor::{Int, Tensor, TensorData};
use image::RgbaImage;

use super::tower_work::{BlockWork, TowerWork};
use super::{JointModel, MAX_IMAGE_BATCH};
use crate::embedding::{Embedding, rows};
use crate::error::ModelError;

/// Embeddings of subsets of views.
#[derive(Clone, Debug)]
pub struct ViewSubsetEmbeddings {
    /// `[shape][subset]`.
    pub rows: Vec<Vec<Embedding>>,
    /// Work of the image tower.
    pub work: TowerWork,
}

impl ViewSubsetEmbeddings {
    /// Numbers of shapes and of subsets; `None` if shapes differ in the number of subsets.
    pub fn dims(&self) -> Option<[usize; 2]> {
        let subsets = self.rows.first().map_or(0, Vec::len);
        self.rows.iter().all(|row| row.len() == subsets).then_some([self.rows.len(), subsets])
    }
}

/// A subset of a shape's views.
struct Subset {
    shape: usize,
    /// Which of the shape's subsets are this one. Views have no order: attention and mean are the same in any.
    places: Vec<usize>,
    /// Rows of the separately computed tokens.
    rows: Vec<usize>,
}

/// Distinct views and subsets.
#[derive(Default)]
struct Distinct<'a> {
    images: Vec<&'a RgbaImage>,
    /// By number of views.
    subsets: BTreeMap<usize, Vec<Subset>>,
}

impl<'a> Distinct<'a> {
    fn of(shapes: &[&'a [RgbaImage]], subsets: &[Vec<Vec<usize>>]) -> Result<Self, ModelError> {
        let mut this = Self::default();
        for (shape, (views, subsets)) in shapes.iter().zip(subsets).enumerate() {
            let mut row_of: BTreeMap<usize, usize> = BTreeMap::new();
            let mut places_of: BTreeMap<Vec<usize>, Vec<usize>> = BTreeMap::new();
            for (place, subset) in subsets.iter().enumerate() {
                let mut rows = Vec::with_capacity(subset.len());
                for view in subset {
                    let image = views.get(*view).ok_or(ModelError::NoViews)?;
                    rows.push(*row_of.entry(*view).or_insert_with(|| {
                        this.images.push(image);
                        this.images.len() - 1
                    }));
                }
                rows.sort_unstable();
                places_of.entry(rows).or_default().push(place);
            }
            for (rows, places) in places_of {
                this.subsets.entry(rows.len()).or_default().push(Subset { shape, places, rows });
            }
        }
        match this.subsets.contains_key(&0) {
            true => Err(ModelError::NoViews),
            false => Ok(this),
        }
    }
}

impl JointModel {
    /// Embeddings of several subsets of the views of each shape: `subsets[shape]` lists indices of its views. Blocks before
    /// `joint_from` see one view at a time (Duoduo CLIP, [arXiv 2406.11579](https://arxiv.org/abs/2406.11579), section 3.1), so
    /// they run once per view, whatever the number of subsets; the others run once per distinct subset.
    ///
    /// # Errors
    /// [`ModelError::NoViews`] if a subset is empty or names a view that the shape does not have, [`ModelError::InvalidNorm`]
    /// if features have no norm.
    pub fn embed_view_subsets(
        &self,
        shapes: &[&[RgbaImage]],
        subsets: &[Vec<Vec<usize>>],
    ) -> Result<ViewSubsetEmbeddings, ModelError> {
        let distinct = Distinct::of(shapes, subsets)?;
        let mut found: Vec<Vec<Option<Embedding>>> = subsets.iter().map(|s| vec![None; s.len()]).collect();
        let mut work = TowerWork::default();
        if let Some(tokens) = self.separate_tokens(&distinct.images, &mut work) {
            for (views, members) in distinct.subsets {
                for chunk in members.chunks((MAX_IMAGE_BATCH / views).max(1)) {
                    let features = self.joint_features(&tokens, chunk, views, &mut work);
                    for (subset, features) in chunk.iter().zip(features) {
                        let embedding = Embedding::new(features)?;
                        for place in &subset.places {
                            found[subset.shape][*place] = Some(embedding.clone());
                        }
                    }
                }
            }
        }
        let rows = found.into_iter().map(|row| row.into_iter().flatten().collect()).collect();
        Ok(ViewSubsetEmbeddings { rows, work })
    }

    /// Tokens of each image after the blocks before `joint_from`, `[images, tokens, width]`; `None` without images.
    fn separate_tokens(&self, images: &[&RgbaImage], work: &mut TowerWork) -> Option<Tensor<3>> {
        let encode = |chunk: &[&RgbaImage]| {
            let pixels = self.config.preprocess.tensor(chunk, &self.device);
            self.vision.encode_separate(pixels, self.config.joint_from)
        };
        let chunks: Vec<Tensor<3>> = images.chunks(MAX_IMAGE_BATCH).map(encode).collect();
        let joint_from = self.config.joint_from;
        work.multiply_adds += BlockWork::of(&self.config.clip.vision).blocks(0, joint_from, images.len(), 1);
        (!chunks.is_empty()).then(|| Tensor::cat(chunks, 0))
    }

    /// Features of subsets with `views` views each.
    fn joint_features(
        &self,
        tokens: &Tensor<3>,
        subsets: &[Subset],
        views: usize,
        work: &mut TowerWork,
    ) -> Vec<Vec<f32>> {
        let rows_of: Vec<i64> =
            subsets.iter().flat_map(|subset| &subset.rows).map(|row| *row as i64).collect();
        let (images, joint_from) = (rows_of.len(), self.config.joint_from);
        let blocks = BlockWork::of(&self.config.clip.vision);
        work.multiply_adds += blocks.blocks(joint_from, usize::MAX, images, views);
        let asked: usize = subsets.iter().map(|subset| subset.places.len()).sum();
        work.unshared_multiply_adds += blocks.whole(asked, views, joint_from);
        let indices = Tensor::<1, Int>::from_data(TensorData::new(rows_of, [images]), &self.device);
        rows(self.vision.encode_joint(tokens.clone().select(0, indices), views, joint_from))
    }
}
