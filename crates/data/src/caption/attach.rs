//! Adding the captions of a model to the metadata of a shape.

use std::collections::HashSet;

use super::{CaptionError, CaptionInput, CaptionOutput, Captioner};
use crate::{Caption, Member, Metadata, ProduceError};

/// Adds captions of all views.
///
/// # Errors
/// [`ProduceError::Fatal`] if no other shape would get captions either. Why this shape has none is recorded in its metadata.
pub(crate) fn add_captions(
    captioner: &dyn Captioner,
    metadata: &mut Metadata,
    input: &CaptionInput,
) -> Result<(), ProduceError> {
    let output = match captioner.caption(input) {
        Ok(output) => output,
        Err(CaptionError::Shape(reason)) => {
            CaptionOutput { requested: 1, errors: vec![reason], ..CaptionOutput::default() }
        }
        Err(CaptionError::Server { reason, hint }) => return Err(ProduceError::Fatal { reason, hint }),
    };
    metadata.missing_captions = output.missing();
    metadata.captions.extend(output.captions);
    Ok(())
}

/// Adds captions of the views that miss one of this captioner.
///
/// # Errors
/// As [`add_captions`].
pub(crate) fn add_missing_captions(
    captioner: &dyn Captioner,
    metadata: &mut Metadata,
    input: &CaptionInput,
) -> Result<(), ProduceError> {
    if metadata.missing_captions.is_none() {
        return Ok(());
    }
    let source = captioner.source();
    let has_caption = |view: usize| {
        metadata.captions.iter().any(|caption| caption.view == Some(view) && caption.source == source)
    };
    let misses_one =
        |member: &&Member| Member::view_index(&member.name).is_some_and(|view| !has_caption(view));
    let views: Vec<Member> = input.views.iter().filter(misses_one).cloned().collect();
    add_captions(captioner, metadata, &CaptionInput { views: &views, ..*input })
}

/// Drops captions that repeat an earlier one of the same view.
pub(crate) fn drop_duplicates(captions: &mut Vec<Caption>) {
    let mut seen = HashSet::new();
    captions.retain(|caption| seen.insert((caption.view, caption.text.to_lowercase())));
}
