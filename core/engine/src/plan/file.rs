//! The plan's format: a header, one line a cell, a last line with the digest.

use std::{
    collections::{BTreeMap, HashSet},
    io::{BufRead, Read as _, Write},
};

use jiff::Timestamp;
use planthread_contracts::{CellKey, Name};
use planthread_kit::CellWrite;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};

use super::Prediction;
use crate::{EngineError, error::Result, ledger::Why, store::codec};

/// Longest line of a plan; the names in it are a target's.
const LINE_MAX: u64 = 1 << 20;

/// First line of a plan.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanHeader {
    /// Format version.
    pub planthread_plan: u32,
    /// The configured target.
    pub target: String,
    /// The scope; empty for base.
    pub scope: String,
    /// The instant that the plan is of.
    pub as_of: Timestamp,
    /// The ledger's counter when it was made.
    pub counter: u64,
    /// Digest of the configuration that it was made under.
    pub config: String,
    /// What is in it, and what is not.
    pub counts: PlanCounts,
    /// What applying it is expected to cost.
    pub prediction: Prediction,
}

/// What a plan contains, and what it holds back.
#[derive(Debug, Clone, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanCounts {
    /// Cells that have something to send.
    pub cells: u64,
    /// Cells that travel with them.
    pub carried: u64,
    /// Cell groups.
    pub groups: u64,
    /// Cells to send by reason.
    pub reasons: BTreeMap<String, u64>,
    /// Cells held back by reason.
    pub held: BTreeMap<String, u64>,
}

/// What the target held when the plan was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeenBasis {
    /// The value; `None` for nothing.
    pub value: Option<Decimal>,
}

/// One cell of a plan.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanLine {
    /// The cell.
    pub cell: CellKey,
    /// The revision that will be sent.
    pub revision: u64,
    /// The value that will be sent.
    pub value: Decimal,
    /// What the target holds, as far as is known; `None` when nothing was read
    /// since the last write.
    pub seen: Option<SeenBasis>,
    /// Why.
    pub reason: Why,
    /// Whether it only travels with its group.
    pub carried: bool,
}

impl From<&PlanLine> for CellWrite {
    fn from(line: &PlanLine) -> Self {
        Self { key: line.cell.clone(), revision: line.revision, value: line.value }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Trailer {
    sha256: String,
}

/// Writes a plan and its digest.
pub(crate) struct PlanWriter<'a> {
    out: &'a mut dyn Write,
    hash: Sha256,
    line: Vec<u8>,
}

impl<'a> PlanWriter<'a> {
    pub(crate) fn new(out: &'a mut dyn Write) -> Self {
        Self { out, hash: Sha256::new(), line: Vec::new() }
    }

    pub(crate) fn line(&mut self, value: &impl Serialize) -> Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, value)
            .map_err(|error| EngineError::Stored(error.to_string()))?;
        self.line.push(b'\n');
        self.hash.update(&self.line);
        self.out.write_all(&self.line).map_err(EngineError::io("plan"))
    }

    /// Writes the last line; returns the plan's digest.
    pub(crate) fn finish(mut self) -> Result<String> {
        let sha256 = codec::hex(&self.hash.clone().finalize());
        self.line(&Trailer { sha256: sha256.clone() })?;
        self.out.flush().map_err(EngineError::io("plan"))?;
        Ok(sha256)
    }
}

/// Reads a plan line by line; the digest is checked at its end.
///
/// What was done with lines of a plan whose digest turns out wrong can't be
/// undone: read a plan to its end once before acting on it.
pub(crate) struct PlanReader<'a> {
    lines: Lines<'a>,
    header: PlanHeader,
    digest: Option<String>,
    names: Names,
}

impl<'a> PlanReader<'a> {
    /// Reads the header.
    pub(crate) fn open(input: &'a mut (dyn BufRead + Send)) -> Result<Self> {
        let mut lines = Lines { input, hash: Sha256::new(), number: 0, text: String::new() };
        let header: PlanHeader = match lines.next()? {
            Some(text) => parse(1, text)?,
            None => return Err(bad(1, "it is empty")),
        };
        if header.planthread_plan != 1 {
            return Err(bad(1, "it is of another version"));
        }
        Ok(Self { lines, header, digest: None, names: Names::default() })
    }

    pub(crate) const fn header(&self) -> &PlanHeader {
        &self.header
    }

    /// The plan's digest, once its end was reached.
    pub(crate) const fn digest(&self) -> Option<&String> {
        self.digest.as_ref()
    }

    /// The next cell; `None` at the end, which was then proven.
    pub(crate) fn next(&mut self) -> Result<Option<PlanLine>> {
        if self.digest.is_some() {
            return Ok(None);
        }
        let before = self.lines.hash.clone();
        let number = self.lines.number + 1;
        let Some(text) = self.lines.next()? else {
            return Err(bad(number, "its last line with the digest is missing"));
        };
        if text.starts_with("{\"sha256\"") {
            let trailer: Trailer = parse(number, text)?;
            let digest = codec::hex(&before.finalize());
            if trailer.sha256 != digest {
                return Err(bad(number, "it was changed after it was made"));
            }
            if self.lines.next()?.is_some() {
                return Err(bad(number + 1, "something follows its last line"));
            }
            self.digest = Some(digest);
            return Ok(None);
        }
        let mut line: PlanLine = parse(number, text)?;
        self.names.share(&mut line.cell);
        if line.cell.target != self.header.target || line.cell.scope != self.header.scope {
            return Err(bad(number, "the cell is not of the header's target and scope"));
        }
        Ok(Some(line))
    }
}

/// Names of the lines before: a line brings texts of its own, and a batch holds
/// tens of thousands of lines.
#[derive(Default)]
struct Names {
    last: Option<CellKey>,
    measures: HashSet<Name>,
}

impl Names {
    fn share(&mut self, cell: &mut CellKey) {
        match self.measures.get(&cell.measure) {
            Some(known) => cell.measure = known.clone(),
            None => drop(self.measures.insert(cell.measure.clone())),
        }
        if let Some(last) = &self.last {
            let same = |name: &mut Name, before: &Name| {
                if name == before {
                    *name = before.clone();
                }
            };
            same(&mut cell.target, &last.target);
            same(&mut cell.scope, &last.scope);
            same(&mut cell.resource, &last.resource);
            same(&mut cell.location, &last.location);
        }
        self.last = Some(cell.clone());
    }
}

struct Lines<'a> {
    input: &'a mut (dyn BufRead + Send),
    hash: Sha256,
    number: u64,
    text: String,
}

impl Lines<'_> {
    fn next(&mut self) -> Result<Option<&str>> {
        self.text.clear();
        let bounded = (&mut self.input).take(LINE_MAX).read_line(&mut self.text);
        let read = bounded.map_err(EngineError::io("plan"))?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        if !self.text.ends_with('\n') && u64::try_from(read).is_ok_and(|read| read >= LINE_MAX) {
            return Err(bad(self.number, "it is longer than a line may be"));
        }
        self.hash.update(self.text.as_bytes());
        Ok(Some(&self.text))
    }
}

fn parse<T: DeserializeOwned>(line: u64, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| bad(line, error.to_string()))
}

fn bad(line: u64, reason: impl Into<String>) -> EngineError {
    EngineError::Plan { line, reason: reason.into() }
}
