//! Functions of each number of a product.

/// A function of each number of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `x Φ(x)`, within 5e-5 + 2e-5 |x|.
    Gelu,
    /// `x / (1 + exp(-1.702 x))`.
    QuickGelu,
    /// `max(x, 0)`, and NaN of NaN.
    Relu,
}
