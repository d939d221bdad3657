//! Load: a segment of a folder, read whole, with its number and hash checked.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
};

use planthread_contracts::RawRecord;
use sha2::{Digest as _, Sha256};

use super::segment::{Header, Line, Signed, Trailer, file_name};
use crate::{EngineError, error::Result, store::codec};

/// Longest line of a segment: a record of a mebibyte whose every byte is escaped
/// needs six, with room for its names.
const LINE_MAX: u64 = 64 << 20;

/// A segment that is whole.
pub(super) struct Segment {
    pub(super) header: Header,
    pub(super) sha256: String,
    pub(super) records: Vec<RawRecord>,
    /// Why nobody vouches for it, in its last line.
    pub(super) doubt: Option<(u64, &'static str)>,
}

/// The numbers of the segments in `dir`, in order.
pub(super) fn numbers(dir: &Path) -> Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(dir).map_err(EngineError::io(dir))? {
        let name = entry.map_err(EngineError::io(dir))?.file_name();
        let number = name.to_string_lossy().strip_prefix("segment-").and_then(|rest| {
            rest.strip_suffix(".ndjson").and_then(|digits| digits.parse::<u64>().ok())
        });
        numbers.extend(number);
    }
    numbers.sort_unstable();
    Ok(numbers)
}

pub(super) fn broken(number: u64, line: u64, reason: String, cure: &str) -> EngineError {
    EngineError::Segment { file: file_name(number), line, reason, cure: cure.into() }
}

/// Reads segment `number`.
///
/// # Errors
/// When it is damaged, with its line. Whether it was signed is left to who takes it.
pub(super) fn load(dir: &Path, number: u64, trusted: Option<&str>) -> Result<Segment> {
    let path = dir.join(file_name(number));
    let file = File::open(&path).map_err(EngineError::io(&path))?;
    let mut reader = BufReader::new(file);
    let again = "copy the file again";
    let bad = |line, reason: String| broken(number, line, reason, again);
    let mut hash = Sha256::new();
    let mut next = |at: u64| -> Result<Vec<u8>> {
        let mut line = Vec::new();
        let bounded = (&mut reader).take(LINE_MAX).read_until(b'\n', &mut line);
        let read = bounded.map_err(EngineError::io(&path))?;
        if line.last() != Some(&b'\n') {
            let long = u64::try_from(read).is_ok_and(|read| read >= LINE_MAX);
            let reason = if long {
                "it is longer than a line may be"
            } else {
                "it ends in the middle of a line"
            };
            return Err(bad(at, reason.into()));
        }
        Ok(line)
    };
    let first = next(1)?;
    hash.update(&first);
    let header: Header = serde_json::from_slice(&first).map_err(|e| bad(1, e.to_string()))?;
    if header.number != number || header.planthread_segment != 1 {
        return Err(bad(1, format!("its header says number {}", header.number)));
    }
    let mut records = Vec::new();
    for at in 2..header.records.saturating_add(2) {
        let bytes = next(at)?;
        hash.update(&bytes);
        let line: Line = serde_json::from_slice(&bytes).map_err(|e| bad(at, e.to_string()))?;
        records.push(line.into_record().ok_or_else(|| bad(at, "a record without a body".into()))?);
    }
    let last = header.records + 2;
    let trailer: Trailer =
        serde_json::from_slice(&next(last)?).map_err(|e| bad(last, e.to_string()))?;
    let sha256 = codec::hex(&hash.finalize());
    if trailer.sha256 != sha256 {
        return Err(bad(last, "its contents do not have the hash that it names".into()));
    }
    let signed = trailer.signed.as_ref();
    let doubt = trusted.and_then(|key| Signed::doubt(signed, key, &header, &sha256));
    let doubt = doubt.map(|doubt| (last, doubt));
    let mut rest = [0; 1];
    if reader.read(&mut rest).map_err(EngineError::io(&path))? != 0 {
        return Err(bad(last + 1, "something follows its last line".into()));
    }
    Ok(Segment { header, sha256, records, doubt })
}
