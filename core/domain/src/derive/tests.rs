//! Tests of the derivation on small, hand-counted inputs.
