//! Functions of each number of a product.

/// A function of each number of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `x Φ(x)`, within 5e-5 + 2e-5 |x|.
    Gelu,
    /// `x / (1 + exp(-1.702 x))`.
    QuickGelu,
    /// `x / (1 + exp(-2 u))` with `u = √(2/π) (x + 0.044715 x³)`: [`Gelu`](Self::Gelu) by the hyperbolic tangent.
    GeluTanh,
    /// `x / (1 + exp(-x))`.
    Silu,
    /// `max(x, 0)`, and NaN of NaN.
    Relu,
}

/// The exponent `2 u` of [`Activation::GeluTanh`] is `x (LINEAR + CUBIC x²)`: `2 √(2/π)`, and that times 0.044715.
pub const GELU_TANH: [f32; 2] = [1.595_769_2, 0.071_354_82];
