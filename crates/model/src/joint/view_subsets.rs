//! Embedding several subsets of a shape's views, sharing the blocks that see one view at a time.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use burn::tensor::{Int, Tensor, TensorData};
use image::RgbaImage;
use serde::Serialize;

use super::{JointModel, MAX_IMAGE_BATCH};
use crate::embedding::{Embedding, rows};
use crate::error::ModelError;

/// Work of an image tower, in blocks times tokens: a block that runs on the 50 tokens of a view of ViT-B/32 counts 50.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TowerWork {
    /// What was computed.
    pub block_tokens: u64,
    /// What separate passes for every subset would have computed.
    pub unshared_block_tokens: u64,
}

impl AddAssign for TowerWork {
    fn add_assign(&mut self, other: Self) {
        self.block_tokens += other.block_tokens;
        self.unshared_block_tokens += other.unshared_block_tokens;
    }
}

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

/// A subset of a shape's views, as rows of the separately computed tokens.
struct Subset {
    shape: usize,
    place: usize,
    rows: Vec<usize>,
}

impl JointModel {
    /// Embeddings of several subsets of the views of each shape: `subsets[shape]` lists indices of its views. Blocks before
    /// `joint_from` see one view at a time (Duoduo CLIP, [arXiv 2406.11579](https://arxiv.org/abs/2406.11579), section 3.1), so
    /// they run once per view, whatever the number of subsets.
    ///
    /// # Errors
    /// [`ModelError::NoViews`] if a subset is empty or names a view that the shape does not have, [`ModelError::InvalidNorm`]
    /// if features have no norm.
    pub fn embed_view_subsets(
        &self,
        shapes: &[&[RgbaImage]],
        subsets: &[Vec<Vec<usize>>],
    ) -> Result<ViewSubsetEmbeddings, ModelError> {
        let (mut images, mut by_size): (Vec<&RgbaImage>, BTreeMap<usize, Vec<Subset>>) = Default::default();
        for (shape, (views, subsets)) in shapes.iter().zip(subsets).enumerate() {
            let mut row_of: BTreeMap<usize, usize> = BTreeMap::new();
            for (place, subset) in subsets.iter().enumerate() {
                let mut rows = Vec::with_capacity(subset.len());
                for view in subset {
                    let image = views.get(*view).ok_or(ModelError::NoViews)?;
                    rows.push(*row_of.entry(*view).or_insert_with(|| {
                        images.push(image);
                        images.len() - 1
                    }));
                }
                by_size.entry(subset.len()).or_default().push(Subset { shape, place, rows });
            }
        }
        if by_size.contains_key(&0) {
            return Err(ModelError::NoViews);
        }
        let mut found: Vec<Vec<Option<Embedding>>> = subsets.iter().map(|s| vec![None; s.len()]).collect();
        let mut work = TowerWork::default();
        if let Some(tokens) = self.separate_tokens(&images, &mut work) {
            for (views, members) in by_size {
                for chunk in members.chunks((MAX_IMAGE_BATCH / views).max(1)) {
                    let features = self.joint_features(&tokens, chunk, views, &mut work);
                    for (subset, features) in chunk.iter().zip(features) {
                        found[subset.shape][subset.place] = Some(Embedding::new(features)?);
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
        let blocks = self.config.joint_from.min(self.config.clip.vision.layers);
        work.block_tokens += self.block_tokens(images.len(), blocks);
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
        let layers = self.config.clip.vision.layers;
        let rows_of: Vec<i64> =
            subsets.iter().flat_map(|subset| &subset.rows).map(|row| *row as i64).collect();
        let images = rows_of.len();
        work.block_tokens += self.block_tokens(images, layers.saturating_sub(self.config.joint_from));
        work.unshared_block_tokens += self.block_tokens(images, layers);
        let indices = Tensor::<1, Int>::from_data(TensorData::new(rows_of, [images]), &self.device);
        rows(self.vision.encode_joint(tokens.clone().select(0, indices), views, self.config.joint_from))
    }

    fn block_tokens(&self, images: usize, blocks: usize) -> u64 {
        let vision = &self.config.clip.vision;
        ((vision.n_tokens() + vision.prompts) * images * blocks) as u64
    }
}
