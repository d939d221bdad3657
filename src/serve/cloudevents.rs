//! CloudEvents 1.0 at the door: who sent it and under which id. What it means
//! is decoded later; here only the envelope is asked, and the bytes are kept.

use jiff::Timestamp;
use planthread_contracts::{
    CloudEvent, Origin, RawRecord, RejectedRecord, Violation,
    envelope::{BATCH_MEDIA_TYPE, MEDIA_TYPE},
};
use serde::de::IgnoredAny;

/// Media type of one event.
pub const ONE: &str = MEDIA_TYPE;
/// Media type of a batch of events.
pub const BATCH: &str = BATCH_MEDIA_TYPE;

/// A record, or why it is none.
pub type Arrival = Result<RawRecord, Box<RejectedRecord>>;

/// Reads one event: its envelope must be right; what its data means is
/// decoded later.
///
/// # Errors
/// The record with the field at fault, why, and what to do.
pub fn event(body: &[u8], origin: Origin, received_at: Timestamp) -> Arrival {
    match CloudEvent::parse(body) {
        Ok(event) => Ok(RawRecord {
            source: event.source,
            id: event.id,
            media_type: ONE.to_owned(),
            body: body.to_vec(),
            received_at,
            origin,
        }),
        Err(violations) => Err(Box::new(refused(body, origin, violations))),
    }
}

/// All faults of one record in one rejection: the first names the field.
fn refused(body: &[u8], origin: Origin, violations: Vec<Violation>) -> RejectedRecord {
    let mut violations = violations.into_iter();
    let first = violations.next().unwrap_or_else(|| {
        Violation::new("", "it can't be understood", "send one CloudEvents 1.0 object")
    });
    let more: Vec<String> = violations.map(|other| other.to_string()).collect();
    let reason = if more.is_empty() {
        first.reason
    } else {
        format!("{}; also {}", first.reason, more.join("; also "))
    };
    RejectedRecord { origin, field: first.path, reason, cure: first.cure, body: body.to_vec() }
}

/// Reads a batch: a JSON array of events. Each keeps its own bytes. `None`
/// when there are more than `max`.
pub fn batch(body: &[u8], place: &str, received_at: Timestamp, max: usize) -> Option<Vec<Arrival>> {
    let origin = |line: usize| Origin { place: place.to_owned(), line: line as u64 };
    let no_array = |line: usize, rest: &[u8], reason: String| {
        let violation = Violation::new("", reason, "send a JSON array of CloudEvents");
        Err(Box::new(refused(rest, origin(line), vec![violation])))
    };
    let mut arrivals = Vec::new();
    let mut elements = Elements { rest: body, first: true };
    loop {
        let line = arrivals.len() + 1;
        let rest = elements.rest;
        match elements.next() {
            Ok(Some(_)) if arrivals.len() == max => return None,
            Ok(Some(element)) => arrivals.push(event(element, origin(line), received_at)),
            Ok(None) => return Some(arrivals),
            Err(reason) => {
                arrivals.push(no_array(line, rest, reason));
                return Some(arrivals);
            }
        }
    }
}

/// The elements of a JSON array, as the bytes that they are.
struct Elements<'a> {
    rest: &'a [u8],
    first: bool,
}

impl<'a> Elements<'a> {
    fn next(&mut self) -> Result<Option<&'a [u8]>, String> {
        let before = if self.first { b'[' } else { b',' };
        let rest = self.rest.trim_ascii_start();
        match rest.split_first() {
            Some((b']', tail)) if !self.first => return ended(tail),
            Some((byte, tail)) if *byte == before => self.rest = tail.trim_ascii_start(),
            _ => return Err(format!("not a JSON array: `{}` is missing", before as char)),
        }
        if let (true, Some((b']', tail))) = (self.first, self.rest.split_first()) {
            return ended(tail);
        }
        self.first = false;
        let mut stream = serde_json::Deserializer::from_slice(self.rest).into_iter::<IgnoredAny>();
        match stream.next() {
            Some(Ok(_)) => {
                let (element, rest) = self.rest.split_at(stream.byte_offset());
                self.rest = rest;
                Ok(Some(element))
            }
            Some(Err(error)) => Err(format!("not JSON: {error}")),
            None => Err("the array does not end".to_owned()),
        }
    }
}

fn ended(tail: &[u8]) -> Result<Option<&[u8]>, String> {
    if tail.trim_ascii().is_empty() { Ok(None) } else { Err("text after the array".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str =
        r#"{"specversion":"1.0","id":"7","source":"/line","type":"planthread.oee.v1","data":{}}"#;

    fn read(text: &str) -> Arrival {
        let origin = Origin { place: "test".into(), line: 3 };
        event(text.as_bytes(), origin, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn an_event_keeps_its_bytes_and_its_name() {
        let record = read(EVENT).unwrap();
        assert_eq!((record.source.as_str(), record.id.as_str()), ("/line", "7"));
        assert_eq!(record.body, EVENT.as_bytes());
    }

    #[test]
    fn a_bad_event_names_its_field() {
        let rejected = read(&EVENT.replace(r#""id":"7""#, r#""id":7"#)).unwrap_err();
        assert_eq!((rejected.field.as_str(), rejected.origin.line), ("id", 3));
        assert!(read("{").is_err());
        let old = read(&EVENT.replace("1.0", "0.3")).unwrap_err();
        assert_eq!(old.field, "specversion");
    }

    #[test]
    fn a_batch_goes_on_after_a_bad_event_and_each_keeps_its_bytes() {
        let text = format!(" [ {EVENT} , {{\"id\":1}},{EVENT}] ");
        let read = |text: &str, max| batch(text.as_bytes(), "http", Timestamp::UNIX_EPOCH, max);
        assert!(read(&text, 2).is_none(), "too many");
        let arrivals = read(&text, 3).unwrap();
        assert_eq!(arrivals.iter().filter(|arrival| arrival.is_ok()).count(), 2);
        assert_eq!(arrivals[2].as_ref().unwrap().body, EVENT.as_bytes());
        assert_eq!(arrivals[1].as_ref().unwrap_err().origin.line, 2);
        assert!(read("[]", 3).unwrap().is_empty());
        for bad in ["{}", "[1", "[1,]", "[] x", ""] {
            let arrivals = read(bad, 3).unwrap();
            assert!(arrivals.last().is_some_and(Result::is_err), "{bad}");
        }
    }
}
