//! Pushes against a scripted connector, under the virtual clock.
