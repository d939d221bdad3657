//! Seal: the journal as numbered, hashed, complete files.
//!
//! The plant side seals, the planning side admits; a folder (or whatever
//! copies it) is all that lies between. A segment is newline-delimited JSON:
//! a header that names the one before it by its hash, the records, and a last
//! line with the SHA-256 of everything above, signed where the collector has a key. It appears under its name only
//! when it is complete: written aside, synced, renamed.

use std::{
    fs::{self, File},
    io::{BufWriter, Read as _, Seek as _, SeekFrom, Write},
    path::Path,
};

use jiff::Timestamp;
use planthread_contracts::{Origin, RawRecord};
use planthread_kit::agreement::{SigningKey, key};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::read::read_range;
use crate::{
    EngineError, Reader, State,
    error::Result,
    store::{codec, segments::Announced, sync_dir},
};

/// How large one segment gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealLimits {
    /// Most records in a segment.
    pub records: u64,
    /// It ends behind the record with which its records reach so many bytes: who
    /// takes it in has all of it in memory.
    pub bytes: u64,
}

impl Default for SealLimits {
    fn default() -> Self {
        Self { records: 10_000, bytes: 32 << 20 }
    }
}

/// A segment that lies in the folder, complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Sealed {
    /// Number from 1, without gaps.
    pub number: u64,
    /// File name.
    pub file: String,
    /// Records in it.
    pub records: u64,
    /// SHA-256 of its contents, as its last line says.
    pub sha256: String,
    /// It was sealed before, and its file was missing.
    pub again: bool,
}

/// First line of a segment.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    /// Format version.
    pub(super) planthread_segment: u32,
    /// The collector that sealed it.
    pub(super) stream: String,
    pub(super) number: u64,
    /// Hash of segment `number - 1`; empty for the first.
    pub(super) previous: String,
    pub(super) records: u64,
}

/// One record line: the body as text where it is UTF-8, else as hex.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    source: String,
    id: String,
    media_type: String,
    received_at: Timestamp,
    origin: Origin,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hex: Option<String>,
}

impl Line {
    pub(super) fn from_record(record: RawRecord) -> Self {
        let (text, hex) = match String::from_utf8(record.body) {
            Ok(text) => (Some(text), None),
            Err(error) => (None, Some(codec::hex(error.as_bytes()))),
        };
        let RawRecord { source, id, media_type, received_at, origin, .. } = record;
        Self { source, id, media_type, received_at, origin, text, hex }
    }

    /// `None` when the line carries no body, or hex that is none.
    pub(super) fn into_record(self) -> Option<RawRecord> {
        let body = match (self.text, self.hex) {
            (Some(text), None) => text.into_bytes(),
            (None, Some(hex)) => codec::unhex(&hex)?,
            _ => return None,
        };
        let Self { source, id, media_type, received_at, origin, .. } = self;
        Some(RawRecord { source, id, media_type, body, received_at, origin })
    }
}

/// Last line of a segment.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Trailer {
    pub(super) sha256: String,
    /// Who sealed it, where the collector has a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) signed: Option<Signed>,
}

/// The signature of a segment.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Signed {
    /// The public half of the key, 64 hex digits.
    key: String,
    /// ed25519 over what [`what`] says, 128 hex digits.
    signature: String,
}

/// What is signed of a segment: which one it is, and all of it by its hash.
fn what(stream: &str, number: u64, sha256: &str) -> Value {
    json!({ "planthread_segment": number, "stream": stream, "sha256": sha256 })
}

impl Signed {
    fn by(key: &SigningKey, header: &Header, sha256: &str) -> Self {
        let signature = key.sign(&what(&header.stream, header.number, sha256));
        Self { key: key.public(), signature }
    }

    /// What is wrong with the signature of a segment that has this hash, for whoever
    /// trusts the key whose public half is `trusted`.
    pub(super) fn doubt(
        signed: Option<&Self>,
        trusted: &str,
        header: &Header,
        sha256: &str,
    ) -> Option<&'static str> {
        let Some(Self { key, signature }) = signed else { return Some("nobody signed it") };
        if !key.eq_ignore_ascii_case(trusted) {
            return Some("it was signed with another key than the one that is trusted");
        }
        let good = key::holds(trusted, &what(&header.stream, header.number, sha256), signature);
        (!good).then_some("it was changed after it was signed")
    }
}

/// File name of segment `number`.
pub(super) fn file_name(number: u64) -> String {
    format!("segment-{number:08}.ndjson")
}

/// Seals everything that is not sealed yet into `out_dir`, as the stream
/// `stream`, signed with `key` where there is one; also finishes what a crash left
/// unfinished, and writes a sealed segment whose file is missing again: the same records,
/// the same bytes. One that was sealed before there was a key is signed now.
///
/// # Errors
/// When the state or the folder can't be written, the stream's name changed
/// since the first segment, or a lost segment can't be made again as it was.
pub fn seal(
    state: &State,
    out_dir: &Path,
    stream: &str,
    limits: SealLimits,
    key: Option<&SigningKey>,
) -> Result<Vec<Sealed>> {
    fs::create_dir_all(out_dir).map_err(EngineError::io(out_dir))?;
    check_stream(&state.reader()?, stream)?;
    let out = Out { dir: out_dir, stream, key };
    let mut done = write_lost(&state.reader()?, &out)?;
    while let Some(announced) = announce(state, stream, limits)? {
        let number = announced.number;
        let sealed = write_segment(&state.reader()?, &out, announced)?;
        let hash = sealed.sha256.clone();
        state.change(move |tx| tx.finish_segment(number, &hash))?;
        done.push(sealed);
    }
    Ok(done)
}

/// Where segments go, whose they are, and what signs them.
struct Out<'a> {
    dir: &'a Path,
    stream: &'a str,
    key: Option<&'a SigningKey>,
}

impl Out<'_> {
    /// Whether a segment that is there is ours, and nobody signed it yet.
    fn is_to_be_signed(&self, announced: &Announced) -> bool {
        let found = || trailer_of(&self.dir.join(file_name(announced.number)));
        self.key.is_some()
            && found().is_some_and(|found| {
                found.signed.is_none() && announced.sealed.as_deref() == Some(&found.sha256)
            })
    }
}

/// Writes every sealed segment whose file is not there, or that was sealed before there
/// was a key: the records are those of this state, by the hash that it kept.
fn write_lost(reader: &Reader, out: &Out<'_>) -> Result<Vec<Sealed>> {
    let mut done = Vec::new();
    for announced in reader.db().sealed_segments()? {
        let there = out.dir.join(file_name(announced.number)).try_exists();
        let there = there.map_err(EngineError::io(out.dir))?;
        if !there || out.is_to_be_signed(&announced) {
            done.push(write_segment(reader, out, announced)?);
        }
    }
    Ok(done)
}

fn write_segment(reader: &Reader, out: &Out<'_>, announced: Announced) -> Result<Sealed> {
    let Announced { number, first, last, previous, sealed } = announced;
    let header = Header {
        planthread_segment: 1,
        stream: out.stream.to_owned(),
        number,
        previous,
        records: reader.db().records_between(first, last)?,
    };
    let sha256 = write_file(reader, out, &header, (first, last), sealed.as_deref())?;
    let (file, records) = (file_name(number), header.records);
    Ok(Sealed { number, file, records, sha256, again: sealed.is_some() })
}

fn check_stream(reader: &Reader, stream: &str) -> Result<()> {
    match reader.db().sealed_stream()? {
        Some(other) if other != stream => Err(EngineError::Refused(format!(
            "this state seals the stream `{other}`, not `{stream}`; keep the name it began with"
        ))),
        _ => Ok(()),
    }
}

/// Commits which records the next segment holds, before its file is written;
/// an announced one that was not finished comes first.
fn announce(state: &State, stream: &str, limits: SealLimits) -> Result<Option<Announced>> {
    let stream = stream.to_owned();
    state.change(move |tx| {
        if let Some(unfinished) = tx.unfinished_segment()? {
            return Ok(Some(unfinished));
        }
        let (number, sealed) = tx.last_segment()?;
        let end = tx.last_position()?;
        if end <= sealed {
            return Ok(None);
        }
        let last = end.min(sealed + limits.records.max(1));
        let next = Announced {
            number: number + 1,
            first: sealed + 1,
            last: tx.position_of_bytes(sealed, last, limits.bytes)?,
            previous: tx.segment_hash(number)?,
            sealed: None,
        };
        tx.announce_segment(&stream, &next)?;
        Ok(Some(next))
    })
}

/// Passes bytes on and hashes them.
struct Hashing<W> {
    inner: W,
    hash: Sha256,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

/// The last line of a segment; `None` where there is no whole one.
fn trailer_of(file: &Path) -> Option<Trailer> {
    let mut file = File::open(file).ok()?;
    let length = file.seek(SeekFrom::End(0)).ok()?;
    file.seek(SeekFrom::Start(length.saturating_sub(TRAILER_MAX))).ok()?;
    let mut tail = Vec::new();
    file.take(TRAILER_MAX).read_to_end(&mut tail).ok()?;
    let line = tail.strip_suffix(b"\n")?.rsplit(|byte| *byte == b'\n').next()?;
    serde_json::from_slice(line).ok()
}

/// More bytes than the last line of a segment has.
const TRAILER_MAX: u64 = 4_096;

fn write_file(
    reader: &Reader,
    to: &Out<'_>,
    header: &Header,
    (first, last): (u64, u64),
    sealed: Option<&str>,
) -> Result<String> {
    let name = file_name(header.number);
    let aside = to.dir.join(format!(".{name}.part"));
    let io = || EngineError::io(aside.clone());
    let json =
        |error: serde_json::Error| EngineError::Io { path: aside.clone(), source: error.into() };
    let file = File::create(&aside).map_err(io())?;
    let mut out = Hashing { inner: BufWriter::new(file), hash: Sha256::new() };
    let mut line = |value: String| -> Result<()> { writeln!(out, "{value}").map_err(io()) };
    line(serde_json::to_string(header).map_err(json)?)?;
    read_range(reader.db(), first - 1, last, |entry| {
        line(serde_json::to_string(&Line::from_record(entry.record)).map_err(json)?)
    })?;
    let Hashing { mut inner, hash } = out;
    let sha256 = codec::hex(&hash.finalize());
    if sealed.is_some_and(|sealed| sealed != sha256) {
        // Half a segment is none: it stays aside, and the next try begins anew.
        return Err(EngineError::Refused(format!(
            "{name} is missing and can't be made again as it was: its records have the hash \
             {sha256} now; put the file back from a copy, or from the planning side"
        )));
    }
    let found = trailer_of(&to.dir.join(&name)).map(|found| found.sha256);
    if let Some(other) = found.filter(|other| *other != sha256) {
        return Err(EngineError::Refused(format!(
            "{name} is there with the hash {other}, and was sealed by another state: this one is \
             older than its folder, as after a restore; take those segments into it first \
             (`planthread deliver`), then seal into a new folder under another stream"
        )));
    }
    let signed = to.key.map(|key| Signed::by(key, header, &sha256));
    let trailer = Trailer { sha256: sha256.clone(), signed };
    let trailer = serde_json::to_string(&trailer).map_err(json)?;
    writeln!(inner, "{trailer}").map_err(io())?;
    let file = inner.into_inner().map_err(|error| error.into_error()).map_err(io())?;
    file.sync_all().map_err(io())?;
    fs::rename(&aside, to.dir.join(name)).map_err(io())?;
    sync_dir(to.dir)?;
    Ok(sha256)
}
