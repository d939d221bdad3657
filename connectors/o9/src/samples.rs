//! A target as tests take it: the settings of its own starting point.

use planthread_contracts::{CellKey, MeasureDecl};
use planthread_kit::{
    CellWrite,
    agreement::{Agreement, document::Signed},
};
use serde_json::Value;

use crate::Config;

/// The section of the starting point.
pub(crate) fn section() -> Value {
    let text = crate::FACTORY.starter.section;
    let section: Value = serde_saphyr::from_str(text).unwrap();
    section[crate::FACTORY.starter.name()].clone()
}

pub(crate) fn settings() -> Value {
    section()["settings"].clone()
}

pub(crate) fn config() -> Config {
    serde_json::from_value(settings()).unwrap()
}

pub(crate) fn measures() -> Vec<MeasureDecl> {
    serde_json::from_value(section()["measures"].clone()).unwrap()
}

/// The agreement of the starting point.
pub(crate) fn agreement() -> Agreement {
    let signed: Signed = serde_json::from_str(crate::FACTORY.starter.files[0].1).unwrap();
    serde_json::from_value(signed.document).unwrap()
}

pub(crate) fn cell(resource: &str, measure: &str, value: &str) -> CellWrite {
    let key = CellKey {
        target: "o9".into(),
        scope: "TwinSignals".into(),
        resource: resource.into(),
        location: "1010".into(),
        product: None,
        period: "2026-W49a".parse().unwrap(),
        measure: measure.into(),
    };
    CellWrite { key, revision: 1, value: value.parse().unwrap() }
}
