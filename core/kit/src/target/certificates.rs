//! When the certificates of a configuration end.
//!
//! Of a certificate only its time is read (RFC 5280 section 4.1.2.5): who trusts it is
//! the transport's question. A walk over the first fields of its DER form does that,
//! without a library for all of it.

use std::path::Path;

use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Auth, Network, network::read};

/// How long before its end a certificate is worth a word.
pub const WARN_BEFORE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A file of the configuration with certificates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Certificates {
    /// The configured target, or the part of `run.alerts`, that shows or trusts them.
    pub target: String,
    /// What they are: `client`, `private_ca`.
    pub what: &'static str,
    /// The file, as the configuration names it.
    pub file: String,
    /// When the first of them ends; none where that can't be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends: Option<Timestamp>,
}

impl Certificates {
    /// Those of `target`, or of whatever else is called so: the one that it shows, and the
    /// authority that it trusts. Paths begin at `folder`.
    #[must_use]
    pub fn of(target: &str, auth: Option<&Auth>, network: &Network, folder: &Path) -> Vec<Self> {
        let client = match auth {
            Some(Auth::ClientCertificate { certificate, .. }) => Some(certificate),
            _ => None,
        };
        let named = [("client", client), ("private_ca", network.private_ca.as_ref())];
        let each = named.into_iter().filter_map(|(what, file)| {
            let file = file?;
            let ends = read(what, &folder.join(file)).ok().and_then(|pem| first_end(&pem));
            let (target, file) = (target.to_owned(), file.display().to_string());
            Some(Self { target, what, file, ends })
        });
        each.collect()
    }

    /// What to say of them at `now`, where there is something to say: what, and the cure.
    #[must_use]
    pub fn remark(&self, now: Timestamp) -> Option<(String, &'static str)> {
        let (what, file) = (self.what.replace('_', " "), &self.file);
        let name = format!("{}: the {what} certificate in {file}", self.target);
        let Some(ends) = self.ends else {
            return Some((format!("{name} can't be read"), "give a PEM file with certificates"));
        };
        let left = ends.duration_since(now);
        let cure = "have it renewed and put it in that place, then restart what runs";
        match left {
            left if left <= SignedDuration::ZERO => Some((format!("{name} ended at {ends}"), cure)),
            left if left <= WARN_BEFORE => {
                Some((format!("{name} ends in {} days, at {ends}", left.as_hours() / 24), cure))
            }
            _ => None,
        }
    }
}

/// When the first certificate of a PEM text ends; `None` where one can't be read, or
/// there is none.
fn first_end(pem: &[u8]) -> Option<Timestamp> {
    let ends: Option<Vec<Timestamp>> =
        CertificateDer::pem_slice_iter(pem).map(|one| end_of(one.ok()?.as_ref())).collect();
    ends?.into_iter().min()
}

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// `notAfter` of a certificate in DER.
fn end_of(der: &[u8]) -> Option<Timestamp> {
    let (certificate, _) = tagged(der, SEQUENCE)?;
    let (signed, _) = tagged(certificate, SEQUENCE)?;
    let after_version = tagged(signed, VERSION).map_or(signed, |(_, rest)| rest);
    let (_, rest) = tagged(after_version, INTEGER)?;
    let (_algorithm, rest) = tagged(rest, SEQUENCE)?;
    let (_issuer, rest) = tagged(rest, SEQUENCE)?;
    let (validity, _) = tagged(rest, SEQUENCE)?;
    let (_, _, not_after) = element(validity)?;
    let (tag, text, _) = element(not_after)?;
    time(tag, std::str::from_utf8(text).ok()?)
}

/// What an element of `tag` holds, and what follows it.
fn tagged(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, content, rest) = element(der)?;
    (found == tag).then_some((content, rest))
}

/// Tag, content and rest of the first element.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match usize::from(first) {
        short @ 0..=0x7f => (short, rest),
        long => {
            // How many bytes of length follow; more than four is no certificate.
            let (bytes, rest) = rest.split_at_checked((long & 0x7f).min(5))?;
            if !(1..=4).contains(&bytes.len()) {
                return None;
            }
            (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// `YYMMDDHHMMSSZ`, where a year below 50 is one of this century, or
/// `YYYYMMDDHHMMSSZ`.
fn time(tag: u8, text: &str) -> Option<Timestamp> {
    let digits = text.strip_suffix('Z').filter(|text| text.bytes().all(|b| b.is_ascii_digit()))?;
    let whole = match (tag, digits.len()) {
        (GENERALIZED_TIME, 14) => digits.to_owned(),
        (UTC_TIME, 12) if digits < "50" => format!("20{digits}"),
        (UTC_TIME, 12) => format!("19{digits}"),
        _ => return None,
    };
    let number = |at: std::ops::Range<usize>| whole[at].parse::<i8>().ok();
    let (month, day) = (number(4..6)?, number(6..8)?);
    let (hour, minute, second) = (number(8..10)?, number(10..12)?, number(12..14)?);
    let at = DateTime::new(whole[..4].parse().ok()?, month, day, hour, minute, second.min(59), 0)
        .ok()?;
    at.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn pem(year: i32) -> String {
        let mut params = CertificateParams::default();
        params.not_after = date_time_ymd(year, 3, 9);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()
    }

    #[test]
    fn the_first_end_of_a_file_is_read_in_both_forms_of_a_time() {
        let at = |text: &str| Some(text.parse().unwrap());
        assert_eq!(first_end(pem(2031).as_bytes()), at("2031-03-09T00:00:00Z"));
        // From 2050 on a certificate writes the year in four digits.
        assert_eq!(first_end(pem(2061).as_bytes()), at("2061-03-09T00:00:00Z"));
        let both = format!("{}{}", pem(2061), pem(2027));
        assert_eq!(first_end(both.as_bytes()), at("2027-03-09T00:00:00Z"));
        assert_eq!(first_end(b"no certificate"), None);
        assert_eq!(time(UTC_TIME, "991231235959Z"), at("1999-12-31T23:59:59Z"));
        assert_eq!(time(UTC_TIME, "20270309000000Z"), None);
    }

    #[test]
    fn a_word_is_said_thirty_days_before_the_end() {
        let ends: Timestamp = "2027-03-09T00:00:00Z".parse().unwrap();
        let file = "client.pem".to_owned();
        let one = Certificates { target: "erp".to_owned(), what: "client", file, ends: Some(ends) };
        let said = |before: SignedDuration| one.remark(ends - before).map(|(text, _)| text);
        let second = SignedDuration::from_secs(1);
        assert_eq!(said(WARN_BEFORE + second), None);
        assert!(said(WARN_BEFORE).unwrap().contains("ends in 30 days"));
        assert!(said(second).unwrap().contains("ends in 0 days"));
        assert!(said(SignedDuration::ZERO).unwrap().contains("ended at"));
        let unread = Certificates { ends: None, ..one };
        assert!(unread.remark(ends).unwrap().0.contains("can't be read"));
    }

    proptest! {
        /// Bytes of somebody else end nothing, whole or cut or changed.
        #[test]
        fn no_bytes_break_it(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = end_of(&bytes);
        }

        #[test]
        fn no_cut_and_no_flip_breaks_it(at in 0usize..300, flip in 1u8..255) {
            let pem = pem(2031);
            let mut der = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap().to_vec();
            let at = at % der.len();
            prop_assert_eq!(end_of(&der[..at]), None);
            der[at] ^= flip;
            let _ = end_of(&der);
        }
    }
}
