//! Batches of two sources as one.

use crate::batch::sampler::caption_ids;
use crate::batch::{Batch, TeacherFeatures};
use crate::loss::BatchLabels;

impl Batch {
    /// This batch with the rows of another source after its own, which have no category and no hard-negative group in common
    /// with it. `categories` is a bound of its categories.
    pub(super) fn followed_by(mut self, other: Self, categories: usize) -> Self {
        let rows = [self.rows(), other.rows()];
        self.teacher = match (self.teacher, other.teacher) {
            (Some(own), Some(other)) => Some(own.followed_by(other, rows)),
            (own, _) => own,
        };
        self.segments.extend(other.segments);
        self.views.extend(other.views);
        self.clouds.extend(other.clouds);
        self.groups = self.groups.zip(other.groups).and_then(|(own, other)| own.followed_by(other));
        self.captions.extend(other.captions);
        self.labels = self.labels.followed_by(other.labels, categories);
        // A caption may be in both sources.
        self.labels.caption_ids = caption_ids(&self.captions, self.teacher.as_ref());
        self
    }
}

impl TeacherFeatures {
    fn followed_by(mut self, other: Self, rows: [usize; 2]) -> Self {
        let dim = self.dim;
        let both = |mut own: Vec<f32>, other: Vec<f32>| {
            if own.is_empty() && other.is_empty() {
                return own;
            }
            // Zeros where a source has no such features, as for a row without a caption.
            own.resize(rows[0] * dim, 0.0);
            own.extend(other);
            own.resize((rows[0] + rows[1]) * dim, 0.0);
            own
        };
        self.image = both(self.image, other.image);
        self.text = both(self.text, other.text);
        self
    }
}

impl BatchLabels {
    fn followed_by(mut self, other: Self, categories: usize) -> Self {
        let groups = self.groups.iter().max().map_or(0, |last| last + 1);
        self.categories.extend(other.categories.into_iter().map(|category| category + categories));
        self.groups.extend(other.groups.into_iter().map(|group| group + groups));
        self.is_class_name.extend(other.is_class_name);
        self.has_text.extend(other.has_text);
        self
    }
}
