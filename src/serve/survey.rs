//! One look at a file before it is read: whether it is one, what it is, and how
//! far it has grown since the last time. Nothing of it is kept in memory but its
//! last line.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
    time::SystemTime,
};

use jiff::{SignedDuration, Timestamp};
use memchr::{memchr_iter, memrchr};
use planthread_domain::model::{Source, SourceFormat as Format};
use planthread_kit::files;
use sha2::{Digest as _, Sha256};

use super::{files::hex, lines::RECORD_BYTES_MAX};
use crate::failure::Failure;

/// How long a file must have been quiet until its last line counts without a
/// newline: whoever wrote half of it would have gone on.
pub const QUIET: SignedDuration = SignedDuration::from_mins(10);

/// Bytes that tell what a file is.
const FIRST: usize = 4_096;

/// Opens a file for reading. A pipe, a socket or a device is refused: it may
/// never end, and it can't be read on from where it was left.
///
/// # Errors
/// When it is no regular file, or can't be opened.
pub fn open(path: &Path) -> Result<File, Failure> {
    let io = |error: io::Error| Failure::io("read", path, &error);
    if let Some(what) = files::instead(fs::metadata(path).map_err(io)?.file_type()) {
        return Err(Failure::usage(format!("{} is {what}, and no file", path.display()))
            .cure("name a file; what comes through a pipe is taken by `planthread ingest -`"));
    }
    File::open(path).map_err(io)
}

/// What a file is that should be text, with what helps; `None` when its first
/// bytes may be text of `source`.
#[must_use]
pub fn foreign(first: &[u8], source: Option<&Source>) -> Option<(&'static str, &'static str)> {
    const SHEET: &str = "save the sheet as `CSV UTF-8`, and name that file";
    const UTF8: &str = "save it as UTF-8 where it is exported";
    let begins = |with: &[u8]| first.starts_with(with);
    let known = [
        (&b"PK\x03\x04"[..], "a workbook (.xlsx), or another archive", SHEET),
        (b"\xd0\xcf\x11\xe0", "an old workbook (.xls)", SHEET),
        (b"\x1f\x8b", "compressed (gzip)", "unpack it first"),
        (b"%PDF", "a PDF document", "export it as delimited text"),
        (b"\xff\xfe", "text in UTF-16", UTF8),
        (b"\xfe\xff", "text in UTF-16", UTF8),
    ];
    if let Some((_, what, cure)) = known.into_iter().find(|(with, ..)| begins(with)) {
        return Some((what, cure));
    }
    if first.contains(&0) {
        return Some(("no text, or text in UTF-16", UTF8));
    }
    let header = source.and_then(|source| match &source.reader {
        Format::MachineEvents(reader) => Some(&reader.header),
        Format::Counts(reader) => Some(&reader.header),
        Format::Cloudevents(_) | Format::Decisions(_) => None,
    })?;
    let line = first.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let declared = header.first().and_then(|name| name.bytes().next());
    match first.strip_prefix(b"\xef\xbb\xbf").unwrap_or(first).trim_ascii_start().first() {
        Some(b'{' | b'[') if declared != Some(b'{') && declared != Some(b'[') => Some((
            "a JSON document",
            "declare `reader: {cloudevents: {}}` where it holds CloudEvents, one a line; else \
             export delimited text",
        )),
        Some(b'<') if declared != Some(b'<') => {
            Some(("an XML document or a web page", "export it as delimited text"))
        }
        // The last letter may be cut where the look ends.
        _ if std::str::from_utf8(line).is_err_and(|error| error.error_len().is_some()) => {
            Some(("text in another encoding than UTF-8 (its first line tells)", UTF8))
        }
        _ => None,
    }
}

/// Refuses a file that is something else than its source declares.
///
/// # Errors
/// What it is, and what helps; or that it can't be read.
pub fn expect_text(path: &Path, source: Option<&Source>) -> Result<(), Failure> {
    let mut first = Vec::with_capacity(FIRST);
    let read = open(path)?.take(FIRST as u64).read_to_end(&mut first);
    read.map_err(|error| Failure::io("read", path, &error))?;
    match foreign(&first, source) {
        None => Ok(()),
        Some((what, cure)) => {
            Err(Failure::usage(format!("{} is {what}", path.display())).cure(cure))
        }
    }
}

/// How a file stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// Bytes of the lines that have their end.
    pub whole: u64,
    /// Their digest.
    pub sha256: String,
    /// What stands behind them, cut where no record is that long.
    pub tail: Vec<u8>,
    /// Lines that have their end.
    pub lines: u64,
    /// Bytes and number of the lines that were read before; `None` when the file
    /// does not begin with that part any more.
    pub behind: Option<(u64, u64)>,
}

impl Survey {
    /// Reads `input` to its end. `before` are bytes and digest of what was read
    /// the last time.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn of(mut input: impl Read, before: Option<(u64, &str)>) -> io::Result<Self> {
        let mut buffer = vec![0; 1 << 18];
        let (mut hash, mut whole_hash) = (Sha256::new(), Sha256::new());
        let mut at = 0_u64;
        let mut survey =
            Self { whole: 0, sha256: String::new(), tail: Vec::new(), lines: 0, behind: None };
        loop {
            if let Some((bytes, sha256)) = before
                && at == bytes
                && hex(hash.clone()) == sha256
            {
                survey.behind = Some((survey.whole, survey.lines));
            }
            // A look ends where the part of the last time ended.
            let left = before.map_or(0, |(bytes, _)| bytes.saturating_sub(at));
            let most = usize::try_from(left).ok().filter(|left| (1..buffer.len()).contains(left));
            let most = most.unwrap_or(buffer.len());
            let read = match input.read(&mut buffer[..most]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            if read == 0 {
                break;
            }
            let part = &buffer[..read];
            let ended = memrchr(b'\n', part).map_or(0, |at| at + 1);
            if ended > 0 {
                hash.update(&part[..ended]);
                whole_hash = hash.clone();
                survey.whole = at + ended as u64;
                survey.tail.clear();
                survey.lines += memchr_iter(b'\n', part).count() as u64;
            }
            hash.update(&part[ended..]);
            let room = (RECORD_BYTES_MAX + 1).saturating_sub(survey.tail.len());
            survey.tail.extend(part[ended..].iter().take(room));
            at += read as u64;
        }
        survey.sha256 = hex(whole_hash);
        Ok(survey)
    }
}

/// Whether a file has not been written for as long as [`QUIET`], at `now`.
#[must_use]
pub fn is_quiet(path: &Path, now: Timestamp) -> bool {
    let written = fs::metadata(path).and_then(|of| of.modified()).ok().and_then(instant);
    written.is_some_and(|at| now.duration_since(at) >= QUIET)
}

/// An instant of the file system.
#[must_use]
pub fn instant(at: SystemTime) -> Option<Timestamp> {
    Timestamp::try_from(at).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader that gives few bytes at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let n = self.1.min(buffer.len()).min(self.0.len());
            buffer[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    /// Every text of so many letters and line ends.
    fn texts(length: u32) -> impl Iterator<Item = Vec<u8>> {
        let letter = |bits: u32, at: u32| if bits >> at & 1 == 1 { b'\n' } else { b'a' };
        (0..1_u32 << length).map(move |bits| (0..length).map(|at| letter(bits, at)).collect())
    }

    #[test]
    fn a_survey_says_what_the_whole_text_says_however_it_is_read() {
        let all = (0..7).flat_map(texts).flat_map(|text| {
            let cuts = 0..=text.len();
            cuts.flat_map(move |cut| [1, 2, 5].map(|step| (cut, step)))
                .map(move |(cut, step)| (text.clone(), cut, step))
        });
        for (text, cut, step) in all {
            for same in [true, false] {
                let sha256 = hex(Sha256::new_with_prefix(&text[..cut]));
                let told = if same { sha256.as_str() } else { "another" };
                let survey = Survey::of(Slow(&text, step), Some((cut as u64, told))).unwrap();
                let whole = |part: &[u8]| {
                    let end = part.iter().rposition(|byte| *byte == b'\n');
                    end.map_or(0, |at| at as u64 + 1)
                };
                let end = text.len() - text.iter().rev().take_while(|byte| **byte != b'\n').count();
                let lines = |part: &[u8]| part.iter().filter(|byte| **byte == b'\n').count() as u64;
                let expected = Survey {
                    whole: whole(&text),
                    sha256: hex(Sha256::new_with_prefix(&text[..end])),
                    tail: text[end..].to_vec(),
                    lines: lines(&text),
                    behind: same.then(|| (whole(&text[..cut]), lines(&text[..cut]))),
                };
                assert_eq!(survey, expected, "{text:?} {cut} {step}");
            }
        }
    }

    #[test]
    fn what_is_no_delimited_text_is_called_by_its_name() {
        let plant: planthread_domain::model::Plant = serde_json::from_value(serde_json::json!({
            "id": "p", "zone": "UTC",
            "calendars": [{"id": "c", "version": "1", "round_the_clock": true}],
            "resources": [{"id": "M1", "class": "machine", "calendar": "c"}],
            "sources": [{"name": "mes", "reader": {"counts": {
                "header": ["zeit", "maschine", "menge"],
                "columns": {"time": "zeit", "machine": "maschine", "total": "menge"},
                "stamp": "start", "interval_minutes": 60, "good_parts": true}}}],
        }))
        .unwrap();
        let source = &plant.sources[0];
        for (first, what) in [
            (&b"PK\x03\x04\x14\x00"[..], "workbook (.xlsx)"),
            (b"\xd0\xcf\x11\xe0\xa1", "old workbook"),
            (b"\x1f\x8b\x08", "gzip"),
            (b"%PDF-1.7", "PDF"),
            (b"\xff\xfez\0e\0i\0t\0", "UTF-16"),
            (b"z\0e\0i\0t\0", "UTF-16"),
            (b"{\"specversion\": \"1.0\"}", "JSON"),
            (b"\xef\xbb\xbf [1]", "JSON"),
            (b"<!doctype html>", "web page"),
            (b"zeit,maschine,st\xfcck\n", "another encoding"),
        ] {
            let (told, cure) = foreign(first, Some(source)).unwrap();
            assert!(told.contains(what) && !cure.is_empty(), "{what}: {told}");
        }
        // A look may end inside a letter; an event is JSON.
        assert_eq!(foreign(b"zeit,maschine,st\xc3", Some(source)), None);
        assert_eq!(foreign(b"\xef\xbb\xbfzeit,maschine,menge\n", Some(source)), None);
        assert_eq!(foreign(b"{\"specversion\": \"1.0\"}", None), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_device_a_socket_and_a_folder_are_no_files() {
        let socket = std::env::temp_dir().join(format!("planthread-sock-{}", std::process::id()));
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        for (path, what) in
            [(Path::new("/dev/zero"), "device"), (&socket, "socket"), (Path::new("/"), "folder")]
        {
            let refused = open(path).unwrap_err().to_string();
            assert!(refused.contains(what) && refused.contains("ingest -"), "{refused}");
        }
        fs::remove_file(&socket).unwrap();
    }
}
