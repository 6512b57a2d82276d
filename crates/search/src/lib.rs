//! lexiform-search
