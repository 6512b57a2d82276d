//! Python [pickles] read as data, never executed.
//!
//! A pickle is a program for a small stack machine. [`Pickle`] interprets it symbolically: imports and calls are recorded as
//! [`Node`]s and never resolved. [`NumpyPickle`] evaluates the calls in NumPy's own pickles to arrays, numbers and strings.
//!
//! [pickles]: https://docs.python.org/3/library/pickletools.html
//! [`DictWriter`] writes such a pickle.

mod cursor;
mod literal;
mod machine;
mod node;
mod numpy;
mod object;
mod write;

pub use self::node::{Call, Node, Pickle, Ref};
pub use self::object::{NumpyPickle, PickleValue};
pub use self::write::DictWriter;
