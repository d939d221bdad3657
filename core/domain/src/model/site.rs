//! Sites: where days, weeks and months begin.

use jiff::civil::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Calendar, Plant};

/// A site of the plant in a zone of its own. A calendar names its site, and what
/// works by the calendar stands there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// Name, referred to by calendars.
    pub id: String,
    /// IANA zone of the site: days, weeks and months of its resources begin here.
    pub zone: String,
    /// Local time at which a production day begins; the plant's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day_start: Option<Time>,
}

impl Plant {
    /// The site called `id`.
    #[must_use]
    pub fn site(&self, id: &str) -> Option<&Site> {
        self.sites.iter().find(|site| site.id == id)
    }

    /// In which zone, and at which local time, the days begin of what works by
    /// `calendar`: those of its site, or of the plant. A calendar's own zone moves
    /// its shifts only.
    #[must_use]
    pub fn days_of(&self, calendar: &str) -> (&str, Time) {
        let site = self.calendar(calendar).and_then(|calendar| calendar.site.as_deref());
        match site.and_then(|id| self.site(id)) {
            Some(site) => (&site.zone, site.day_start.unwrap_or(self.day_start)),
            None => (&self.zone, self.day_start),
        }
    }

    /// Every zone in which something is placed, each once, in order.
    #[must_use]
    pub fn zones(&self) -> Vec<&str> {
        let shifts = self.calendars.iter().filter_map(|calendar| calendar.zone.as_deref());
        let sites = self.sites.iter().map(|site| site.zone.as_str());
        let mut zones: Vec<&str> = shifts.chain(sites).chain([self.zone.as_str()]).collect();
        zones.sort_unstable();
        zones.dedup();
        zones
    }
}

impl Calendar {
    /// The zone of its shifts: its own, its site's, or the plant's.
    #[must_use]
    pub fn zone_in<'a>(&'a self, plant: &'a Plant) -> &'a str {
        self.zone.as_deref().unwrap_or_else(|| plant.days_of(&self.id).0)
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        calendar::{Bounds, span::instant},
        decode::Facts,
        derive::derive,
        fixture,
    };
    use planthread_contracts::PeriodKind;

    use super::*;

    /// M1 at home in Berlin; M2 in Chicago, where days begin at six; M3 by a
    /// calendar whose shifts follow the clock of Chicago, at home.
    #[test]
    fn periods_begin_in_the_zone_of_the_site_and_shifts_in_that_of_the_calendar() {
        let mut plant = fixture::plant();
        let day_start = Some(jiff::civil::time(6, 0, 0, 0));
        plant.sites = vec![Site { id: "US".into(), zone: "America/Chicago".into(), day_start }];
        let home = plant.calendars[0].clone();
        let there = Calendar { id: "there".into(), site: Some("US".into()), ..home.clone() };
        let zone = Some("America/Chicago".to_owned());
        let follows = Calendar { id: "follows".into(), zone, ..home };
        plant.calendars.extend([there, follows]);
        plant.resources[1].calendar = "there".into();
        plant.resources[2].calendar = "follows".into();
        for resource in &mut plant.resources {
            resource.standard_availability = Some(rust_decimal::Decimal::ONE);
        }
        assert_eq!(plant.validate(), []);
        let as_of = "2026-11-22T23:00:00Z".parse().unwrap();
        let facts = Facts::default().seal();
        let derived = derive(&plant, &facts, as_of, &[PeriodKind::Week]).unwrap();
        let week = "2026-W49".parse().unwrap();
        let starts = ["M1", "M2", "M3"].map(|id| {
            let one = derived.get(id, week).unwrap();
            (one.start.to_string(), one.zone.to_string())
        });
        let berlin = ("2026-11-29T23:00:00Z".to_owned(), "Europe/Berlin".to_owned());
        let chicago = ("2026-11-30T12:00:00Z".to_owned(), "America/Chicago".to_owned());
        assert_eq!(starts, [berlin.clone(), chicago, berlin]);
        assert_eq!(plant.calendars[2].zone_in(&plant), "America/Chicago");
        assert_eq!(plant.calendars[1].zone_in(&plant), "America/Chicago");
        let bounds = Bounds::new("America/Chicago", jiff::civil::time(6, 0, 0, 0)).unwrap();
        assert_eq!(instant(bounds.span(week).unwrap().start).to_string(), "2026-11-30T12:00:00Z");
        plant.calendars[1].site = Some("UK".into());
        assert_eq!(plant.validate()[0].path, "calendars[1].site");
    }
}
