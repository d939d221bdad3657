//! Whether an agreement is the one that was signed, and fits the target.

use super::{
    GateInput, LOOPBACK, Requests, Settings,
    cures::{ALTERED, OWN_KEY, STRANGER},
};
use crate::{
    agreement::{
        document::{Agreement, Environment, SCHEMA, Signed},
        golden::{Golden, Meaning},
        key,
        reply::Reply,
    },
    http::answer::refuses,
};
use http::StatusCode;
use url::Url;

/// A probe never tries it: a target that makes the member keeps it.
const UNKNOWN_MEMBER: &str = "its golden exchanges must show how the target refuses a row whose \
    member is not there: what it does with one was never seen";

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
pub(super) fn trusted(
    settings: &Settings,
    host: &str,
    signed: &Signed,
) -> Result<(), (String, &'static str)> {
    let public = &signed.signature.key;
    let holder = settings.trusts.iter().find(|(_, key)| key.eq_ignore_ascii_case(public));
    let Some((holder, _)) = holder else {
        return Err(("no key of `agreement.trusts` signed it".to_owned(), STRANGER));
    };
    if key::is_demo(public) && !is_loopback(host) {
        let why = "the demo's key counts for sandboxes of this machine only";
        return Err((why.to_owned(), OWN_KEY));
    }
    match key::holds(public, &signed.document, &signed.signature.value) {
        true => Ok(()),
        false => Err((format!("it was altered after {holder} signed it"), ALTERED)),
    }
}

/// Whether each status that is stated to take nothing was seen, and can mean that: one of
/// those that are clearly about the request (RFC 9110 section 15.5). After a 401 the
/// request stack itself asks for other credentials.
fn takes_nothing(reply: &Reply, golden: &[Golden]) -> Result<(), String> {
    for status in &reply.nothing_taken {
        let of_request = StatusCode::from_u16(*status).is_ok_and(refuses) && *status != 401;
        if !of_request {
            return Err(format!("`reply.nothing_taken`: a {status} does not show that"));
        }
        let seen = |one: &Golden| one.response.status == *status && one.means == Meaning::Error;
        if !golden.iter().any(seen) {
            return Err(format!("`reply.nothing_taken`: no golden exchange shows a {status}"));
        }
    }
    Ok(())
}

/// Whether the words of an agreement fit the target and this program.
pub(super) fn fits(agreement: &Agreement, place: &GateInput<'_>) -> Result<(), String> {
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
            takes_nothing(&profile.reply, &agreement.golden)?;
            check(profile)?;
            golden.try_for_each(|one| one.replay(profile, row_id))
        }
        Requests::Own(_) if agreement.profile.is_some() => {
            Err("it says how a request is built, and this connector builds its own".to_owned())
        }
        Requests::Own(replays) => golden.try_for_each(replays),
    }
}
