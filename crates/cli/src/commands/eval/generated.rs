//! Procedurally generated validation shapes, from seeds that no training uses.

use lexiform_eval::{GeneratedShape, GeneratedShapes, ShapeGenerator};
use lexiform_search::{Encoder, InputSpec, SimulatedScan};
use lexiform_shapes::categories;
use lexiform_train::{Sample, validation_clouds, validation_shapes};

/// Generates validation shapes.
pub(crate) struct ValidationShapes {
    /// Shapes per category.
    pub(crate) per_class: usize,
}

impl ShapeGenerator for ValidationShapes {
    fn generate(&self, encoder: &dyn Encoder, clouds: Option<SimulatedScan>) -> GeneratedShapes {
        let set = match (clouds, encoder.input_spec()) {
            // Simulated scans need no rendering, whatever the encoder takes.
            (Some(SimulatedScan { points, .. }), _) => validation_clouds(self.per_class, points),
            (None, InputSpec::Views { rig, count, size }) => validation_shapes(
                self.per_class,
                size as usize,
                &rig.rig(count, 0),
                encoder.points_with_views(),
            ),
            (None, InputSpec::Points { count }) => validation_clouds(self.per_class, count),
        };
        let shape = |Sample { category, views, cloud, .. }: Sample| GeneratedShape { category, views, cloud };
        GeneratedShapes {
            labels: categories().iter().map(|category| category.name.to_owned()).collect(),
            shapes: set.samples.into_iter().map(shape).collect(),
        }
    }
}
