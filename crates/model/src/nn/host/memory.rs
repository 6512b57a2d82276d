//! Memory that is kept from call to call.

/// The first `count` elements of a list that is kept from call to call.
pub(in crate::nn::host) fn room<T: Clone>(list: &mut Vec<T>, count: usize, fill: T) -> &mut [T] {
    if list.len() < count {
        list.resize(count, fill);
    }
    &mut list[..count]
}
