//! Random draws of an evaluation over PyTorch's `DataLoader`: views by Python's `random`, crop windows by torch's generator, as in
//! Duoduo CLIP's evaluation (<https://arxiv.org/abs/2406.11579>).

use lexiform_model::preprocess::Crop;

use crate::mt19937::Mt19937;

/// Batch size of the reference evaluation.
pub(crate) const BATCH: usize = 200;
/// Positions of the 208-pixel window in a 224-pixel view, along each axis.
const OFFSETS: u32 = 17;

/// What determines the draws of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LoaderSeed {
    /// Seed of Python's and torch's generators.
    pub seed: u32,
    /// Worker processes of the loader; 0 if the main process reads the shapes itself.
    pub num_workers: usize,
}

/// The generators of a run. Each draws for shapes 0, 1, 2 … in order.
pub(crate) struct LoaderDraws {
    /// torch's generator of the main process, which samples crop windows.
    torch: Mt19937,
    /// Python's generator of the main process, or of each worker.
    python: Vec<Mt19937>,
}

impl LoaderDraws {
    /// The generators when the loader's first batch is requested.
    pub(crate) fn new(LoaderSeed { seed, num_workers }: LoaderSeed) -> Self {
        let mut torch = Mt19937::torch(seed);
        // The loader's iterator draws a seed for its workers even if it has none, which moves all crop windows by one.
        let base_seed = torch.torch_random_i64();
        let python = match num_workers {
            0 => vec![Mt19937::python(u64::from(seed))],
            _ => (0..num_workers as u64).map(|worker| Mt19937::python(base_seed + worker)).collect(),
        };
        Self { torch, python }
    }

    /// `count` of a shape's `total` views. Worker k reads batches k, k + n, k + 2n … of n workers.
    pub(crate) fn views(&mut self, shape: usize, total: usize, count: usize) -> Vec<usize> {
        let worker = shape / BATCH % self.python.len();
        self.python[worker].sample(total as u32, count as u32)
    }

    /// The crop window of the next batch.
    pub(crate) fn window(&mut self) -> Crop {
        let [top, left] = [(); 2].map(|()| self.torch.torch_randint(OFFSETS) as usize);
        Crop::At { top, left }
    }
}

#[cfg(test)]
mod tests {
    use lexiform_golden::fixture;
    use serde::Deserialize;

    use super::*;

    /// `xtask/peers/loader_draws.py`.
    #[derive(Deserialize)]
    struct Expected {
        /// The shapes whose views are listed.
        shapes: Vec<usize>,
        runs: Vec<Run>,
    }

    #[derive(Deserialize)]
    struct Run {
        seed: u32,
        num_workers: usize,
        /// Top and left of each batch's window.
        windows: Vec<[usize; 2]>,
        views: Vec<Vec<usize>>,
    }

    #[test]
    fn draws_are_those_of_torch() {
        let text = fs_err::read_to_string(fixture("eval/loader_draws.json")).unwrap();
        let expected: Expected = serde_json::from_str(&text).unwrap();
        assert_eq!(expected.runs.len(), 27);
        for Run { seed, num_workers, windows, views } in expected.runs {
            let mut draws = LoaderDraws::new(LoaderSeed { seed, num_workers });
            let found: Vec<Crop> = windows.iter().map(|_| draws.window()).collect();
            let windows: Vec<Crop> = windows.iter().map(|&[top, left]| Crop::At { top, left }).collect();
            assert_eq!(found, windows, "seed {seed}, {num_workers} workers");
            let count = views[0].len();
            let last = *expected.shapes.last().unwrap();
            let drawn: Vec<Vec<usize>> = (0..=last).map(|shape| draws.views(shape, 12, count)).collect();
            for (shape, views) in expected.shapes.iter().zip(&views) {
                assert_eq!(drawn[*shape], *views, "seed {seed}, {num_workers} workers, shape {shape}");
            }
        }
    }
}
