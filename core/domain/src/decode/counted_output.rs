//! Good output that twins counted in a window: OEE elements and throughput.
//!
//! Only what was counted: good pieces of the past. A rate becomes parts by the
//! hours that it is meant for, and only scheduled hours are known to the plant's
//! calendar; running, busy and order hours are the twin's alone, so these rates
//! feed no figure. Nor does ADET, the unplanned down of an OEE record: it is a
//! sum over the window, and where in the window the time lies would have to be
//! invented.

use planthread_contracts::{
    CapacityBasis, Quality, QualityLevel, RawRecord, Unit, Window,
    outputs::{
        oee::Oee,
        throughput::{Counted, RateBasis, Throughput},
    },
};
use rust_decimal::Decimal;

use super::{Decoder, Facts, Feeds, Made, MadeFact, Refusal, SourceIndex, Subject};
use crate::calendar::Span;

/// More parts of a window, or of an hour, than this are no count.
const PARTS_MAX: Decimal = Decimal::from_parts(3_567_587_328, 232, 0, false, 0);
const GOOD: &[&str] = &["good output"];
const ADET: &str = "adet_s feeds no figure: it does not say when in the window";

/// Good quantities of OEE elements.
pub(super) fn of_oee(
    decoder: &Decoder<'_>,
    source: SourceIndex,
    record: &RawRecord,
    oee: &Oee,
    facts: &mut Facts,
) -> Result<Feeds, Refusal> {
    const KIND: &str = "oee";
    let subject = decoder.subject(source, &oee.resource.id, "data.resource.id")?;
    let Some(subject) = decoder.counter(subject) else {
        return Ok(Feeds::nothing(KIND, "the line names no counter of the plant"));
    };
    if oee.output.is_empty() {
        return Ok(Feeds::nothing(KIND, "it tells no quantities"));
    }
    if let Some(made) = oee.output.iter().find(|made| made.unit != Unit::Piece) {
        return Ok(Feeds::nothing(KIND, format!("{} are no pieces (H87)", made.unit)));
    }
    if let Some(why) = too_little_seen(decoder, &oee.quality) {
        return Ok(Feeds::nothing(KIND, why));
    }
    let parts = oee.output.iter().try_fold(Decimal::ZERO, |sum, made| sum.checked_add(made.gq));
    let Some(parts) = parts.filter(|parts| *parts <= PARTS_MAX) else {
        return Ok(Feeds::nothing(KIND, "its quantities are out of range"));
    };
    let until = oee.source.observed_until.as_millisecond();
    let Some(interval) = observed(oee.window, until) else {
        return Ok(Feeds::nothing(KIND, "its window has not begun"));
    };
    decoder.timely(source, record, interval.start, "data.window.start")?;
    let said = Said { subject, source, until, record };
    facts.made.push(said.fact(interval, Made::Parts(parts)));
    let mut feeds = Feeds::figures(KIND, GOOD);
    if oee.adet_s.is_some() {
        feeds.note = ADET.into();
    }
    Ok(feeds)
}

/// Good pieces per scheduled hour.
pub(super) fn of_throughput(
    decoder: &Decoder<'_>,
    source: SourceIndex,
    record: &RawRecord,
    rate: &Throughput,
    facts: &mut Facts,
) -> Result<Feeds, Refusal> {
    const KIND: &str = "throughput";
    let named = decoder.subject(source, &rate.resource.id, "data.resource.id")?;
    let hours = match rate.rate_basis {
        RateBasis::PerScheduledHour => None,
        RateBasis::PerRunningHour => Some("running"),
        RateBasis::PerBusyHour => Some("busy"),
        RateBasis::PerOrderHour => Some("order"),
    };
    let why = match (rate.counted, rate.basis, hours) {
        (Counted::Gross, ..) => Some("gross parts are never good output".to_owned()),
        (_, basis, _) if basis != CapacityBasis::Actual => {
            Some("it is foretold, not counted".to_owned())
        }
        (.., Some(hours)) => Some(format!("nobody tells how many {hours} hours there were")),
        _ if rate.unit != Unit::Piece => Some(format!("{} are no pieces (H87)", rate.unit)),
        _ if rate.rate_per_hour > PARTS_MAX => Some("its rate is out of range".to_owned()),
        _ => too_little_seen(decoder, &rate.quality),
    };
    if let Some(why) = why {
        return Ok(Feeds::nothing(KIND, why));
    }
    let Some(subject) = decoder.counter(named).filter(|_| decoder.shares_its_calendar(named))
    else {
        return Ok(Feeds::nothing(KIND, "the line's counter works by another calendar"));
    };
    let until = rate.source.observed_until.as_millisecond();
    let Some(interval) = observed(rate.window, until) else {
        return Ok(Feeds::nothing(KIND, "its window has not begun"));
    };
    decoder.timely(source, record, interval.start, "data.window.start")?;
    let said = Said { subject, source, until, record };
    facts.made.push(said.fact(interval, Made::PerScheduledHour(rate.rate_per_hour)));
    Ok(Feeds::figures(KIND, GOOD))
}

/// Who said it, and when.
struct Said<'a> {
    subject: Subject,
    source: SourceIndex,
    until: i64,
    record: &'a RawRecord,
}

impl Said<'_> {
    fn fact(&self, interval: Span, made: Made) -> MadeFact {
        MadeFact {
            subject: self.subject,
            source: self.source,
            interval,
            made,
            issued: self.until,
            received: self.record.received_at.as_millisecond(),
        }
    }
}

/// The part of the window that the twin had observed: parts are never spread
/// over time that nobody has seen.
fn observed(window: Window, until: i64) -> Option<Span> {
    let (start, end) = (window.start.as_millisecond(), window.end.as_millisecond().min(until));
    (start < end).then_some(Span { start, end })
}

/// Why a window does not count: half a count is another number.
fn too_little_seen(decoder: &Decoder<'_>, quality: &Quality) -> Option<String> {
    let least = decoder.plant.rules.min_coverage;
    if quality.worst == QualityLevel::Bad {
        return Some("the twin calls its input bad".to_owned());
    }
    (quality.coverage < least).then(|| {
        format!(
            "only {} of the window was seen; {least} is asked for",
            quality.coverage.normalize()
        )
    })
}

impl Decoder<'_> {
    /// The machine at which `subject` is counted: itself, or of a line its
    /// counter.
    fn counter(&self, subject: Subject) -> Option<Subject> {
        match self.line_of(subject) {
            Some(line) => self.subjects.get(line.counter.as_str()).copied(),
            None => Some(subject),
        }
    }

    /// Whether scheduled hours of `subject` are those of its counter.
    fn shares_its_calendar(&self, subject: Subject) -> bool {
        self.line_of(subject).is_none_or(|line| {
            let counter = self.plant.resource(&line.counter);
            counter.is_some_and(|counter| counter.calendar == line.calendar)
        })
    }

    fn line_of(&self, subject: Subject) -> Option<&crate::model::Line> {
        let position = usize::try_from(subject.0).ok()?;
        self.plant.lines.get(position.checked_sub(self.plant.resources.len())?)
    }
}
