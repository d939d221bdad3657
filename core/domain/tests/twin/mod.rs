//! A twin beside the line-simulation example: what its files do not tell.

use jiff::Timestamp;
use planthread_contracts::{Mix, SeverityMethod};
use planthread_domain::{
    Facts, Plant,
    calendar::Span,
    decode::{Forecast, Foretold, SourceIndex, Subject},
    model::{EquipmentState, EventRule, SourceFormat},
};
use rust_decimal::Decimal;

fn ms(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_millisecond()
}

/// `plant` with a twin that foretells week 49 and half of week 50 for its first
/// machine (M1), and tells a severity; its file of events tells standby.
pub(crate) fn told(mut plant: Plant, mut facts: Facts) -> (Plant, Facts) {
    let source = SourceIndex(u16::try_from(plant.sources.len()).unwrap());
    let twin =
        serde_json::json!({ "name": "twin", "authority": 10, "reader": { "cloudevents": {} } });
    plant.sources.push(serde_json::from_value(twin).unwrap());
    for source in &mut plant.sources {
        if let SourceFormat::MachineEvents(events) = &mut source.reader {
            let rule = EventRule {
                rank: 9,
                state: Some(EquipmentState::StandbyStarved),
                unless: Vec::new(),
            };
            events.events.insert("starved".into(), rule);
        }
    }
    let week = |from: &str, to: &str| Span { start: ms(from), end: ms(to) };
    let of = [
        week("2026-11-29T23:00:00Z", "2026-12-06T23:00:00Z"),
        week("2026-12-06T23:00:00Z", "2026-12-10T11:00:00Z"),
    ];
    let about = serde_json::to_string(&(SeverityMethod::Queue, Mix::Observed)).unwrap();
    let issued = ms("2026-11-22T20:00:00Z");
    for (interval, hundredths) in of.into_iter().zip([91, 83]) {
        let mut tell = |what, value, about: &str| {
            facts.forecasts.push(Forecast {
                subject: Subject(0),
                what,
                interval,
                source,
                issued,
                valid_until: ms("2026-12-01T00:00:00Z"),
                value,
                about: about.to_owned(),
            });
        };
        tell(Foretold::UpFraction, Decimal::new(hundredths, 2), "M1");
        tell(Foretold::LowUpFraction, Decimal::new(hundredths - 12, 2), "M1");
        tell(Foretold::FailureProbability, Decimal::new(37, 2), "M1");
        tell(Foretold::RepairHours, Decimal::new(65, 1), "M1");
        tell(Foretold::Severity, Decimal::new(hundredths - 20, 2), &about);
    }
    (plant, facts.seal())
}
