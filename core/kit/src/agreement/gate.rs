//! The gate before a write: may this go out, now, to this host?

use std::{
    collections::BTreeSet,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    document::{Agreement, Environment, Profile, Signed, unsigned},
    evidence::{Contradicted, Evidence},
    golden::Golden,
    key,
    status::{AgreementStatus, Kept, State},
    template::{SlotKind, Written},
};
use crate::{
    CellWrite, Class, ConnectorError, SheetLine, files,
    rows::RowKey,
    sheet::{Report, line},
    target::SettingsFault,
};

use self::{
    cures::{ABSENT, AGAIN, CORRECT, DAMAGED, READ, RENEW, UNSIGNED},
    fits::{fits, trusted},
};

/// Id of its line on the consultant's sheet.
pub const LINE: &str = "agreement";
/// The host word of this machine, at any port.
const LOOPBACK: &str = "loopback";

/// Which agreement lets a target be written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// File of the signed agreement.
    pub file: Option<PathBuf>,
    /// Keys whose signatures count: public halves, 64 hex digits each, by the
    /// name of who holds the key. A key that only an agreement names counts for
    /// nothing.
    pub trusts: std::collections::BTreeMap<String, String>,
}

impl Settings {
    /// Checks that each key that is trusted can be one: the public half of a key.
    ///
    /// # Errors
    /// Names the first one that is none; the field is the path below the target's
    /// settings.
    pub fn validate(&self) -> Result<(), SettingsFault> {
        let none = self.trusts.iter().find(|(_, public)| !key::is_public(public));
        let Some((holder, _)) = none else { return Ok(()) };
        let reason = "a key is 64 hex digits, and this is none";
        Err(SettingsFault::new(format!("agreement.trusts.{holder}"), reason)
            .cure("write the public half of the signer's key: `planthread agreement key` says it"))
    }
}

/// What a connector brings.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "a check has no text")]
pub struct GateInput<'a> {
    /// Its name.
    pub connector: &'static str,
    /// Scheme and name of the host.
    pub host: &'a str,
    /// Settings in use that no public material confirms, by path below `settings`: an
    /// agreement must state each of them as it is.
    pub unconfirmed: &'a [(&'static str, Value)],
    /// Who builds the requests.
    pub requests: Requests<'a>,
}

/// Who builds the requests of a write.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "a check has no text")]
pub enum Requests<'a> {
    /// The agreement's profile does.
    Profile {
        /// Values that the connector has for slots.
        offered: &'a [(&'a str, SlotKind)],
        /// Slots that each row must fix.
        each_row: &'a [&'a str],
        /// The slot that names a row in golden exchanges and answers.
        row_id: &'a str,
        /// What only the vendor's connector can say of a profile.
        check: &'a dyn Fn(&Profile) -> Result<(), String>,
    },
    /// The connector does: it replays a golden exchange itself
    /// ([`Golden::holds`]).
    Own(&'a dyn Fn(&Golden) -> Result<(), String>),
}

/// Words the requests that would carry cells, by an agreement.
pub type Words =
    dyn Fn(&Agreement, &[CellWrite]) -> Result<Vec<Written>, ConnectorError> + Send + Sync;

/// An agreement as far as it is good.
#[derive(Clone)]
pub struct Gate {
    found: Found,
    words: Option<Arc<Words>>,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("found", &self.found).finish_non_exhaustive()
    }
}

/// An agreement whose words hold.
#[derive(Debug, Clone)]
struct Good {
    agreement: Agreement,
    label: String,
    kept: Kept,
}

/// An agreement that does not hold.
#[derive(Debug, Clone)]
struct Broken {
    name: Option<String>,
    why: String,
    cure: &'static str,
    /// What it says, where that can be read: it is shown, and nothing else.
    words: Option<Agreement>,
}

#[derive(Debug, Clone)]
enum Found {
    /// None is configured.
    Nothing,
    /// One that does not hold.
    Broken(Box<Broken>),
    /// One that holds until it expires.
    Good(Box<Good>),
}

/// The file that the settings of a target name below `agreement`. A target is opened
/// without it, and suspended.
#[must_use]
pub fn file(settings: &Value) -> Option<&Path> {
    settings["agreement"]["file"].as_str().map(Path::new)
}

impl Gate {
    /// Looks at the configured agreement. One that does not hold, or is not there, is
    /// no fault of the settings: the target is read all the same.
    #[must_use]
    pub fn open(settings: &Settings, folder: &Path, place: &GateInput<'_>) -> Self {
        let Some(file) = &settings.file else { return Self::of(Found::Nothing) };
        let path = folder.join(file);
        let unread = |why: &dyn fmt::Display, cure| {
            let why = format!("{} can't be read: {why}", path.display());
            Self::broken(None, why, cure, None)
        };
        let text = match files::text(&path) {
            Ok(text) => text,
            Err(error) => return unread(&error, ABSENT),
        };
        let signed: Signed = match serde_json::from_str(&text) {
            Ok(signed) => signed,
            Err(error) => {
                let draft = serde_json::from_str::<Value>(&text).unwrap_or_default();
                return match Agreement::deserialize(unsigned(&draft)) {
                    Ok(draft) => {
                        let (name, why) = (draft.agreement.clone(), "nobody signed it".to_owned());
                        Self::broken(Some(name), why, UNSIGNED, Some(draft))
                    }
                    Err(_) => unread(&error, DAMAGED),
                };
            }
        };
        let fingerprint = key::fingerprint(&signed.document);
        let kept = Kept {
            file: Evidence::file(&path),
            agreement: fingerprint,
            host: place.host.to_owned(),
        };
        Self::weigh(settings, place, &signed, kept)
    }

    const fn of(found: Found) -> Self {
        Self { found, words: None }
    }

    /// The same, of a connector whose requests an agreement words.
    #[must_use]
    pub fn worded(self, words: Arc<Words>) -> Self {
        Self { words: Some(words), ..self }
    }

    /// Whether an agreement words its requests; else the connector builds them.
    #[must_use]
    pub const fn is_worded(&self) -> bool {
        self.words.is_some()
    }

    /// The requests that would carry `cells` by `agreement`, or by the one that is
    /// configured: also before anything may go out, and where it does not hold. `None`
    /// where there is none that can be read, or where the connector builds its requests
    /// by itself.
    ///
    /// # Errors
    /// When it can't word them.
    pub fn render(
        &self,
        agreement: Option<&Agreement>,
        cells: &[CellWrite],
    ) -> Result<Option<Vec<Written>>, ConnectorError> {
        let shown = match &self.found {
            Found::Nothing => None,
            Found::Broken(broken) => broken.words.as_ref(),
            Found::Good(good) => Some(&good.agreement),
        };
        let agreement = agreement.or(shown);
        agreement.zip(self.words.as_ref()).map(|(by, words)| words(by, cells)).transpose()
    }

    fn broken(
        name: Option<String>,
        why: String,
        cure: &'static str,
        words: Option<Agreement>,
    ) -> Self {
        Self::of(Found::Broken(Box::new(Broken { name, why, cure, words })))
    }

    fn weigh(settings: &Settings, place: &GateInput<'_>, signed: &Signed, kept: Kept) -> Self {
        let name = signed.document["agreement"].as_str().map(str::to_owned);
        let read = serde_json::from_value::<Agreement>(signed.document.clone());
        if let Err((why, cure)) = trusted(settings, place.host, signed) {
            return Self::broken(name, why, cure, read.ok());
        }
        let agreement = match read {
            Ok(agreement) => agreement,
            Err(error) => {
                let why = format!("what was signed is no agreement: {error}");
                return Self::broken(name, why, CORRECT, None);
            }
        };
        if let Err(why) = fits(&agreement, place) {
            return Self::broken(name, why, CORRECT, Some(agreement));
        }
        let label = format!("{} {}", agreement.agreement, beginning(&kept.agreement));
        Self::of(Found::Good(Box::new(Good { agreement, label, kept })))
    }

    /// How far it is, as of `now`: what people decided since it was opened counts.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> AgreementStatus {
        let of = |state, missing: &str, cure: &str| AgreementStatus {
            state,
            agreement: None,
            reference: None,
            expires: None,
            missing: missing.to_owned(),
            cure: cure.to_owned(),
            probing: false,
            evidence: None,
        };
        match &self.found {
            Found::Nothing => of(
                State::Unverified,
                "no signed agreement says how this target is written",
                "let the integration team describe and sign the write; name the file under \
                 `agreement.file` and the signer's key under `agreement.trusts`",
            ),
            Found::Broken(broken) => {
                let Broken { name, why, cure, .. } = &**broken;
                AgreementStatus { agreement: name.clone(), ..of(State::Suspended, why, cure) }
            }
            Found::Good(good) => {
                let Good { agreement, label, kept } = &**good;
                let (evidence, unread) = match kept.read() {
                    Ok(evidence) => (evidence, None),
                    Err(reason) => (Evidence::default(), Some(reason)),
                };
                let (state, missing, cure) = match (outside(agreement, now), unread) {
                    (Some((why, cure)), _) => (State::Suspended, why, cure),
                    (None, Some(reason)) => (State::Suspended, reason, READ),
                    (None, None) => progress(agreement, &evidence),
                };
                let probes = outside(agreement, now).is_none() && evidence.is_probed_at(now);
                AgreementStatus {
                    agreement: Some(label.clone()),
                    reference: Some(agreement.reference()),
                    expires: Some(agreement.approved.expires),
                    probing: probes,
                    evidence: Some(kept.clone()),
                    ..of(state, &missing, cure)
                }
            }
        }
    }

    /// The agreement of a write of `cells`.
    ///
    /// # Errors
    /// `Auth`, and nothing taken, unless it is enabled as of `now`, or a person
    /// probes it and this is one cell group.
    pub fn permit(
        &self,
        now: Timestamp,
        cells: &[CellWrite],
    ) -> Result<&Agreement, ConnectorError> {
        let groups: BTreeSet<RowKey> = cells.iter().map(|cell| RowKey::of(&cell.key)).collect();
        let standing = self.status(now);
        if let (Found::Good(good), true) =
            (&self.found, standing.may_write() || (standing.probing && groups.len() <= 1))
        {
            return Ok(&good.agreement);
        }
        Err(ConnectorError::new(Class::Auth, "ask the agreement", standing.to_string())
            .cure(standing.cure)
            .took_nothing())
    }

    /// Answers the line of the sheet that asks for it.
    pub fn tick(&self, now: Timestamp, report: &mut Report) {
        let standing = self.status(now);
        match standing.state {
            State::Enabled => report.known(LINE, standing.to_string()),
            _ => report.fail(LINE, standing.to_string(), &standing.cure),
        }
    }

    /// The line of the consultant's sheet that asks for it.
    #[must_use]
    pub fn line() -> SheetLine {
        let text = "A signed agreement says how capacity is written, and it is enabled";
        line(LINE, "integration team", text)
    }

    /// Why its words do not hold, where there is one and they do not.
    #[must_use]
    pub fn broken_by(&self) -> Option<&str> {
        match &self.found {
            Found::Broken(broken) => Some(&broken.why),
            Found::Nothing | Found::Good(_) => None,
        }
    }

    /// What was agreed, where its words hold: also before anything may go out.
    #[must_use]
    pub fn agreement(&self) -> Option<&Agreement> {
        match &self.found {
            Found::Good(good) => Some(&good.agreement),
            Found::Nothing | Found::Broken(_) => None,
        }
    }
}

/// Why an agreement does not hold as of `now`, and the cure.
fn outside(agreement: &Agreement, now: Timestamp) -> Option<(String, &'static str)> {
    let (at, expires) = (agreement.approved.at, agreement.approved.expires);
    match () {
        () if now >= expires => {
            Some((format!("it expired on {}", expires.strftime("%Y-%m-%d")), RENEW))
        }
        () if now < at => Some((format!("it holds from {at} on"), "look at the clocks")),
        () => None,
    }
}

/// State, what is missing, and the cure, of one whose words hold.
fn progress(agreement: &Agreement, evidence: &Evidence) -> (State, String, &'static str) {
    if let Some(Contradicted { why, at }) = &evidence.contradicted {
        return (State::Suspended, format!("on {} {why}", at.strftime("%Y-%m-%d")), AGAIN);
    }
    match (agreement.environment, &evidence.probed, &evidence.enabled) {
        // Nothing real can be harmed there.
        (Environment::Sandbox, ..) | (_, Some(_), Some(_)) => (State::Enabled, String::new(), ""),
        (_, Some(probed), None) => (
            State::Probed,
            format!("{} probed it, and nobody enabled it", probed.who),
            "look at the probe in the planner's view; then `planthread agreement enable --who YOU`",
        ),
        (_, None, _) => (
            State::Contracted,
            "nobody probed it".to_owned(),
            "write one cell group and read it back: `planthread agreement probe --who YOU`",
        ),
    }
}

/// Enough of a fingerprint for people.
fn beginning(fingerprint: &str) -> &str {
    fingerprint.get(..12).unwrap_or(fingerprint)
}

/// Signs a document.
#[must_use]
pub fn sign(document: Value, key: &key::SigningKey) -> Signed {
    let signature = super::document::Signature { value: key.sign(&document), key: key.public() };
    Signed { document, signature }
}

mod cures;
mod fits;
#[cfg(test)]
mod tests;
