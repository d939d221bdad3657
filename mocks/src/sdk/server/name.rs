//! The common name of a certificate's subject: a small, bounded DER walk.
//!
//! rustls verifies chains but doesn't say names; this reads one field of a
//! certificate that has been verified already.

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xa0;
const OID: u8 = 0x06;
/// id-at-commonName, 2.5.4.3.
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];

/// The first common name (CN) of the subject.
pub(super) fn common_name(certificate: &[u8]) -> Option<String> {
    let (_, certificate, _) = element(certificate)?;
    let (_, tbs, _) = element(certificate)?;
    let (tag, _, mut rest) = element(tbs)?;
    if tag == VERSION {
        // After the version: serial number.
        rest = element(rest)?.2;
    }
    // Signature algorithm, issuer, validity; then the subject.
    for _ in 0..3 {
        rest = element(rest)?.2;
    }
    let (tag, mut subject, _) = element(rest)?;
    if tag != SEQUENCE {
        return None;
    }
    while !subject.is_empty() {
        let (tag, set, next) = element(subject)?;
        if tag != SET {
            return None;
        }
        let (_, attribute, _) = element(set)?;
        let (tag, oid, value) = element(attribute)?;
        if tag == OID && oid == COMMON_NAME {
            let (_, text, _) = element(value)?;
            return String::from_utf8(text.to_vec()).ok();
        }
        subject = next;
    }
    None
}

/// Tag, content and what follows of the first element.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let bytes = usize::from(first & 0x7f);
        if bytes == 0 || bytes > 4 {
            return None;
        }
        let (digits, rest) = rest.split_at_checked(bytes)?;
        (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use planthread_support::TestAuthority;

    use super::*;

    #[test]
    fn the_subject_is_read_and_not_the_issuer() {
        let authority = TestAuthority::new().unwrap();
        let client = authority.client("planthread").unwrap();
        let der = client.certificate_der();
        assert_eq!(common_name(der).as_deref(), Some("planthread"));
    }

    #[test]
    fn cut_off_certificates_name_nobody() {
        let authority = TestAuthority::new().unwrap();
        let client = authority.client("planthread").unwrap();
        let der = client.certificate_der();
        for length in 0..der.len() {
            assert_eq!(common_name(&der[..length]), None, "{length} bytes");
        }
    }
}
