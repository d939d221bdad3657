//! The targets that share an address, as their sandbox can be written: their own
//! names, and the sandbox's credentials in place of theirs.

use std::{collections::BTreeMap, path::Path};

use planthread_contracts::Carries;
use planthread_domain::model::MapRow;
use planthread_kit::target::Network;
use planthread_mocks::{SandboxShape, Setup, Simulator};
use serde_json::Value;

use super::folder::Folder;
use crate::{
    config::{self, Config, FirstLanding, Loaded, Policy, Target},
    failure::Failure,
    registry::{Registered, TARGETS},
    sandbox,
};

/// Resources of each target that are rehearsed: faults do not grow with the plant.
const RESOURCES: usize = 6;
/// Most minutes until a write can be read back: less than from one cycle to the next.
const SETTLE_MINUTES: u32 = 15;

/// Targets that share an address.
#[derive(Debug)]
pub(super) struct Tenant {
    /// Their names.
    pub(super) name: String,
    /// Their kind.
    pub(super) registered: &'static Registered,
    /// The configuration with these targets only, fit for a rehearsal.
    pub(super) loaded: Loaded,
    shape: SandboxShape,
    /// Credentials and agreements of the sandbox.
    _folder: Folder,
}

/// The tenants of a configuration, in the order of their first targets.
///
/// # Errors
/// When a connector's starting point can't be read.
pub(super) fn of(loaded: &Loaded) -> Result<Vec<Tenant>, Failure> {
    let mut groups = BTreeMap::<(&str, String), Vec<(&String, &Target)>>::new();
    for one in &loaded.config.targets {
        let key = (one.1.connector.as_str(), address(&one.1.settings).unwrap_or_default());
        groups.entry(key).or_default().push(one);
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_by_key(|group| group[0].0);
    groups.iter().map(|group| Tenant::new(loaded, group)).collect()
}

impl Tenant {
    fn new(loaded: &Loaded, group: &[(&String, &Target)]) -> Result<Self, Failure> {
        let connector = &group[0].1.connector;
        let registered = TARGETS.iter().find(|one| one.target.name == connector);
        let registered = registered
            .ok_or_else(|| Failure::usage(format!("there is no connector `{connector}`")))?;
        let own = Folder::new()?;
        let starter = starting_point(registered, &own)?;
        let folder = loaded.file.parent().unwrap_or(Path::new("."));
        let fit = |(name, target): &(&String, &Target)| {
            ((*name).clone(), fitted(target, &starter, folder))
        };
        let targets: BTreeMap<String, Target> = group.iter().map(fit).collect();
        // A signal scope says more of the sandbox than base, which is always there.
        let named = targets.iter().find(|(_, target)| !target.scope().is_base());
        let Some((name, target)) = named.or(targets.first_key_value()) else {
            return Err(Failure::internal("a tenant without targets"));
        };
        let mut shape = sandbox::shape_of(name, target);
        for (name, other) in &targets {
            shape.add(sandbox::shape_of(name, other).resources);
        }
        let names: Vec<&str> = targets.keys().map(String::as_str).collect();
        let name = names.join(" + ");
        let config = Config { targets, ..loaded.config.clone() };
        let loaded = Loaded { config, ..loaded.clone() };
        Ok(Self { name, registered, loaded, shape, _folder: own })
    }

    /// The same with files of its own: what one rehearsal made of an agreement is not
    /// known to the next.
    pub(super) fn anew(&self, loaded: &Loaded) -> Result<Self, Failure> {
        let all = loaded.config.targets.iter();
        let group: Vec<_> = all.filter(|(name, _)| self.has(name)).collect();
        Self::new(loaded, &group)
    }

    /// Whether it has the target called `name`.
    pub(super) fn has(&self, name: &str) -> bool {
        self.loaded.config.targets.contains_key(name)
    }

    /// A new sandbox in the shape of these targets.
    pub(super) fn sandbox(&self) -> Result<Box<dyn Simulator>, Failure> {
        let setup = Setup { shape: Some(self.shape.clone()), ..Setup::default() };
        (self.registered.sandbox.build)(&setup).map_err(|error| Failure::usage(error.to_string()))
    }

    /// Whether somebody outside the state would notice that it was put back: each
    /// target has a heartbeat or a pack.
    pub(super) fn has_witness(&self) -> bool {
        let beats = |target: &Target| {
            let mut measures = target.measures.iter();
            measures.any(|one| one.carries == Carries::Heartbeat)
        };
        let mut targets = self.loaded.config.targets.values();
        targets.all(|target| target.pack.is_some() || beats(target))
    }
}

/// The settings with which a connector's starting point finds its sandbox; the files
/// that they name lie in `folder`.
fn starting_point(registered: &Registered, folder: &Folder) -> Result<Value, Failure> {
    folder.put("secrets/sandbox-password", "planthread\n")?;
    for (name, text) in registered.target.starter.files {
        folder.put(name, text)?;
    }
    let text = crate::starter::config(&[registered]);
    let file = folder.put("planthread.yaml", &text)?;
    let mut targets = config::load(&file, None)?.config.targets;
    let target = targets.remove(registered.target.starter.name());
    let target = target.ok_or_else(|| Failure::internal("a starting point without its target"))?;
    let mut settings = target.settings;
    found(&mut settings, &folder.0);
    Ok(settings)
}

/// The first setting that is an address.
fn address(settings: &Value) -> Option<String> {
    let mut texts = settings.as_object()?.values().filter_map(Value::as_str);
    texts.find(|text| text.starts_with("http")).map(str::to_owned)
}

/// The target as a rehearsal needs it.
fn fitted(target: &Target, starter: &Value, folder: &Path) -> Target {
    let mut target = target.clone();
    let (from, to) = (address(starter), address(&target.settings));
    let origin = from.as_deref().map(origin_of).unwrap_or_default();
    let here =
        to.as_deref().map_or_else(String::new, |url| url.replacen(origin_of(url), origin, 1));
    if let Value::Object(fields) = &mut target.settings {
        for name in ["auth", "agreement"] {
            let Some(ours) = starter.get(name) else { continue };
            let mut ours = ours.clone();
            replace(&mut ours, from.as_deref().unwrap_or_default(), &here);
            fields.insert(name.to_owned(), ours);
        }
        for (_, value) in fields.iter_mut() {
            replace(value, to.as_deref().unwrap_or_default(), &here);
            found(value, folder);
        }
    }
    // What people decided about days and hours is not what is rehearsed.
    let settle_minutes = target.policy.settle_minutes.min(SETTLE_MINUTES);
    // Before a sandbox nobody is asked.
    let first_landing = FirstLanding::Go;
    target.policy = Policy { settle_minutes, first_landing, ..Policy::default() };
    target.quota.blackouts.clear();
    target.network = Network::default();
    let mut places: Vec<(String, String)> = Vec::new();
    let place = |row: &MapRow| (row.resource.clone(), row.location.clone());
    for row in &target.mapping.rows {
        if !places.contains(&place(row)) {
            places.push(place(row));
        }
    }
    places.truncate(RESOURCES);
    target.mapping.rows.retain(|row| places.contains(&place(row)));
    target
}

/// Scheme, host and port of an address.
fn origin_of(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url[host..].find('/').map_or(url.len(), |at| host + at);
    &url[..end]
}

/// Puts `to` in place of the address `from`, in every text.
fn replace(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::String(text) if !from.is_empty() => *text = text.replacen(from, to, 1),
        Value::Array(all) => all.iter_mut().for_each(|one| replace(one, from, to)),
        Value::Object(fields) => fields.iter_mut().for_each(|(_, one)| replace(one, from, to)),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Files of the configuration's folder are read where they are.
fn found(value: &mut Value, folder: &Path) {
    match value {
        Value::String(text) if text.contains('/') && folder.join(&*text).is_file() => {
            *text = folder.join(&*text).display().to_string();
        }
        Value::Array(all) => all.iter_mut().for_each(|one| found(one, folder)),
        Value::Object(fields) => fields.iter_mut().for_each(|(_, one)| found(one, folder)),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
