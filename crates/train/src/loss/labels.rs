//! Labels of a batch's rows.

use burn::tensor::{Bool, Device, Tensor};

use super::terms;

/// Labels of a batch's rows, `[rows]` each.
#[derive(Clone, Debug, Default)]
pub struct BatchLabels {
    /// Category of each shape.
    pub categories: Vec<usize>,
    /// Whether the caption is only the class name.
    pub is_class_name: Vec<bool>,
    /// Equal numbers for equal captions.
    pub caption_ids: Vec<usize>,
    /// Whether there is a caption.
    pub has_text: Vec<bool>,
    /// Group of similar shapes (hard negatives) of each row.
    pub groups: Vec<usize>,
    /// Margin of hard negatives, see [`terms::hard_negative_mask`].
    pub margin: f32,
}

impl BatchLabels {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.categories.len()
    }

    /// Rows that have a caption.
    pub fn with_text(&self) -> Vec<usize> {
        (0..self.rows()).filter(|row| self.has_text[*row]).collect()
    }

    /// The labels of some rows.
    pub fn select(&self, rows: &[usize]) -> Self {
        fn cut<T: Copy>(list: &[T], rows: &[usize]) -> Vec<T> {
            // Labels may be empty where no loss needs them.
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

    /// [`terms::hard_negative_mask`] from image and text features, `[rows, dim]` each.
    pub(crate) fn hard_negative_mask(&self, features: [Tensor<2>; 2], device: &Device) -> Tensor<2, Bool> {
        // The mask is a constant: no gradient flows through it.
        let [image, text] = features.map(|rows| terms::normalize_rows(rows).without_autodiff());
        let similarity: Vec<f32> = image.matmul(text.transpose()).into_data().iter::<f32>().collect();
        terms::hard_negative_mask(&self.groups, &similarity, self.margin, device)
    }
}
