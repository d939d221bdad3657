//! Planthread.
