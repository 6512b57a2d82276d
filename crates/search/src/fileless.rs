//! Records that are not one file: embeddings that were computed elsewhere, and objects in a scene.

use lexiform_store::{Comparison, Field, Filter, Value};

/// [`Payload::format`](lexiform_store::Payload::format) of records without a file.
pub const EMBEDDING_FORMAT: &str = "embedding";

/// [`Payload::format`](lexiform_store::Payload::format) of records that are an object in a scene.
pub const SCENE_OBJECT_FORMAT: &str = "scene-object";

/// Selects the records that are a file.
pub(crate) fn with_files() -> Filter {
    let is_not =
        |format: &str| Filter::Compare(Field::Format, Comparison::NotEqual, Value::Text(format.to_owned()));
    Filter::And(vec![is_not(EMBEDDING_FORMAT), is_not(SCENE_OBJECT_FORMAT)])
}

/// Selects the records that are objects in scenes.
pub(crate) fn scene_objects() -> Filter {
    Filter::Compare(Field::Format, Comparison::Equal, Value::Text(SCENE_OBJECT_FORMAT.to_owned()))
}
