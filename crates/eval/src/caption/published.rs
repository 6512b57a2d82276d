//! Published results of captioning, each with its source.

use std::str::FromStr;

use serde::Serialize;

/// A benchmark of captioning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaptionBenchmark {
    /// Validation split of Cap3D (<https://arxiv.org/abs/2306.07279>), as ULIP-2 evaluates it.
    Cap3d,
    /// 200 shapes of Objaverse, as PointLLM (<https://arxiv.org/abs/2308.16911>) evaluates them.
    Pointllm,
}

/// One published result; scores in percent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PublishedCaptions {
    /// The benchmark.
    pub benchmark: CaptionBenchmark,
    /// The model.
    pub model: &'static str,
    /// Names of the metrics and their scores.
    pub scores: &'static [(&'static str, f64)],
    /// Where it is published.
    pub source: &'static str,
}

impl CaptionBenchmark {
    /// Every benchmark.
    pub const ALL: [Self; 2] = [Self::Cap3d, Self::Pointllm];

    /// Its name on command lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cap3d => "cap3d",
            Self::Pointllm => "pointllm",
        }
    }

    /// How it evaluates.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Cap3d => "CIDEr of pycocoevalcap on the validation split of Cap3D",
            Self::Pointllm => "200 shapes of Objaverse, compared with the captions that people wrote",
        }
    }

    /// What keeps scores here from being comparable, if anything does.
    pub fn note(self) -> Option<&'static str> {
        match self {
            Self::Cap3d => None,
            Self::Pointllm => Some(
                "its BLEU-1, ROUGE-L and METEOR are those of nltk and rouge, not of pycocoevalcap; its authors advise against all of \
                 them",
            ),
        }
    }

    /// Number of captions that the paper evaluates, if known.
    pub fn num_captions(self) -> Option<usize> {
        (self == Self::Pointllm).then_some(200)
    }

    /// Its published results.
    pub fn published(self) -> impl Iterator<Item = &'static PublishedCaptions> {
        ROWS.iter().filter(move |row| row.benchmark == self)
    }
}

impl FromStr for CaptionBenchmark {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|benchmark| benchmark.name() == name);
        known.ok_or_else(|| format!("unknown protocol {name:?}, expected one of cap3d, pointllm"))
    }
}

impl PublishedCaptions {
    /// A short description.
    pub fn describe(&self) -> String {
        self.scores.iter().map(|(name, score)| format!("{name} {score}")).collect::<Vec<_>>().join(", ")
    }
}

const ULIP2: &str = "ULIP-2, table of 3D captioning with X-InstructBLIP";
const ENEL: &str = "ENEL, table of captioning on Objaverse";
const MINIGPT: &str = "MiniGPT-3D, as a difference to ShapeLLM-13B";
const PISA: &str = "PointLLM-PiSA";
const POINTLLM_R: &str = "PointLLM-R, mean of four judges";

use CaptionBenchmark::{Cap3d, Pointllm};

const fn row(
    benchmark: CaptionBenchmark,
    model: &'static str,
    scores: &'static [(&'static str, f64)],
    source: &'static str,
) -> PublishedCaptions {
    PublishedCaptions { benchmark, model, scores, source }
}

/// All results.
#[rustfmt::skip]
const ROWS: &[PublishedCaptions] = &[
    row(Cap3d, "ULIP", &[("CIDEr", 132.2)], ULIP2),
    row(Cap3d, "ULIP-2", &[("CIDEr", 160.5)], ULIP2),
    row(Pointllm, "InstructBLIP-13B", &[("GPT-4", 44.97), ("Sentence-BERT", 45.90), ("SimCSE", 48.86), ("BLEU-1", 4.65), ("ROUGE-L", 8.85), ("METEOR", 13.23)], ENEL),
    row(Pointllm, "LLaVA-7B", &[("GPT-4", 46.71), ("Sentence-BERT", 45.61), ("SimCSE", 47.10), ("BLEU-1", 3.64), ("ROUGE-L", 7.70), ("METEOR", 12.14)], ENEL),
    row(Pointllm, "LLaVA-13B", &[("GPT-4", 38.28), ("Sentence-BERT", 46.37), ("SimCSE", 45.90)], ENEL),
    row(Pointllm, "3D-LLM", &[("GPT-4", 33.42), ("Sentence-BERT", 44.48), ("SimCSE", 43.68), ("BLEU-1", 16.91), ("ROUGE-L", 19.48), ("METEOR", 19.73)], ENEL),
    row(Pointllm, "PointLLM-7B", &[("GPT-4", 44.85), ("Sentence-BERT", 47.47), ("SimCSE", 48.55), ("BLEU-1", 3.87), ("ROUGE-L", 7.30), ("METEOR", 11.92)], ENEL),
    row(Pointllm, "PointLLM-13B", &[("GPT-4", 48.15), ("Sentence-BERT", 47.91), ("SimCSE", 49.12), ("BLEU-1", 3.83), ("ROUGE-L", 7.23), ("METEOR", 12.26)], ENEL),
    row(Pointllm, "ShapeLLM-7B", &[("GPT-4", 46.92), ("Sentence-BERT", 48.20), ("SimCSE", 49.23)], ENEL),
    row(Pointllm, "ShapeLLM-13B", &[("GPT-4", 48.94), ("Sentence-BERT", 48.52), ("SimCSE", 49.98)], ENEL),
    row(Pointllm, "ENEL-7B", &[("GPT-4", 51.03)], ENEL),
    row(Pointllm, "ENEL-7B", &[("GPT-4", 50.92), ("Sentence-BERT", 48.61), ("SimCSE", 49.31)], "ENEL, first version"),
    row(Pointllm, "ENEL-7B with Qwen2.5 and ShapeLLM's data", &[("GPT-4", 57.91)], ENEL),
    row(Pointllm, "PointLLM-PiSA-13B", &[("GPT-4", 50.52)], PISA),
    row(Pointllm, "MiniGPT-3D", &[("GPT-4", 57.06)], MINIGPT),
    row(Pointllm, "MiniGPT-3D", &[("GPT-4", 54.14)], POINTLLM_R),
    row(Pointllm, "PointLLM-R-7B", &[("GPT-4", 58.28)], POINTLLM_R),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for benchmark in CaptionBenchmark::ALL {
            assert_eq!(benchmark.name().parse(), Ok(benchmark));
            assert!(benchmark.published().all(|row| !row.scores.is_empty()));
        }
        assert!("coco".parse::<CaptionBenchmark>().unwrap_err().contains("cap3d, pointllm"));
        let rows: Vec<String> =
            CaptionBenchmark::Cap3d.published().map(PublishedCaptions::describe).collect();
        assert_eq!(rows, ["CIDEr 132.2", "CIDEr 160.5"]);
    }
}
