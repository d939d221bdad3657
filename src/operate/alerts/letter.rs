//! A message to one owner as an e-mail: what it says, and the headers around it.
//!
//! The library writes the headers: it encodes what is not ASCII (RFC 2047), folds what is
//! long, and chooses an encoding of the text that every server takes.

use jiff::Timestamp;
use lettre::{
    Address, Message,
    message::{
        Mailbox,
        header::{ContentType, Header, HeaderName, HeaderValue},
    },
};
use planthread_kit::mask;

use super::{Alert, Situation, digest};

/// Characters of a situation that a subject repeats.
const SUBJECT_MAX: usize = 100;

/// Says that no person wrote it, so that no machine answers it (RFC 3834).
#[derive(Debug, Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// `alert` as an e-mail of `now`. The same message has the same `Message-ID` whenever it
/// comes; another plant's never has it.
///
/// # Errors
/// When the library can't write it.
pub(super) fn letter(
    alert: &Alert,
    from: &Address,
    to: &Address,
    now: Timestamp,
) -> Result<Message, lettre::error::Error> {
    let plant = digest(&[&alert.plant]);
    let id = format!("<{}.{}@{}>", alert.id, &plant[..8], from.domain());
    Message::builder()
        .from(Mailbox::new(Some("Planthread".to_owned()), from.clone()))
        .to(Mailbox::new(Some(plain(&alert.owner)), to.clone()))
        .subject(subject(alert))
        .date(now.into())
        .message_id(Some(id))
        .header(AutoSubmitted)
        .header(ContentType::TEXT_PLAIN)
        .body(text(alert))
}

/// The lists of a message, and what is said of one and of several.
fn lists(alert: &Alert) -> [(&[Situation], &'static str, &'static str); 3] {
    [
        (&alert.begins, "begins", "begin"),
        (&alert.ends, "is over", "are over"),
        (&alert.open, "is open", "are open"),
    ]
}

/// `2 begin`, `1 is over`: what the message lists.
fn counts(alert: &Alert) -> Vec<String> {
    let counted = lists(alert).into_iter().filter(|(list, ..)| !list.is_empty());
    let counted = counted.map(|(list, one, many)| {
        format!("{} {}", list.len(), if list.len() == 1 { one } else { many })
    });
    let more = (alert.not_listed > 0).then(|| format!("{} more", alert.not_listed));
    counted.chain(more).collect()
}

/// Plant, counts, and the first situation.
fn subject(alert: &Alert) -> String {
    let first = lists(alert).into_iter().find_map(|(list, ..)| list.first());
    let first = plain(first.map_or("", |one| one.what.as_str()));
    let mut what: String = first.chars().take(SUBJECT_MAX).collect();
    if what.len() < first.len() {
        what.push_str("...");
    }
    format!("Planthread {}: {}: {what}", plain(&alert.plant), counts(alert).join(", "))
}

/// The message in words.
fn text(alert: &Alert) -> String {
    let mut text = format!("Plant {}, for {}\n", plain(&alert.plant), plain(&alert.owner));
    for (list, one, many) in lists(alert).into_iter().filter(|(list, ..)| !list.is_empty()) {
        let word = if list.len() == 1 { one } else { many };
        text.push_str(&format!("\n{} {word}:\n", list.len()));
        for Situation { what, cure, since, .. } in list {
            text.push_str(&format!("\n- {}\n  since {since}\n", plain(what)));
            if word != "is over" && word != "are over" {
                text.push_str(&format!("  {}\n", plain(cure)));
            }
        }
    }
    if alert.not_listed > 0 {
        let more = alert.not_listed;
        text.push_str(&format!("\n{more} more are not listed; `planthread status` has them.\n"));
    }
    text.push_str(&format!("\nMessage {}\n", alert.id));
    text
}

/// `text` in one line, without secrets: names of people and answers of others stand in it.
fn plain(text: &str) -> String {
    mask::text(text).chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVIL: &str = "anna\r\nBcc: bo@example.com\r\n\r\nhello\u{0}\u{7f}\"<>,";

    fn situation(what: &str) -> Situation {
        let since = "2026-11-27T08:01:00Z".parse().unwrap();
        Situation {
            key: "away ibp".to_owned(),
            id: String::new(),
            owner: "anna".to_owned(),
            target: "ibp".to_owned(),
            urgent: true,
            what: what.to_owned(),
            cure: "look".to_owned(),
            since,
        }
    }

    fn alert(owner: &str, plant: &str, what: &str) -> Alert {
        Alert {
            id: "0123abcd".to_owned(),
            owner: owner.to_owned(),
            plant: plant.to_owned(),
            begins: vec![situation(what)],
            ends: vec![],
            digest: false,
            open: vec![],
            not_listed: 0,
        }
    }

    fn written(alert: &Alert) -> String {
        let address = |text: &str| text.parse::<Address>().unwrap();
        let now = "2026-11-27T08:05:00Z".parse().unwrap();
        let made = letter(alert, &address("pt@example.com"), &address("ops@example.com"), now);
        String::from_utf8(made.unwrap().formatted()).unwrap()
    }

    fn headers(written: &str) -> Vec<&str> {
        let (head, _) = written.split_once("\r\n\r\n").unwrap();
        head.split("\r\n").filter(|line| !line.starts_with(' ')).collect()
    }

    #[test]
    fn it_says_plant_what_and_how_many() {
        let mut alert = alert("anna", "ulm", "ibp is away");
        alert.open = vec![situation("a"), situation("b")];
        alert.not_listed = 7;
        let written = written(&alert);
        let head = headers(&written);
        let has = |line: &str| assert!(head.contains(&line), "{line}: {written}");
        has("Subject: Planthread ulm: 1 begins, 2 are open, 7 more: ibp is away");
        has("Date: Fri, 27 Nov 2026 08:05:00 +0000");
        has("Auto-Submitted: auto-generated");
        has("Content-Type: text/plain; charset=utf-8");
        has("From: Planthread <pt@example.com>");
        has("To: anna <ops@example.com>");
        for part in ["Plant ulm, for anna", "\r\n1 begins:\r\n", "- ibp is away\r\n", "7 more are"]
        {
            assert!(written.contains(part), "{part}: {written}");
        }
    }

    #[test]
    fn a_message_that_comes_again_has_its_id_and_that_of_another_plant_has_another() {
        let id = |plant: &str| {
            let written = written(&alert("anna", plant, "x"));
            let id = headers(&written).into_iter().find(|line| line.starts_with("Message-ID: "));
            id.unwrap().to_owned()
        };
        assert_eq!(id("ulm"), id("ulm"));
        assert_ne!(id("ulm"), id("bonn"));
        assert!(id("ulm").starts_with("Message-ID: <0123abcd."), "{}", id("ulm"));
        assert!(id("ulm").ends_with("@example.com>"), "{}", id("ulm"));
    }

    #[test]
    fn no_name_and_no_sentence_adds_a_header_or_a_long_line() {
        let long = "Düse ".repeat(300);
        let plain: Vec<String> = names(&written(&alert("anna", "ulm", "x")));
        for text in [EVIL, "\r\n\r\n", "\n.\r\n", "a\u{85}b\u{2028}Bcc: c", &long, ""] {
            for alert in
                [alert(text, "ulm", "x"), alert("anna", text, "x"), alert("anna", "ulm", text)]
            {
                let written = written(&alert);
                assert_eq!(names(&written), plain, "{text:?}: {written}");
                assert!(written.lines().all(|line| line.len() <= 998), "{written}");
                assert!(written.is_ascii(), "{written}");
                assert!(!written.replace("\r\n", "").contains(['\r', '\n']), "{written:?}");
            }
        }
    }

    fn names(written: &str) -> Vec<String> {
        let name = |line: &&str| line.split(':').next().unwrap_or_default().to_owned();
        let all = headers(written);
        // The library encodes the text as it needs.
        all.iter().map(name).filter(|name| name != "Content-Transfer-Encoding").collect()
    }
}
