//! What a target is made of besides its connector: settings and their faults.

pub mod fault;

pub use fault::SettingsFault;
