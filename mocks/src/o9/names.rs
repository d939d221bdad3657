//! What the tenant calls its things: the demo's names, or a shape's.

use planthread_contracts::PeriodKind;

use super::model::{APP, GROUP, LEAVES, TENANT, VERSION, WORKING_VIEW, level_of};
use crate::sdk::{SandboxShape, SetupError};

/// The names that a sandbox takes over from a target.
#[derive(Debug, Clone)]
pub(super) struct Names {
    /// The tenant, as it stands in a path.
    pub(super) tenant: String,
    /// The application.
    pub(super) app: String,
    /// The measure group of all its facts.
    pub(super) group: String,
    /// The version that signals land in.
    pub(super) version: String,
}

impl Names {
    /// The demo's, or those of a shape.
    pub(super) fn of(shape: Option<&SandboxShape>) -> Result<Self, SetupError> {
        let Some(shape) = shape else { return Ok(Self::demo()) };
        fits(shape)?;
        let demo = Self::demo();
        let said = |path: &str, demo: String| shape.setting(path).map_or(demo, str::to_owned);
        let tenant = shape.settings.get("tenant").map(|tenant| match tenant.as_str() {
            Some(text) => text.to_owned(),
            None => tenant.to_string(),
        });
        let version = shape.scope.name();
        Ok(Self {
            tenant: tenant.unwrap_or(demo.tenant),
            app: said("app", demo.app),
            group: said("model.group", demo.group),
            version: if version.is_empty() { demo.version } else { version.to_owned() },
        })
    }

    fn demo() -> Self {
        let [tenant, app, group, version] = [TENANT, APP, GROUP, VERSION].map(str::to_owned);
        Self { tenant, app, group, version }
    }
}

/// Whether the sandbox can stand in for a target: dimensions, levels and the names of
/// periods are its own, and a period has one name only.
fn fits(shape: &SandboxShape) -> Result<(), SetupError> {
    let kind = shape.measures.first().map_or(PeriodKind::Week, |measure| measure.level);
    let mut ours = vec![
        ("model.base_version".to_owned(), WORKING_VIEW),
        ("model.time.dimension".to_owned(), "Time"),
        ("model.time.level".to_owned(), level_of(kind)),
        ("model.time.member".to_owned(), form_of(kind)),
    ];
    for (path, (dimension, level)) in ["version", "resource", "location"].iter().zip(LEAVES) {
        ours.push((format!("model.{path}.dimension"), dimension));
        ours.push((format!("model.{path}.level"), level));
    }
    let other = ours.iter().find_map(|(path, ours)| {
        let said = shape.setting(path).filter(|said| said != ours)?;
        Some(format!(
            "its {path} is {said}, the sandbox's is {ours}: name that in the profile that you \
             rehearse with"
        ))
    });
    match other {
        None => Ok(()),
        Some(reason) => Err(SetupError::Shape { target: shape.target.clone(), reason }),
    }
}

/// How the sandbox names periods of a kind, in the words of the target's settings.
const fn form_of(kind: PeriodKind) -> &'static str {
    match kind {
        PeriodKind::Day => "{yyyy}-{mm}-{dd}",
        PeriodKind::Week => "W{ww}-{yyyy}",
        PeriodKind::TechnicalWeek => "{yyyy}{ww}{part}",
        PeriodKind::Month => "M{mm}-{yyyy}",
    }
}

#[cfg(test)]
mod tests {
    use planthread_contracts::Period;

    use super::{super::model::member, *};

    #[test]
    fn the_forms_are_those_of_the_members() {
        for (text, yyyy, rest) in [
            ("2026-12-07", "2026", ["mm=12", "dd=07"]),
            ("2026-W50", "2026", ["ww=50", ""]),
            ("2026-W50a", "2026", ["ww=50", "part=A"]),
            ("2026-12", "2026", ["mm=12", ""]),
        ] {
            let period: Period = text.parse().unwrap();
            let mut named = form_of(period.kind()).replace("{yyyy}", yyyy);
            for (field, value) in rest.iter().filter_map(|pair| pair.split_once('=')) {
                named = named.replace(&format!("{{{field}}}"), value);
            }
            assert_eq!(named, member(period));
        }
    }
}
