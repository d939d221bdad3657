//! `planthread agreement key|sign|verify|render|probe|enable`

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Subcommand;
use jiff::Timestamp;
use planthread_kit::agreement::{
    Agreement, SigningKey,
    document::{Approved, Signed, unsigned},
    gate, key,
};
use serde_json::Value;

use super::{Context, answer::Who};
use crate::{
    failure::{Exit, Failure},
    pipeline::{Draft, Opener, enable, fits, standing},
    report::agreement::{Key, Report, SignedAs},
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Make a key that signs, and print its public half
    Key {
        /// Where it is kept; nobody else should read it
        file: PathBuf,
    },
    /// Sign an agreement
    Sign {
        /// The agreement: JSON, signed before or not
        draft: PathBuf,
        /// The key that `agreement key` made
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// Where the signed one is written
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Say how a target's agreement stands: signature, expiry, golden exchanges
    Verify {
        /// The configured target; may be left out when there is only one
        target: Option<String>,
    },
    /// Show the request that would carry the first cell group of the plan; nothing goes out
    Render {
        /// The configured target; may be left out when there is only one
        target: Option<String>,
        /// An agreement that is not signed yet, instead of the target's
        #[arg(long, value_name = "FILE")]
        draft: Option<PathBuf>,
    },
    /// Write one cell group through a plan, and read it back
    Probe {
        /// The configured target; may be left out when there is only one
        target: Option<String>,
        #[command(flatten)]
        by: Who,
    },
    /// Let a probed target be written
    Enable {
        /// The configured target; may be left out when there is only one
        target: Option<String>,
        #[command(flatten)]
        by: Who,
    },
}

impl Args {
    /// Whether it writes to a target, or lets one be written.
    pub(super) const fn changes(&self) -> bool {
        matches!(self.act, Act::Probe { .. } | Act::Enable { .. })
    }
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    match &args.act {
        Act::Key { file } => make_key(context, file),
        Act::Sign { draft, key, output } => sign(context, draft, key, output),
        Act::Verify { target } => {
            let loaded = context.config()?;
            let target = context.open_offline(&loaded, target.as_deref())?;
            context.screen.show(&Report {
                agreement: standing(&target, context.clock.now())?,
                target: target.name,
            })
        }
        Act::Render { target, draft } => {
            let draft = draft.as_deref().map(drafted).transpose()?.map(|(_, draft)| draft);
            let bridge = context.bridge()?;
            let rendered = context.block_on(bridge.render(target.as_deref(), draft.as_ref()))?;
            context.screen.show(&rendered)
        }
        Act::Probe { target, by } => {
            let bridge = context.bridge()?;
            let who = by.name(&bridge.loaded.config)?;
            let probed = context.block_on(bridge.probe(target.as_deref(), &who))?;
            context.screen.show(&probed)
        }
        Act::Enable { target, by } => {
            let loaded = context.config()?;
            let name = target.as_deref();
            let target = context.open_offline(&loaded, name)?;
            enable(&target, &by.name(&loaded.config)?, context.clock.now())?;
            let target = context.open_offline(&loaded, name)?;
            context.screen.show(&Report {
                agreement: standing(&target, context.clock.now())?,
                target: target.name,
            })
        }
    }
}

fn make_key(context: &Context, file: &Path) -> Result<Exit, Failure> {
    let seed = key::seed().map_err(Failure::internal)?;
    let public = SigningKey::read(&seed).map(|key| key.public());
    let public = public.ok_or_else(|| Failure::internal("a new key can't be read"))?;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file).and_then(|mut made| writeln!(made, "{seed}")).map_err(|error| {
        Failure::io("make the key", file, &error)
            .cure("name a file that is not there yet, in a folder that this user may write")
    })?;
    context.screen.show(&Key { file: file.to_owned(), public })
}

fn sign(context: &Context, draft: &Path, key: &Path, output: &Path) -> Result<Exit, Failure> {
    let (document, Draft { agreement, .. }) = drafted(draft)?;
    holds_some_time(draft, &agreement, context.clock.now())?;
    let seed = read("read the key", key, KEY)?;
    let signing = SigningKey::read(&seed)
        .ok_or_else(|| Failure::usage(format!("{} is no key", key.display())).cure(KEY))?;
    let signed = gate::sign(document, &signing);
    let pretty = serde_json::to_string_pretty(&signed)
        .map_err(|error| Failure::internal(error.to_string()))?;
    let fits = holds_somewhere(context, draft, output, &signed)?;
    crate::output::only_over_ours(output, |first| {
        serde_json::from_slice::<Signed>(first)
            .is_ok_and(|there| there.document.get("agreement") == signed.document.get("agreement"))
    })?;
    fs::write(output, pretty + "\n").map_err(|error| {
        Failure::io("write the agreement", output, &error)
            .cure("name a file in a folder that is there and that this user may write")
    })?;
    context.screen.show(&SignedAs {
        file: output.to_owned(),
        agreement: agreement.agreement,
        fingerprint: key::fingerprint(&signed.document),
        public: signed.signature.key,
        expires: agreement.approved.expires,
        fits,
    })
}

/// Whether a target of this configuration could be written under it, by the rule of
/// `agreement verify`; which one. A folder without a configuration has none.
fn holds_somewhere(
    context: &Context,
    draft: &Path,
    output: &Path,
    signed: &Signed,
) -> Result<Option<String>, Failure> {
    let Ok(loaded) = context.config() else { return Ok(None) };
    let aside = output.with_extension("unchecked");
    let aside = std::path::absolute(&aside)
        .map_err(|error| Failure::io("write the agreement", &aside, &error))?;
    let text =
        serde_json::to_string(signed).map_err(|error| Failure::internal(error.to_string()))?;
    fs::write(&aside, text).map_err(|error| {
        Failure::io("write the agreement", &aside, &error)
            .cure("name a file in a folder that is there and that this user may write")
    })?;
    let opener = Opener::new(Arc::clone(&context.clock)).offline();
    let fits = fits(&loaded, &opener, (&aside, signed));
    fs::remove_file(&aside).map_err(|error| Failure::io("remove", &aside, &error))?;
    fits.map_err(|mut failure| {
        failure.message = format!("{}: {}", draft.display(), failure.message);
        failure
    })
}

/// Where a key comes from.
const KEY: &str = "name a key that `planthread agreement key FILE` made";
/// Where an agreement comes from.
const BEGIN: &str = "begin with the agreement that `planthread init` writes for a sandbox";

/// An agreement that is over, or ends before it begins, is not signed: nobody could write
/// under it.
fn holds_some_time(file: &Path, agreement: &Agreement, now: Timestamp) -> Result<(), Failure> {
    let Approved { at, expires, .. } = &agreement.approved;
    let why = match () {
        () if *expires <= now => format!("it expired at {expires}"),
        () if expires <= at => format!("it expires at {expires}, and holds from {at} on"),
        () => return Ok(()),
    };
    Err(Failure::usage(format!("{}: approved.expires: {why}", file.display()))
        .cure("state until when somebody stands for it, then sign it"))
}

/// An agreement that is to be signed, or was before: its document, and what it says.
fn drafted(file: &Path) -> Result<(Value, Draft), Failure> {
    let text = read("read the agreement", file, BEGIN)?;
    let named = |error: serde_json::Error| {
        Failure::usage(format!("{}: {error}", file.display())).cure(BEGIN)
    };
    let draft: Value = serde_json::from_str(&text).map_err(named)?;
    let document = match serde_json::from_value::<Signed>(draft.clone()) {
        Ok(signed) => signed.document,
        Err(_) => unsigned(&draft).clone(),
    };
    let agreement: Agreement = serde_json::from_value(document.clone()).map_err(named)?;
    Ok((document, Draft { file: file.to_owned(), agreement }))
}

fn read(what: &str, file: &Path, cure: &str) -> Result<String, Failure> {
    fs::read_to_string(file).map_err(|error| Failure::io(what, file, &error).cure(cure))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_not_be_signed_names_its_file_and_what_helps() {
        let shipped = include_str!("../../connectors/o9/agreement/o9-sandbox.json");
        let signed: Signed = serde_json::from_str(shipped).unwrap();
        let now = "2026-11-25T06:10:00Z".parse().unwrap();
        let ends = |at: &str, expires: &str| {
            let mut document = signed.document.clone();
            document["approved"]["at"] = at.into();
            document["approved"]["expires"] = expires.into();
            let agreement: Agreement = serde_json::from_value(document).unwrap();
            holds_some_time(Path::new("ours.json"), &agreement, now)
        };
        let (before, after) = ("2026-11-01T00:00:00Z", "2027-11-01T00:00:00Z");
        ends(before, after).unwrap();
        for (at, expires) in
            [(before, "2026-11-25T06:10:00Z"), (after, after), ("2028-01-01T00:00:00Z", after)]
        {
            let said = ends(at, expires).unwrap_err();
            assert_eq!(said.exit, Exit::Usage);
            assert!(said.message.starts_with("ours.json: approved.expires"), "{said}");
            assert!(!said.cure.is_empty(), "{said}");
        }
        let nowhere = Path::new("no-such-folder/draft.json");
        for said in [drafted(nowhere).unwrap_err(), read("read the key", nowhere, KEY).unwrap_err()]
        {
            assert!(said.exit == Exit::Usage && !said.cure.is_empty(), "{said}");
            assert!(said.message.contains("no-such-folder/draft.json"), "{said}");
        }
    }
}
