//! Counts what an image tower computes.

use std::ops::AddAssign;

use serde::Serialize;

use crate::clip::VisionConfig;
use crate::nn::Activation;

/// Work of an image tower's blocks in multiply-adds: products of tokens with weights, of queries with keys, and of attention
/// weights with values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TowerWork {
    /// What was computed.
    pub multiply_adds: u64,
    /// What the reference computes: a separate pass for every subset of views, with all tokens in all blocks.
    pub unshared_multiply_adds: u64,
}

impl AddAssign for TowerWork {
    fn add_assign(&mut self, other: Self) {
        self.multiply_adds += other.multiply_adds;
        self.unshared_multiply_adds += other.unshared_multiply_adds;
    }
}

/// Multiply-adds of the blocks of a tower.
#[derive(Clone, Copy, Debug)]
pub(super) struct BlockWork {
    tokens: usize,
    width: usize,
    inner: usize,
    mlp_width: usize,
    layers: usize,
}

impl BlockWork {
    /// Of the blocks of a tower.
    pub fn of(vision: &VisionConfig) -> Self {
        let block = vision.transformer(Activation::default());
        Self {
            tokens: vision.n_tokens() + vision.prompts,
            width: block.width,
            inner: block.heads * block.head_width,
            mlp_width: block.mlp_width,
            layers: block.layers,
        }
    }

    /// All blocks on all tokens of `shapes` shapes, of which `joint_from` and later ones attend to the tokens of all `views` views.
    pub fn whole(&self, shapes: usize, views: usize, joint_from: usize) -> u64 {
        let separate = joint_from.min(self.layers);
        let block = |views_at_once| self.block(shapes * views, views_at_once);
        separate as u64 * block(1) + (self.layers - separate) as u64 * block(views)
    }

    /// Blocks `from..to` on `rows` views, of which each attends to the tokens of `views`. The last block of the tower computes
    /// only class tokens from their queries on.
    pub fn blocks(&self, from: usize, to: usize, rows: usize, views: usize) -> u64 {
        let to = to.min(self.layers);
        let count = to.saturating_sub(from) as u64;
        match count > 0 && to == self.layers {
            true => (count - 1) * self.block(rows, views) + self.last_block(rows, views),
            false => count * self.block(rows, views),
        }
    }

    fn block(&self, rows: usize, views: usize) -> u64 {
        let tokens = rows * self.tokens;
        self.projection(tokens) + self.rest(tokens, views)
    }

    fn last_block(&self, rows: usize, views: usize) -> u64 {
        self.projection(rows * self.tokens) + self.rest(rows, views)
    }

    /// Queries, keys and values.
    fn projection(&self, tokens: usize) -> u64 {
        (tokens * 3 * self.width * self.inner) as u64
    }

    /// Attention of `queries` tokens to those of `views` views, its output, and the MLP.
    fn rest(&self, queries: usize, views: usize) -> u64 {
        let attention = 2 * views * self.tokens * self.inner + self.inner * self.width;
        (queries * (attention + 2 * self.width * self.mlp_width)) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::ClipConfig;

    /// ViT-B/32 with a width of 768 and 50 tokens; a block has 12 × 768² weights.
    #[test]
    fn blocks_of_vit_b_32() {
        let work = BlockWork::of(&ClipConfig::vit_b_32().vision);
        let (weights, scores) = (12 * 768 * 768, 2 * 768);
        // All 12 blocks of one view.
        assert_eq!(work.whole(1, 1, 12), 12 * 50 * (weights + scores * 50));
        // Two shapes of three views, the last six blocks joint.
        let [separate, joint] = [1, 3].map(|views| 2 * 3 * 50 * (weights + scores * 50 * views));
        assert_eq!(work.whole(2, 3, 6), 6 * (separate + joint));
        assert_eq!(work.blocks(0, 6, 6, 1), 6 * separate);
        // One of 50 tokens in a quarter of the projections' weights' rest.
        let last = 6 * (50 * 3 * 768 * 768 + 9 * 768 * 768 + scores * 50 * 3);
        assert_eq!(work.blocks(6, 12, 6, 3), 5 * joint + last);
        assert_eq!((work.blocks(12, 12, 6, 3), work.blocks(6, 6, 6, 3)), (0, 0));
    }
}
