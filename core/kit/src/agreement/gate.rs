//! The gate before a write: may this go out, now, to this host?

use std::{
    collections::BTreeSet,
    fmt, fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::{
    document::{Agreement, Environment, Profile, SCHEMA, Signed},
    evidence::{Contradicted, Evidence},
    golden::{Golden, Meaning},
    key,
    status::{AgreementStatus, Kept, State},
    template::{SlotKind, Written},
};
use crate::{
    CellWrite, Class, ConnectorError, SheetLine,
    rows::RowKey,
    sheet::{Report, line},
    target::SettingsFault,
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

#[derive(Debug, Clone)]
enum Found {
    /// None is configured.
    Nothing,
    /// One that does not hold.
    Broken { name: Option<String>, why: String, cure: &'static str },
    /// One that holds until it expires.
    Good(Box<Good>),
}

/// A probe never tries it: a target that makes the member keeps it.
const UNKNOWN_MEMBER: &str = "its golden exchanges must show how the target refuses a row whose \
    member is not there: what it does with one was never seen";
const READ: &str = "let this user read the file beside the agreement's";
const AGAIN: &str = "find out what the target makes of our writes; then prove it anew: `planthread \
    agreement probe --who YOU`";
const SIGN: &str = "let the integration lead sign it again: `planthread agreement sign`";

/// The file that settings name below `agreement`, for
/// [`TargetFactory::files`](crate::target::TargetFactory).
#[must_use]
pub fn files(settings: &Value) -> Vec<(String, PathBuf)> {
    let file = settings["agreement"]["file"].as_str();
    file.into_iter().map(|file| ("agreement.file".to_owned(), file.into())).collect()
}

impl Gate {
    /// Looks at the configured agreement. One that does not hold is no fault of
    /// the settings: the target is read all the same.
    ///
    /// # Errors
    /// When the settings themselves are wrong, or a named file can't be read.
    pub fn open(
        settings: &Settings,
        folder: &Path,
        place: &GateInput<'_>,
    ) -> Result<Self, SettingsFault> {
        let Some(file) = &settings.file else { return Ok(Self::of(Found::Nothing)) };
        let path = folder.join(file);
        let text = fs::read_to_string(&path).map_err(|error| {
            SettingsFault::new("file", format!("{}: {error}", path.display()))
                .cure("name the file that `planthread agreement sign` wrote")
        })?;
        let signed: Signed = match serde_json::from_str(&text) {
            Ok(signed) => signed,
            Err(error) => {
                return Ok(Self::broken(None, format!("it can't be read: {error}"), SIGN));
            }
        };
        let fingerprint = key::fingerprint(&signed.document);
        let kept = Kept {
            file: Evidence::file(&path),
            agreement: fingerprint,
            host: place.host.to_owned(),
        };
        kept.read().map_err(|reason| SettingsFault::new("file", reason))?;
        Ok(Self::weigh(settings, place, &signed, kept))
    }

    const fn of(found: Found) -> Self {
        Self { found, words: None }
    }

    /// The same, of a connector whose requests an agreement words.
    #[must_use]
    pub fn worded(self, words: Arc<Words>) -> Self {
        Self { words: Some(words), ..self }
    }

    /// The requests that would carry `cells` by `agreement`, or by the one that holds:
    /// also before anything may go out. `None` where there is none, or where the
    /// connector builds its requests by itself.
    ///
    /// # Errors
    /// When it can't word them.
    pub fn render(
        &self,
        agreement: Option<&Agreement>,
        cells: &[CellWrite],
    ) -> Result<Option<Vec<Written>>, ConnectorError> {
        let agreement = agreement.or_else(|| self.agreement());
        agreement.zip(self.words.as_ref()).map(|(by, words)| words(by, cells)).transpose()
    }

    fn broken(name: Option<String>, why: String, cure: &'static str) -> Self {
        Self::of(Found::Broken { name, why, cure })
    }

    fn weigh(settings: &Settings, place: &GateInput<'_>, signed: &Signed, kept: Kept) -> Self {
        let name = signed.document["agreement"].as_str().map(str::to_owned);
        if let Err(why) = trusted(settings, place.host, signed) {
            return Self::broken(name, why, SIGN);
        }
        let agreement: Agreement = match serde_json::from_value(signed.document.clone()) {
            Ok(agreement) => agreement,
            Err(error) => return Self::broken(name, format!("it can't be read: {error}"), SIGN),
        };
        if let Err(why) = fits(&agreement, place) {
            return Self::broken(name, why, "correct it; then let it be signed again");
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
            Found::Broken { name, why, cure } => {
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
            State::Enabled => report.tick(LINE, standing.to_string()),
            _ => report.fail(LINE, standing.to_string(), &standing.cure),
        }
    }

    /// The line of the consultant's sheet that asks for it.
    #[must_use]
    pub fn line() -> SheetLine {
        let text = "A signed agreement says how capacity is written, and it is enabled";
        line(LINE, "integration team", text)
    }

    /// What was agreed, where its words hold: also before anything may go out.
    #[must_use]
    pub fn agreement(&self) -> Option<&Agreement> {
        match &self.found {
            Found::Good(good) => Some(&good.agreement),
            Found::Nothing | Found::Broken { .. } => None,
        }
    }
}

/// Why an agreement does not hold as of `now`, and the cure.
fn outside(agreement: &Agreement, now: Timestamp) -> Option<(String, &'static str)> {
    let (at, expires) = (agreement.approved.at, agreement.approved.expires);
    match () {
        () if now >= expires => {
            Some((format!("it expired on {}", expires.strftime("%Y-%m-%d")), SIGN))
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

fn is_loopback(host: &str) -> bool {
    let Ok(url) = Url::parse(host) else { return false };
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Whether a key that the configuration trusts signed it. The demo's key is
/// published, so it counts for this machine only.
fn trusted(settings: &Settings, host: &str, signed: &Signed) -> Result<(), String> {
    let public = &signed.signature.key;
    let holder = settings.trusts.iter().find(|(_, key)| *key == public);
    let Some((holder, _)) = holder else {
        return Err("no key of `agreement.trusts` signed it".to_owned());
    };
    if key::is_demo(public) && !is_loopback(host) {
        return Err("the demo's key counts for sandboxes of this machine only".to_owned());
    }
    match key::holds(public, &signed.document, &signed.signature.value) {
        true => Ok(()),
        false => Err(format!("it was altered after {holder} signed it")),
    }
}

/// Whether the words of an agreement fit the target and this program.
fn fits(agreement: &Agreement, place: &GateInput<'_>) -> Result<(), String> {
    if agreement.schema != SCHEMA {
        return Err(format!("its form is {}, this program reads {SCHEMA}", agreement.schema));
    }
    if agreement.connector != place.connector {
        return Err(format!("it is for {}, not for {}", agreement.connector, place.connector));
    }
    let loopback = is_loopback(place.host);
    let here = |host: &String| host == place.host || (host == LOOPBACK && loopback);
    if !agreement.hosts.iter().any(here) {
        return Err(format!("it speaks of {}, not of this host", agreement.hosts.join(", ")));
    }
    if agreement.environment == Environment::Sandbox && !loopback {
        return Err("it is for a sandbox, and this host is none".to_owned());
    }
    if !agreement.supports("write_capacity") {
        return Err("it does not say that capacity can be written".to_owned());
    }
    for (path, value) in place.unconfirmed {
        match agreement.settings.get(*path) {
            Some(stated) if stated == value => {}
            Some(stated) => {
                return Err(format!(
                    "it states `{path}` as {stated}, and the settings say {value}"
                ));
            }
            None => return Err(format!("it does not state `{path}`, which is {value}")),
        }
    }
    let means =
        |wanted: fn(&Meaning) -> bool| agreement.golden.iter().any(|one| wanted(&one.means));
    if !means(|means| *means == Meaning::Taken) || !means(|means| *means != Meaning::Taken) {
        return Err("its golden exchanges must show a write that was taken, and a refusal".into());
    }
    let mut golden = agreement.golden.iter();
    match place.requests {
        Requests::Profile { offered, each_row, row_id, check } => {
            let profile = agreement.profile()?;
            // Where an answer names no rows, the refusal of the whole is all there is.
            let names_rows = profile.reply.refused.is_some();
            let refused =
                means(|means| matches!(means, Meaning::Refused(rows) if !rows.is_empty()));
            if names_rows && !refused {
                return Err(UNKNOWN_MEMBER.into());
            }
            profile.validate(offered, each_row)?;
            check(profile)?;
            golden.try_for_each(|one| one.replay(profile, row_id))
        }
        Requests::Own(_) if agreement.profile.is_some() => {
            Err("it says how a request is built, and this connector builds its own".to_owned())
        }
        Requests::Own(replays) => golden.try_for_each(replays),
    }
}

/// Signs a document.
#[must_use]
pub fn sign(document: Value, key: &key::SigningKey) -> Signed {
    let signature = super::document::Signature { value: key.sign(&document), key: key.public() };
    Signed { document, signature }
}

#[cfg(test)]
mod tests;
