//! `skip_serializing_if` conditions: values equal to their default are not written to `recipe.toml`.

use lexiform_mesh_io::UpRule;

pub(super) fn is_zero(number: &usize) -> bool {
    *number == 0
}

pub(super) fn is_one(number: &usize) -> bool {
    *number == 1
}

pub(super) fn is_zero_fraction(fraction: &f32) -> bool {
    *fraction == 0.0
}

pub(super) fn is_false(truth: &bool) -> bool {
    !truth
}

pub(super) fn is_format_rule(up: &UpRule) -> bool {
    *up == UpRule::Format
}
