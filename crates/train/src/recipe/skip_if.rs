//! Values that are left out of a recipe when it is written: those it would have without them.

pub(super) fn is_zero(number: &usize) -> bool {
    *number == 0
}

pub(super) fn is_zero_share(share: &f32) -> bool {
    *share == 0.0
}

pub(super) fn is_false(truth: &bool) -> bool {
    !truth
}
