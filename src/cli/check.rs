//! `planthread check TARGET`

use std::collections::BTreeMap;

use jiff::Timestamp;
use planthread_contracts::{MeasureDecl, RevisionState};
use planthread_domain::{
    model::{Mapping, Plant},
    project::coverage,
};
use planthread_engine::{
    EngineError, Reader,
    ledger::{self, CellView},
};
use planthread_kit::{Finding, target::Certificates};

use super::Context;
use crate::{
    config::{self, Loaded},
    failure::{Exit, Failure},
    pipeline::{OpenTarget, certificates, gap::ahead},
    report::target::{Checked, Landed},
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configured target; may be left out when there is only one
    target: Option<String>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let loaded = context.config()?;
    let target = context.open(&loaded, args.target.as_deref())?;
    let mut discovery = context.discover(&target)?;
    let now = context.clock.now();
    let named = certificates(&loaded, &target.name, &target.config);
    discovery.findings.extend(named.iter().map(|one| of_certificates(one, now)));
    discovery.findings.extend(of_mapping(
        &loaded.config.plant,
        &target.config.mapping,
        &discovery.resources,
    ));
    // A load that can't be read beside other faults says nothing of its own.
    if discovery.findings.iter().all(|finding| finding.ok) {
        discovery.findings.extend(of_load(context, &loaded, &target)?);
    }
    for finding in discovery.findings.iter_mut().filter(|finding| !finding.ok) {
        say_where(&loaded, &target, finding);
    }
    let landed = landed(context, &loaded, &target)?;
    context.screen.show(&Checked::of(target.connector.info(), discovery, &landed))
}

/// A remark on the mapping: wrong where it names what the target does not list. A target
/// that lists nothing says nothing of it.
fn of_mapping(plant: &Plant, mapping: &Mapping, listed: &[(String, String)]) -> Option<Finding> {
    /// Places that are named.
    const NAMED: usize = 5;
    if listed.is_empty() {
        return None;
    }
    let covered = coverage(plant, mapping, listed);
    let unknown = covered.unknown_targets;
    let named = |(resource, location): &(String, String)| format!("{resource}@{location}");
    let first = unknown.iter().take(NAMED).map(named).collect::<Vec<_>>().join(", ");
    let more = match unknown.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let (ok, text, cure) = match unknown.is_empty() {
        true => (true, "the target lists each mapped resource and location".to_owned(), ""),
        false => (
            false,
            format!("the target does not list what the mapping names: {first}{more}"),
            "correct `mapping.rows`, or let them be created there: `planthread map coverage`",
        ),
    };
    let cure = cure.to_owned();
    Some(Finding { line: String::new(), ok, proven: true, needs: None, text, cure })
}

/// A remark where the load that `gap` needs reads nothing at all, or can't be read: the
/// field's line says that a key reads it, and that is all that it says.
fn of_load(
    context: &Context,
    loaded: &Loaded,
    target: &OpenTarget,
) -> Result<Option<Finding>, Failure> {
    let now = context.clock.now();
    let found = context.block_on(async { Ok(ahead::load_ahead(target, now).await) })?;
    let (text, cure) = match found {
        Ok(None | Some((_, 1..))) => return Ok(None),
        Ok(Some((load, 0))) => empty_load(load),
        Err(error) => {
            let failure = Failure::from(error);
            (format!("the load that `gap` needs can't be read: {}", failure.message), failure.cure)
        }
    };
    let place = config::place(loaded, &format!("targets.{}.gap.load", target.name));
    let place = place.map_or_else(String::new, |place| format!("; it stands in {place}"));
    let cure = format!("{cure}{place}");
    Ok(Some(Finding { line: String::new(), ok: false, proven: true, needs: None, text, cure }))
}

fn empty_load(load: &MeasureDecl) -> (String, String) {
    let MeasureDecl { name, surface, .. } = load;
    let weeks = ahead::WEEKS;
    (
        format!(
            "`gap` compares nothing: its load `{name}` ({surface}) holds no value for any mapped \
             line in the next {weeks} weeks"
        ),
        "let the plan be calculated there, or read the load where the plan holds it: compare \
         `gap.load` with where your planners see it"
            .to_owned(),
    )
}

/// Says where the setting stands that a cure names, as in `auth.scope`; else the measure
/// that the line is about.
fn say_where(loaded: &Loaded, target: &OpenTarget, finding: &mut Finding) {
    let settings = &target.config.settings;
    let is_set = |word: &&str| settings.pointer(&format!("/{}", word.replace('.', "/"))).is_some();
    let mut named = finding.cure.split('`').skip(1).step_by(2);
    let field = named.find_map(|word| match word {
        "scope" | "mapping.rows" => Some(word.to_owned()),
        word => is_set(&word).then(|| format!("settings.{word}")),
    });
    let field = field.or_else(|| Some(format!("measures[{}]", measure_of(target, &finding.line)?)));
    let place = field.map(|field| format!("targets.{}.{field}", target.name));
    if let Some(place) = place.and_then(|place| config::place(loaded, &place)) {
        finding.cure.push_str(&format!("; it stands in {place}"));
    }
}

/// Which measure of the target a line of its sheet is about, by the line's id.
fn measure_of(target: &OpenTarget, line: &str) -> Option<usize> {
    let of = line.strip_prefix("measure.").unwrap_or(line);
    let about = |name: &str| {
        of.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let about = |at: &usize| about(&target.config.measures[*at].name);
    // Of `lost` and `lost.low` the longer name is meant where it fits.
    let fitting = (0..target.config.measures.len()).filter(about);
    fitting.max_by_key(|at| target.config.measures[*at].name.len())
}

/// A remark on certificates: wrong where they end within thirty days.
fn of_certificates(certificates: &Certificates, now: Timestamp) -> Finding {
    let Certificates { target, what, file, ends } = certificates;
    let end = ends.map_or_else(String::new, |ends| format!(" ends at {ends}"));
    let fine = format!("{target}: the {} certificate in {file}{end}", what.replace('_', " "));
    let (ok, text, cure) = match certificates.remark(now) {
        // The line names the target.
        Some((text, cure)) => {
            let text = text.strip_prefix(&format!("{target}: ")).unwrap_or(&text).to_owned();
            (false, text, cure.to_owned())
        }
        None => (true, fine, String::new()),
    };
    Finding { line: String::new(), ok, proven: true, needs: None, text, cure }
}

/// What was landed of each measure so far; nothing where there is no state yet.
fn landed(
    context: &Context,
    loaded: &Loaded,
    target: &OpenTarget,
) -> Result<BTreeMap<String, Landed>, Failure> {
    let mut landed: BTreeMap<String, Landed> = BTreeMap::new();
    let reader = match Reader::open(&loaded.config.state) {
        Ok(reader) => reader,
        Err(EngineError::NoState(_)) => return Ok(landed),
        Err(error) => return Err(error.into()),
    };
    ledger::cells(&reader, context.clock.now(), &mut |cell: CellView| {
        let ours = cell.key.target == target.name && cell.key.scope == target.scope.name();
        if ours && cell.accepted_revision > 0 {
            let of = landed.entry(cell.key.measure.into()).or_default();
            of.accepted += 1;
            let current = cell.accepted_revision == cell.revision;
            of.seen += u64::from(current && cell.state == RevisionState::Seen);
        }
        Ok(())
    })?;
    Ok(landed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config, registry::TARGETS, starter::Starter};

    #[test]
    fn a_cure_that_names_a_setting_says_where_it_stands() {
        let folder = std::env::temp_dir().join(format!("planthread-where-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let now = "2026-11-25T06:10:00Z".parse().unwrap();
        let starter = Starter::new(&folder, now);
        starter.write(now, &[(&TARGETS[0], None)]).unwrap();
        let loaded = config::load(&starter.config, None).unwrap();
        let clock = std::sync::Arc::new(planthread_kit::VirtualClock::new(now, 1));
        let opener = crate::pipeline::Opener::new(clock).offline();
        let target = opener.open(&loaded, None).unwrap();
        let told = |line: &str, cure: &str| {
            let (line, text, cure) = (line.to_owned(), String::new(), cure.to_owned());
            let mut found = Finding { line, ok: false, proven: true, needs: None, text, cure };
            say_where(&loaded, &target, &mut found);
            found.cure
        };
        let said = |cure: &str| told("", cure);
        let text = std::fs::read_to_string(&starter.config).unwrap();
        let line_of = |begins: &str| {
            let at = text.lines().position(|line| line.trim().starts_with(begins));
            format!("; it stands in planthread.yaml:{}", 1 + at.unwrap())
        };
        let scope = said("create the version, or correct `scope`");
        assert!(scope.ends_with(&line_of("scope:")), "{scope}");
        for line in ["measure.risk", "measure.risk.level", "risk"] {
            let field = told(line, "correct `surface`");
            assert!(field.ends_with(&line_of("- { name: risk,")), "{line}: {field}");
        }
        assert_eq!(told("measure.risky", "correct it"), "correct it");
        let at = 1 + text.lines().position(|line| line.trim().starts_with("user:")).unwrap();
        let cure = said("let `planthread` look at `auth.user` and `auth.password`");
        assert!(cure.ends_with(&format!("; it stands in planthread.yaml:{at}")), "{cure}");
        assert_eq!(said("look at `no.such`"), "look at `no.such`");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn what_is_mapped_and_not_listed_is_named_and_an_empty_list_says_nothing() {
        let folder = std::env::temp_dir().join(format!("planthread-check-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let now = "2026-11-25T06:10:00Z".parse().unwrap();
        Starter::new(&folder, now).write(now, &[(&TARGETS[0], None)]).unwrap();
        let loaded = config::load(&folder.join("planthread.yaml"), None).unwrap();
        let target = loaded.config.targets.values().next().unwrap();
        let found =
            |listed: &[(String, String)]| of_mapping(&loaded.config.plant, &target.mapping, listed);
        let mut listed: Vec<(String, String)> = target
            .mapping
            .rows
            .iter()
            .map(|row| (row.resource.clone(), row.location.clone()))
            .collect();
        assert!(found(&listed).unwrap().ok);
        let (resource, location) = listed.pop().unwrap();
        let missing = found(&listed).unwrap();
        assert!(!missing.ok && missing.text.contains(&format!("{resource}@{location}")));
        assert!(missing.cure.contains("map coverage"), "{missing:?}");
        assert!(found(&[]).is_none());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
