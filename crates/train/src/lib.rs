//! lexiform-train
