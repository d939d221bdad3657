//! `planthread apply [FILE]`

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use planthread_engine::verify::Which;

use super::Context;
use crate::{
    config::Target,
    failure::{Exit, Failure},
    pipeline::{Course, plan_header},
    report::applied::{Delivered, Deliveries},
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The plan file; without it a plan is made now and applied
    file: Option<PathBuf>,
    /// Only this target, when the plan is made now
    #[arg(long, value_name = "NAME", conflicts_with = "file")]
    target: Option<String>,
    /// Where cells have moved since the plan, send the others, and end with 1
    #[arg(long)]
    only_unmoved: bool,
}

/// What helps where there is no such plan: a target that was meant stands in its place.
fn helped(failure: Failure, file: &Path, targets: &BTreeMap<String, Target>) -> Failure {
    let names: Vec<&str> = targets.keys().map(String::as_str).collect();
    let word = file.display().to_string();
    let cure = match (failure.cure.is_empty(), names.contains(&word.as_str())) {
        (false, _) => return failure,
        (true, true) => format!("for the target alone: `planthread apply --target {word}`"),
        (true, false) => format!(
            "name a file that `planthread plan --output FILE` wrote; for one target alone: \
             `planthread apply --target NAME`, and the configuration has: {}",
            names.join(", ")
        ),
    };
    failure.cure(cure)
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let bridge = context.bridge()?;
    let only_unmoved = args.only_unmoved;
    let done = context.block_on(async {
        if let Some(file) = &args.file {
            let header = plan_header(file)
                .map_err(|failure| helped(failure, file, &bridge.loaded.config.targets))?;
            let targets = [bridge.target(Some(&header.target))?];
            let course = Course::Given { file, as_of: header.as_of, only_unmoved };
            return Ok(bridge.walk_all(&targets, course).await);
        }
        let targets = bridge.targets(args.target.as_deref())?;
        let truth = bridge.truth(bridge.as_of())?;
        let course = Course::Land { truth: &truth, only_unmoved, read_back: Which::Unproven };
        Ok(bridge.walk_all(&targets, course).await)
    })?;
    context.screen.show(&Deliveries { targets: done.into_iter().map(Delivered::from).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config, registry::TARGETS, starter};

    #[test]
    fn a_name_in_the_place_of_a_plan_is_told_how_it_is_meant() {
        let text = starter::config(&[&TARGETS[0]]);
        let loaded = config::parse(&text, Path::new("/etc/pt/planthread.yaml"), None).unwrap();
        let said = |word: &str| {
            let file = Path::new(word);
            let failure = plan_header(file).unwrap_err();
            helped(failure, file, &loaded.config.targets).cure
        };
        let name = loaded.config.targets.keys().next().unwrap();
        assert!(said(name).ends_with(&format!("`planthread apply --target {name}`")));
        let cure = said("maestro-of-old");
        assert!(cure.contains("plan --output") && cure.ends_with(name.as_str()), "{cure}");
    }
}
