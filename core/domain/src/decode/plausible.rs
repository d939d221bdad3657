//! Times that can't be: too far from the record's arrival, or before the source
//! began to tell.

use planthread_contracts::RawRecord;

use super::{Cause, Decoder, Refusal, SourceIndex};
use crate::{
    calendar::span::instant,
    model::{Plausible, SourceFormat},
};

const DAY_MS: i64 = 86_400_000;
const MINUTE_MS: i64 = 60_000;

impl Decoder<'_> {
    /// Refuses a time that can't be. Ask after everything else: who is only too
    /// early is taken once the clocks are right.
    pub(super) fn timely(
        &self,
        source: SourceIndex,
        record: &RawRecord,
        at: i64,
        field: &str,
    ) -> Result<(), Refusal> {
        let declared = &self.plant.sources[usize::from(source.0)];
        let Plausible { past_days, ahead_minutes } = declared.plausible;
        let ahead = at - record.received_at.as_millisecond();
        let (past_ms, ahead_ms) =
            (i64::from(past_days) * DAY_MS, i64::from(ahead_minutes) * MINUTE_MS);
        if -ahead > past_ms {
            return Err(Refusal::new(
                field,
                format!(
                    "{} is {} days before its arrival at {}; {past_days} are plausible",
                    instant(at),
                    -ahead / DAY_MS,
                    record.received_at,
                ),
                "set the clock of the source right (an empty battery sets it back), or raise the \
                 source's `plausible.past_days`; then `planthread retry`",
            ));
        }
        if let SourceFormat::MachineEvents(events) = &declared.reader
            && let Some(begins) = &events.begins
            && at < begins.at.as_millisecond()
        {
            return Err(Refusal::new(
                field,
                format!(
                    "{} is before {}, from when the source tells everything: the state at that \
                     instant is declared",
                    instant(at),
                    begins.at,
                ),
                "set the clock of the source right, or let its `begins.at` be earlier; then \
                 `planthread retry`",
            ));
        }
        if ahead > ahead_ms {
            let refusal = Refusal::new(
                field,
                format!(
                    "quarantined: {} is {} s ahead of its arrival at {}; {} s are allowed",
                    instant(at),
                    ahead / 1_000,
                    record.received_at,
                    ahead_ms / 1_000,
                ),
                "set the clock of the source right, then `planthread retry`",
            );
            return Err(Refusal { cause: Cause::Early, ..refusal });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use planthread_contracts::Origin;

    use super::*;
    use crate::{
        decode::{Facts, Taken},
        fixture,
        model::Plant,
    };

    fn take(plant: &Plant, source: &str, body: &str) -> Taken {
        let record = RawRecord {
            source: source.into(),
            id: "1".into(),
            media_type: "text/csv".into(),
            body: body.into(),
            received_at: "2026-11-22T22:00:00Z".parse().unwrap(),
            origin: Origin { place: "f.csv".into(), line: 7 },
        };
        Decoder::new(plant).unwrap().take(&record, &mut Facts::default())
    }

    fn refused(plant: &Plant, source: &str, body: &str) -> String {
        match take(plant, source, body) {
            Taken::Never(rejected) => format!("{}; {}", rejected.reason, rejected.cure),
            other => panic!("{body}: {other:?}"),
        }
    }

    #[test]
    fn a_row_before_the_declared_beginning_is_refused_to_the_millisecond() {
        let plant = fixture::plant();
        let before = refused(&plant, "events", "2026-09-27T21:59:00Z,M1,failure");
        assert!(
            before.contains("2026-09-27T22:00:00Z") && before.contains("begins.at"),
            "{before}"
        );
        refused(&plant, "events", "2026-09-27T21:59:59.999Z,M1,failure");
        assert!(matches!(take(&plant, "events", "2026-09-27T22:00:00Z,M1,failure"), Taken::Now(_)));
    }

    #[test]
    fn the_date_of_an_empty_battery_is_refused_where_nothing_else_tells() {
        let mut plant = fixture::plant();
        let row = "2000-01-01T00:03:10Z,M1,60";
        assert!(refused(&plant, "counts", row).contains("9822 days before its arrival"));
        plant.sources[1].plausible.past_days = 10_000;
        assert!(matches!(take(&plant, "counts", row), Taken::Now(_)));
        plant.sources[1].plausible.past_days = 1;
        assert!(refused(&plant, "counts", "2026-11-21T20:00:00Z,M1,60").contains("1 days"));
    }

    #[test]
    fn how_far_ahead_is_the_sources_own() {
        let mut plant = fixture::plant();
        let row = "2026-11-22T22:20:00Z,M1,failure";
        assert!(matches!(take(&plant, "events", row), Taken::Early(_)));
        plant.sources[0].plausible.ahead_minutes = 20;
        assert!(matches!(take(&plant, "events", row), Taken::Now(_)));
        // What is wrong anyway does not wait.
        refused(&plant, "events", "2026-11-23T22:20:00Z,M1,lunch");
        refused(&plant, "events", "2026-11-23T22:20:00Z,M9,failure");
    }
}
