//! `planthread asof INSTANT [TARGET] [--compare now|INSTANT]`

use jiff::Timestamp;

use super::Context;
use crate::{
    failure::{Exit, Failure},
    pipeline::compared::{self, Between, Difference},
    report::compared::AsOfView,
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The instant before: what was known as of it
    #[arg(value_name = "INSTANT")]
    was: Timestamp,
    /// The configured target; without it every target is compared
    target: Option<String>,
    /// The instant after, or `now` for whatever is known
    #[arg(long, value_name = "INSTANT", default_value = "now", value_parser = instant)]
    compare: Instant,
    /// Only this measure, by our name of it
    #[arg(long, value_name = "NAME")]
    measure: Option<String>,
    /// End with 1 when a value is another one, and with 0 when none is
    #[arg(long)]
    detailed_exitcode: bool,
}

/// An instant, or whatever is known now.
#[derive(Debug, Clone, Copy)]
struct Instant(Option<Timestamp>);

fn instant(text: &str) -> Result<Instant, String> {
    if text == "now" {
        return Ok(Instant(None));
    }
    let wrong = |_| "write `now`, or an instant with its offset: 2026-12-01T05:30+01:00".to_owned();
    text.parse().map(|at| Instant(Some(at))).map_err(wrong)
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let loaded = context.config()?;
    let now = context.clock.now();
    let Instant(is) = args.compare;
    let after = is.unwrap_or(now);
    if args.was > after || after > now {
        let text = format!("{} and {after} are not compared: it is {now}", args.was);
        return Err(Failure::usage(text).cure("name an instant that is over, and a later one"));
    }
    let names = context.names(&loaded, args.target.as_deref())?;
    let _doing = context.board.doing("", "reading what was known");
    let between = Between { was: args.was, is, measure: args.measure.as_deref(), now };
    // Many lines: one object each, so that nothing of them is kept.
    let mut each = |one: &Difference| match context.screen.json {
        true => context.screen.show(one).map(drop),
        false => Ok(()),
    };
    let targets = compared::asof(&loaded, &names, between, &mut each)?;
    let view = AsOfView { at: now, was: args.was, is, targets };
    let exit = context.screen.show(&view)?;
    let differs = args.detailed_exitcode && view.differs();
    Ok(if exit == Exit::Ok && differs { Exit::Findings } else { exit })
}
