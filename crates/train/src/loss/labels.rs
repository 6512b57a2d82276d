//! What is known of a batch's rows besides their features.

use burn::tensor::{Bool, Device, Tensor};

use super::terms;

/// What is known of a batch's rows besides their features.
#[derive(Clone, Debug, Default)]
pub struct BatchLabels {
    /// Category of each shape.
    pub categories: Vec<usize>,
    /// Whether the caption is a bare noun.
    pub is_class_name: Vec<bool>,
    /// Equal for captions that are the same words.
    pub caption_ids: Vec<usize>,
    /// Whether there is a caption.
    pub has_text: Vec<bool>,
    /// Group of hard negatives.
    pub groups: Vec<usize>,
    /// By how much a text must fit worse to be a true negative.
    pub margin: f32,
}

impl BatchLabels {
    /// Shapes in the batch.
    pub fn rows(&self) -> usize {
        self.categories.len()
    }

    /// Rows that have a caption.
    pub fn with_text(&self) -> Vec<usize> {
        (0..self.rows()).filter(|row| self.has_text[*row]).collect()
    }

    /// What is known of some of the rows.
    pub fn select(&self, rows: &[usize]) -> Self {
        fn cut<T: Copy>(list: &[T], rows: &[usize]) -> Vec<T> {
            rows.iter().filter_map(|row| list.get(*row).copied()).collect()
        }
        Self {
            categories: cut(&self.categories, rows),
            is_class_name: cut(&self.is_class_name, rows),
            caption_ids: cut(&self.caption_ids, rows),
            has_text: cut(&self.has_text, rows),
            groups: cut(&self.groups, rows),
            margin: self.margin,
        }
    }

    /// Pairs whose logits count among hard negatives, by features of images and of texts, `[rows, dim]`; see
    /// [`terms::hard_negative_mask`].
    pub(crate) fn hard_negative_mask(&self, features: [Tensor<2>; 2], device: &Device) -> Tensor<2, Bool> {
        let [image, text] = features.map(|rows| terms::normalize_rows(rows).without_autodiff());
        let similarity: Vec<f32> = image.matmul(text.transpose()).into_data().iter::<f32>().collect();
        terms::hard_negative_mask(&self.groups, &similarity, self.margin, device)
    }
}
