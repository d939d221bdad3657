//! What a schema can't check: relations between fields.

use std::collections::BTreeSet;

use jiff::civil::Time;
use planthread_contracts::Violation;
use rust_decimal::Decimal;

use crate::{derive::figure_name, significance::RELEASED};

use super::{
    Calendar, MapRow, Mapping, Moment, Plant, Shift, ShiftHours, findings::Findings,
    validate_source, validate_voice,
};

/// Every week is derived in every cycle; no plan reaches further.
const WEEKS_MAX: u32 = 520;
const HOURS_MAX: u32 = 87_600;

impl Plant {
    /// Everything that is wrong with the plant's configuration: the path of the
    /// field, the reason, the cure. Empty when it can be used.
    #[must_use]
    pub fn validate(&self) -> Vec<Violation> {
        let mut found = Findings::default();
        found.zone("zone".to_owned(), &self.zone);
        found.unique("sites", "id", self.sites.iter().map(|site| site.id.as_str()));
        for (index, site) in self.sites.iter().enumerate() {
            found.zone(format!("sites[{index}].zone"), &site.zone);
        }
        found.unique("calendars", "id", self.calendars.iter().map(|c| c.id.as_str()));
        let subjects = self.resources.iter().map(|r| r.id.as_str());
        found.unique("resources", "id", subjects.chain(self.lines.iter().map(|l| l.id.as_str())));
        found.unique("sources", "name", self.sources.iter().map(|s| s.name.as_str()));
        for (index, calendar) in self.calendars.iter().enumerate() {
            check_calendar(&mut found, &format!("calendars[{index}]"), calendar);
            if calendar.site.as_deref().is_some_and(|id| self.site(id).is_none()) {
                found.add(
                    format!("calendars[{index}].site"),
                    format!("`{}` is no site", calendar.site.as_deref().unwrap_or_default()),
                    "declare it under `sites`, or correct the name",
                );
            }
        }
        self.check_resources(&mut found);
        self.check_lines(&mut found);
        self.check_maintenance(&mut found);
        self.check_rules(&mut found);
        for (index, source) in self.sources.iter().enumerate() {
            let at = format!("sources[{index}]");
            validate_voice::check(&mut found, &at, source, self);
            validate_source::check(&mut found, &at, source, self);
        }
        found.done()
    }

    fn check_resources(&self, found: &mut Findings) {
        for (index, resource) in self.resources.iter().enumerate() {
            let path = |field: &str| format!("resources[{index}].{field}");
            self.needs_calendar(found, path("calendar"), &resource.calendar);
            if resource.ideal_cycle_seconds.is_some_and(|cycle| cycle <= Decimal::ZERO) {
                found.add(path("ideal_cycle_seconds"), "is not above zero", "give seconds a cycle");
            }
            if resource.parts_per_cycle == 0 || resource.parallel_units == 0 {
                found.add(
                    path("parts_per_cycle"),
                    "zero parts or units make nothing",
                    "write 1 or more",
                );
            }
            if resource.standard_availability.is_some_and(|a| a < Decimal::ZERO || a > Decimal::ONE)
            {
                found.add(
                    path("standard_availability"),
                    "is no fraction from 0 to 1",
                    "write 0.85 for 85 percent",
                );
            }
        }
    }

    fn check_lines(&self, found: &mut Findings) {
        for (index, line) in self.lines.iter().enumerate() {
            let path = |field: &str| format!("lines[{index}].{field}");
            self.needs_calendar(found, path("calendar"), &line.calendar);
            if line.ideal_cycle_seconds <= Decimal::ZERO {
                found.add(path("ideal_cycle_seconds"), "is not above zero", "give seconds a part");
            }
            if line.stages.is_empty() || line.stages.iter().any(|stage| stage.machines.is_empty()) {
                found.add(
                    path("stages"),
                    "a line or a stage is empty",
                    "name its machines in order",
                );
            }
            let machines = line.stages.iter().flat_map(|stage| &stage.machines);
            for machine in machines.chain([&line.counter]) {
                match self.resource(machine) {
                    None => found.add(
                        path("stages"),
                        format!("`{machine}` is no resource of the plant"),
                        "declare it under `resources`, or correct the name",
                    ),
                    Some(resource) if resource.ideal_cycle_seconds.is_none() => found.add(
                        path("stages"),
                        format!(
                            "`{machine}` has no `ideal_cycle_seconds`, so parts can't be compared"
                        ),
                        "declare its cycle",
                    ),
                    Some(_) => {}
                }
            }
        }
    }

    fn check_maintenance(&self, found: &mut Findings) {
        for (index, window) in self.planned_maintenance.iter().enumerate() {
            let path = |field: &str| format!("planned_maintenance[{index}].{field}");
            if self.resource(&window.resource).is_none() {
                found.add(
                    path("resource"),
                    format!("`{}` is no resource of the plant", window.resource),
                    "correct the name; a line stops when its machines do",
                );
            }
            let backwards = match (window.start, window.end) {
                (Moment::Utc(start), Moment::Utc(end)) => end <= start,
                (Moment::Local(start), Moment::Local(end)) => end <= start,
                _ => false,
            };
            if backwards {
                found.add(
                    path("end"),
                    "is not after the start",
                    "write the first instant after it",
                );
            }
        }
    }

    /// How much of a change stays away.
    fn check_bands(&self, found: &mut Findings) {
        let bands = &self.rules.significance;
        let shares = [
            ("hours_share".to_owned(), bands.hours_share),
            ("units_share".to_owned(), bands.units_share),
            ("ratio".to_owned(), bands.ratio),
        ];
        let own = bands.bands.iter().map(|(what, share)| {
            let word = serde_json::to_value(what).unwrap_or_default();
            (format!("bands.{}", word.as_str().unwrap_or_default()), *share)
        });
        for what in bands.bands.keys().filter(|what| !RELEASED.contains(what)) {
            found.add(
                "rules.significance.bands".into(),
                format!("`{}` is never held back by a band", figure_name(*what)),
                "name a figure of hours, units or severity",
            );
        }
        for (field, share) in shares.into_iter().chain(own) {
            if share < Decimal::ZERO || share > Decimal::ONE {
                found.add(
                    format!("rules.significance.{field}"),
                    "is no fraction from 0 to 1",
                    "write 0.01 for one percent, 0 to land every change",
                );
            }
        }
    }

    fn check_rules(&self, found: &mut Findings) {
        let rules = &self.rules;
        if !(1..=104).contains(&rules.pool_weeks) {
            found.add("rules.pool_weeks".into(), "is not 1 to 104", "write 8 for eight weeks");
        }
        let hours = [
            ("time_to_live_hours", rules.time_to_live_hours),
            ("live_hours", rules.live_hours),
            ("valid_hours", rules.valid_hours),
        ];
        for (field, _) in hours.into_iter().filter(|(_, hours)| *hours > HOURS_MAX) {
            found.add(
                format!("rules.{field}"),
                format!("is more than {HOURS_MAX} hours, ten years"),
                "write the hours after which nobody trusts the value",
            );
        }
        if rules.min_coverage < Decimal::ZERO || rules.min_coverage > Decimal::ONE {
            found.add("rules.min_coverage".into(), "is no fraction from 0 to 1", "write 0.8");
        }
        self.check_bands(found);
        if rules.time_to_live_hours < rules.live_hours {
            found.add(
                "rules.time_to_live_hours".into(),
                "ends before the truth stops being live",
                "make it at least `live_hours`",
            );
        }
        if !(1..=28).contains(&rules.cut_off.day) {
            found.add(
                "rules.cut_off.day".into(),
                "is not a day that every month has",
                "write 1 to 28",
            );
        }
        let weeks =
            [("past_weeks", self.horizon.past_weeks), ("future_weeks", self.horizon.future_weeks)];
        for (field, _) in weeks.into_iter().filter(|(_, weeks)| *weeks > WEEKS_MAX) {
            found.add(
                format!("horizon.{field}"),
                format!("is more than {WEEKS_MAX} weeks, ten years"),
                "write the weeks that planners look at: 26 for half a year",
            );
        }
        if !(1..=1_440).contains(&self.horizon.cycle_minutes) {
            found.add("horizon.cycle_minutes".into(), "is not 1 to 1440", "write 60 for an hour");
        }
    }

    fn needs_calendar(&self, found: &mut Findings, path: String, id: &str) {
        if self.calendar(id).is_none() {
            found.add(
                path,
                format!("`{id}` is no calendar of the plant"),
                "declare it under `calendars`, or correct the name",
            );
        }
    }
}

/// Whether a break begins and ends while the shift lasts, by the clock.
fn inside(shift: &Shift, pause: &ShiftHours) -> bool {
    let seconds = |time: Time| i32::from(time.hour()) * 3_600 + i32::from(time.minute()) * 60;
    let after = |time: Time| (seconds(time) - seconds(shift.start)).rem_euclid(86_400);
    let end = |time: Time| match after(time) {
        0 => 86_400,
        later => later,
    };
    after(pause.start) < end(pause.end) && end(pause.end) <= end(shift.end)
}

fn check_calendar(found: &mut Findings, at: &str, calendar: &Calendar) {
    if let Some(zone) = &calendar.zone {
        found.zone(format!("{at}.zone"), zone);
    }
    if calendar.version.trim().is_empty() {
        found.add(format!("{at}.version"), "is empty", "number it; raise it with every change");
    }
    if calendar.round_the_clock != calendar.shifts.is_empty() {
        found.add(
            format!("{at}.shifts"),
            "a calendar works round the clock or has shifts: one of the two",
            "set `round_the_clock: true`, or list `shifts`",
        );
    }
    for (index, shift) in calendar.shifts.iter().enumerate() {
        for (number, pause) in shift.breaks.iter().enumerate() {
            if !inside(shift, pause) {
                found.add(
                    format!("{at}.shifts[{index}].breaks[{number}]"),
                    "does not lie inside its shift",
                    "write local times between the start and the end of the shift",
                );
            }
        }
        if shift.days.is_empty() {
            found.add(
                format!("{at}.shifts[{index}].days"),
                "starts on no day",
                "list the days on which it starts",
            );
        }
    }
    for (index, list) in calendar.holidays.iter().enumerate() {
        for (field, text) in [("file", &list.file), ("owner", &list.owner)] {
            if text.trim().is_empty() {
                let at = format!("{at}.holidays[{index}].{field}");
                found.add(at, "is empty", "name the file, and who answers for it");
            }
        }
    }
    for (index, exception) in calendar.exceptions.iter().enumerate() {
        let path = |field: &str| format!("{at}.exceptions[{index}].{field}");
        if exception.last() < exception.from {
            found.add(path("to"), "is before `from`", "write the last day, inclusive");
        }
        if !exception.closed && exception.extra.is_empty() {
            found.add(
                path("extra"),
                "changes nothing",
                "set `closed: true`, or list `extra` hours",
            );
        }
        for (field, text) in [("reason", &exception.reason), ("owner", &exception.owner)] {
            if text.trim().is_empty() {
                found.add(path(field), "is empty", "a decided change needs it, to be answered for");
            }
        }
    }
}

impl Mapping {
    /// Everything that is wrong with the mapping of `plant`.
    #[must_use]
    pub fn validate(&self, plant: &Plant) -> Vec<Violation> {
        let mut found = Findings::default();
        if self.version.trim().is_empty() {
            found.add("version".into(), "is empty", "number it; raise it with every change");
        }
        for (index, row) in self.rows.iter().enumerate() {
            let path = |field: &str| format!("rows[{index}].{field}");
            if plant.resource(&row.source).is_none() && plant.line(&row.source).is_none() {
                found.add(
                    path("source"),
                    format!("`{}` is no resource or line of the plant", row.source),
                    "correct the name, or declare it in the plant",
                );
            }
            if row.resource.trim().is_empty() || row.location.trim().is_empty() {
                found.add(path("resource"), "resource or location is empty", "name both");
            }
            if row.share <= Decimal::ZERO || row.share > Decimal::ONE {
                found.add(
                    path("share"),
                    "is not above 0 and at most 1",
                    "write 1, or leave it out",
                );
            }
            let shares: Decimal =
                self.rows.iter().filter(|r| r.source == row.source).map(|r| r.share).sum();
            if shares > Decimal::ONE {
                found.add(
                    path("share"),
                    format!("the rows of `{}` share {shares} of it", row.source),
                    "make the shares sum to 1 at most: an hour can't be planned twice",
                );
            }
            if self.rows[..index].iter().any(|other| same_cells(other, row)) {
                found.add(path("source"), "the same row is there twice", "remove one");
            }
            self.check_combined(&mut found, index, row);
            let same_place = |other: &&MapRow| {
                (&other.resource, &other.location, &other.product)
                    == (&row.resource, &row.location, &row.product)
            };
            let inside = |id: &str| plant.line(&row.source).is_some_and(|line| line.has(id));
            for other in self.rows.iter().filter(same_place).filter(|o| inside(&o.source)) {
                found.add(
                    path("resource"),
                    format!(
                        "the line `{}` and its own machine `{}` are both {}@{}: their hours would add up",
                        row.source, other.source, row.resource, row.location
                    ),
                    "map the line or its machines to one resource of the target, never both",
                );
            }
        }
        found.done()
    }

    /// Several sources on one resource and location add up there, whatever their
    /// products: somebody must have meant it.
    fn check_combined(&self, found: &mut Findings, index: usize, row: &MapRow) {
        let place = format!("{}@{}", row.resource, row.location);
        let same_place =
            |other: &&MapRow| (&other.resource, &other.location) == (&row.resource, &row.location);
        let sources: BTreeSet<&str> =
            self.rows.iter().filter(same_place).map(|other| other.source.as_str()).collect();
        if row.combine.is_some() || sources.len() < 2 {
            return;
        }
        let names: Vec<String> = sources.iter().map(|source| format!("`{source}`")).collect();
        found.add(
            format!("rows[{index}].resource"),
            format!(
                "{} are all {place}, and nobody said what they are together: a week of them \
                 could have {} hours",
                names.join(", "),
                168 * sources.len()
            ),
            format!(
                "if {place} is all of them side by side, write `combine: sum` in each of these \
                 rows; else give each source a resource of its own"
            ),
        );
    }
}

fn same_cells(a: &MapRow, b: &MapRow) -> bool {
    (&a.source, &a.resource, &a.location, &a.product)
        == (&b.source, &b.resource, &b.location, &b.product)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fixture, model::Combine};

    fn paths(plant: &Plant) -> Vec<String> {
        plant.validate().into_iter().map(|found| found.path).collect()
    }

    #[test]
    fn the_fixture_is_sound() {
        assert_eq!(fixture::plant().validate(), []);
        assert_eq!(fixture::mapping().validate(&fixture::plant()), []);
    }

    #[test]
    fn each_fault_is_named_by_its_path() {
        let mut plant = fixture::plant();
        plant.zone = "Berlin time".into();
        plant.calendars[0].round_the_clock = false;
        plant.resources[1].calendar = "none".into();
        plant.lines[0].counter = "M9".into();
        plant.rules.time_to_live_hours = 1;
        plant.horizon.future_weeks = 4_000_000_000;
        assert_eq!(
            paths(&plant),
            [
                "zone",
                "calendars[0].shifts",
                "resources[1].calendar",
                "lines[0].stages",
                "rules.time_to_live_hours",
                "horizon.future_weeks"
            ]
        );
    }

    #[test]
    fn an_hour_is_never_mapped_twice() {
        let mut mapping = fixture::mapping();
        mapping.rows.push(MapRow { location: "2020".into(), ..mapping.rows[0].clone() });
        let found = mapping.validate(&fixture::plant());
        assert!(found.iter().any(|f| f.reason.contains("share 2")), "{found:?}");
        // A line's output comes out of its machines' hours.
        let mut mapping = fixture::mapping();
        mapping.rows[0].combine = Some(Combine::Sum);
        mapping.rows.push(MapRow { source: "LINE".into(), ..mapping.rows[0].clone() });
        let found = mapping.validate(&fixture::plant());
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].path, "rows[3].resource");
        assert!(found[0].reason.contains("`LINE`") && found[0].reason.contains("`M1`"));
    }
    #[test]
    fn several_sources_on_one_place_never_add_up_unasked() {
        let plant = fixture::plant();
        let refused = |rows: &[MapRow]| -> Vec<String> {
            let mapping = Mapping { rows: rows.to_vec(), ..fixture::mapping() };
            let found = mapping.validate(&plant);
            assert!(found.iter().all(|one| one.reason.contains("336 hours")), "{found:?}");
            assert!(found.iter().all(|one| one.cure.contains("`combine: sum`")), "{found:?}");
            found.into_iter().map(|one| one.path).collect()
        };
        let of = |source: &str, product: Option<&str>, combine: Option<Combine>| MapRow {
            source: source.into(),
            product: product.map(str::to_owned),
            share: Decimal::new(5, 1),
            combine,
            ..fixture::mapping().rows[0].clone()
        };
        let sum = Some(Combine::Sum);
        let both = ["rows[0].resource", "rows[1].resource"];
        assert_eq!(refused(&[of("M2", None, None), of("M3", None, None)]), both);
        assert_eq!(refused(&[of("M2", None, sum), of("M3", None, None)]), both[1..]);
        assert_eq!(refused(&[of("M2", None, sum), of("M3", None, sum)]), [""; 0]);
        // Products add up on their resource, too.
        assert_eq!(refused(&[of("M2", Some("A"), None), of("M3", Some("B"), None)]), both);
        // The shares of one source are bounded already.
        assert_eq!(refused(&[of("M2", Some("A"), None), of("M2", Some("B"), None)]), [""; 0]);
        let mut elsewhere = of("M3", None, None);
        elsewhere.location = "2020".into();
        assert_eq!(refused(&[of("M2", None, None), elsewhere]), [""; 0]);
    }
}
