//! Where a plan is written to: a file or nowhere, and its first lines for eyes.

use std::{
    fmt,
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

use memchr::memchr_iter;
use planthread_engine::plan::PlanLine;

use crate::{failure::Failure, output};

/// How every plan begins.
const PLAN: &[u8] = b"{\"planthread_plan\":";

/// Changes that are kept for the eye; the plan file has all.
pub const LINES_SHOWN: usize = 12;

/// Passes a plan on and keeps its first lines.
pub struct PlanOutput {
    out: Box<dyn Write>,
    first: Vec<u8>,
    lines: usize,
}

impl PlanOutput {
    /// Writes to `file`, or nowhere.
    ///
    /// # Errors
    /// When the file can't be made, or holds something else than a plan.
    pub fn to(file: Option<&Path>) -> Result<Self, Failure> {
        let open = |path: &Path| -> Result<Box<dyn Write>, Failure> {
            output::only_over_ours(path, |first| first.starts_with(PLAN))?;
            let file =
                File::create(path).map_err(|error| Failure::io("write the plan", path, &error))?;
            Ok(Box::new(BufWriter::new(file)))
        };
        let out = file.map_or_else(|| Ok(Box::new(io::sink()) as Box<dyn Write>), open)?;
        Ok(Self { out, first: Vec::new(), lines: 0 })
    }

    /// The first cells: they stand behind the header.
    #[must_use]
    pub fn first(&self) -> Vec<PlanLine> {
        let lines = self.first.split(|byte| *byte == b'\n').skip(1);
        let cells = lines.filter_map(|line| serde_json::from_slice(line).ok());
        cells.take(LINES_SHOWN).collect()
    }
}

impl fmt::Debug for PlanOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlanOutput").field("lines", &self.lines).finish_non_exhaustive()
    }
}

impl Write for PlanOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.lines <= LINES_SHOWN {
            self.lines += memchr_iter(b'\n', bytes).count();
            self.first.extend_from_slice(bytes);
        }
        self.out.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
