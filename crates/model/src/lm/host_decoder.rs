//! The decoder in host memory: from ids to logits without tensors in between, and without new memory for each token.

use half::bf16;

use crate::nn::Embedding;
use crate::nn::host::decoder::{Angles, BlockScratch, CacheNumber, HostBlock, HostKvCache, HostNorm, shared};
use crate::nn::host::host_tensor::HostTensor;
use crate::nn::host::rows::{HostLinear, RowsOutput};

/// The layers of a language model in host memory. They share the memory of the model's parameters.
#[derive(Clone, Debug)]
pub(super) struct HostDecoder {
    pub words: HostLinear,
    /// Learned positions.
    pub positions: Option<HostTensor>,
    pub blocks: Vec<HostBlock>,
    pub ln_final: HostNorm,
    /// Radians from token to token, if positions are rotary.
    pub frequencies: Option<Vec<f32>>,
}

/// Unfinished texts in host memory, and the layers that continue them.
#[derive(Clone, Debug)]
pub(super) struct HostState {
    decoder: HostDecoder,
    caches: Caches,
    angles: Angles,
    scratch: BlockScratch,
    /// Output of the last block, `[rows, tokens, width]`.
    x: Vec<f32>,
    last: Vec<f32>,
    normed: Vec<f32>,
}

/// Keys and values of each block.
#[derive(Clone, Debug)]
enum Caches {
    F32(Vec<HostKvCache<f32>>),
    /// With rounded weights.
    Bf16(Vec<HostKvCache<bf16>>),
}

impl Caches {
    /// Number of texts.
    fn rows(&self) -> usize {
        match self {
            Self::F32(caches) => caches.first().map_or(0, HostKvCache::len),
            Self::Bf16(caches) => caches.first().map_or(0, HostKvCache::len),
        }
    }
}

impl HostDecoder {
    fn is_rounded(&self) -> bool {
        let is_f32 = |block: &HostBlock| matches!(block.attn.query, HostLinear::F32(..));
        self.blocks.first().is_some_and(|block| !is_f32(block))
    }
}

impl HostState {
    /// Empty texts that `decoder` continues.
    pub fn new(decoder: HostDecoder, rows: usize) -> Self {
        let blocks = decoder.blocks.len();
        let caches = match decoder.is_rounded() {
            true => Caches::Bf16(vec![HostKvCache::new(rows); blocks]),
            false => Caches::F32(vec![HostKvCache::new(rows); blocks]),
        };
        Self {
            decoder,
            caches,
            angles: Angles::default(),
            scratch: BlockScratch::default(),
            x: Vec::new(),
            last: Vec::new(),
            normed: Vec::new(),
        }
    }

    /// Continues with these texts, possibly repeated.
    pub fn reorder(&mut self, texts: &[usize]) {
        match &mut self.caches {
            Caches::F32(caches) => caches.iter_mut().for_each(|cache| cache.reorder(texts)),
            Caches::Bf16(caches) => caches.iter_mut().for_each(|cache| cache.reorder(texts)),
        }
    }

    /// The output of the last block for the tokens appended last, `[rows, tokens, width]`.
    pub fn output(&self) -> &[f32] {
        &self.x
    }

    /// Room for the embedded tokens of the next [`append`](Self::append).
    pub fn input(&mut self, numbers: usize) -> &mut [f32] {
        self.x.resize(numbers, 0.0);
        &mut self.x
    }

    /// Appends the tokens of [`input`](Self::input) to texts of `length` tokens.
    pub fn append(&mut self, length: usize) {
        // In a thread of the pool, so that each of the products need not wake one.
        rayon::scope(|_| self.run(length));
    }

    fn run(&mut self, length: usize) {
        let Self { decoder, caches, angles, scratch, x, .. } = self;
        let width = decoder.words.shape()[0];
        let rows = caches.rows();
        let tokens = x.len() / (rows * width).max(1);
        if let Some(positions) = &decoder.positions {
            let positions = &positions.as_slice()[length * width..][..tokens * width];
            for x in x.chunks_exact_mut(tokens * width) {
                x.iter_mut().zip(positions).for_each(|(x, position)| *x += position);
            }
        }
        if let Some(frequencies) = &decoder.frequencies {
            angles.set(frequencies, length, tokens);
        }
        let angles = decoder.frequencies.as_ref().map(|_| &*angles);
        match caches {
            Caches::F32(caches) => run_blocks(&decoder.blocks, caches, x, [rows, tokens], angles, scratch),
            Caches::Bf16(caches) => run_blocks(&decoder.blocks, caches, x, [rows, tokens], angles, scratch),
        }
    }

    /// Logits of the token after the last of each text, `[rows, vocabulary]`.
    pub fn logits(&mut self, logits: &mut Vec<f32>) {
        let [width, vocabulary] = self.decoder.words.shape();
        let rows = self.caches.rows();
        let length = self.x.len() / rows.max(1);
        self.last.clear();
        for text in self.x.chunks_exact(length.max(1)) {
            self.last.extend_from_slice(&text[length - width..]);
        }
        self.normed.resize(rows * width, 0.0);
        self.decoder.ln_final.forward(&self.last, &mut self.normed);
        logits.resize(rows * vocabulary, 0.0);
        let Self { decoder, normed, .. } = self;
        rayon::scope(|_| decoder.words.forward_few(normed, logits, RowsOutput::SET));
    }

    /// Embeds one token of each text, by a table or by the output layer.
    pub fn embed(&mut self, table: Option<&Embedding>, ids: &[u32]) {
        let width = self.decoder.words.shape()[0];
        self.x.resize(ids.len() * width, 0.0);
        match table {
            Some(table) => {
                if !table.select_rounded(ids, &mut self.x)
                    && let Some(table) = shared(table.weight())
                {
                    for (id, x) in ids.iter().zip(self.x.chunks_exact_mut(width)) {
                        x.copy_from_slice(&table.as_slice()[*id as usize * width..][..width]);
                    }
                }
            }
            None => {
                for (id, x) in ids.iter().zip(self.x.chunks_exact_mut(width)) {
                    self.decoder.words.column(*id as usize, x);
                }
            }
        }
    }
}

fn run_blocks<E: CacheNumber>(
    blocks: &[HostBlock],
    caches: &mut [HostKvCache<E>],
    x: &mut [f32],
    shape: [usize; 2],
    angles: Option<&Angles>,
    scratch: &mut BlockScratch,
) {
    for (block, cache) in blocks.iter().zip(caches) {
        block.forward(x, shape, cache, angles, scratch);
    }
}
