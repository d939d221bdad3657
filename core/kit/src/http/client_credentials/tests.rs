//! Under the virtual clock.
