//! The SAP IBP connector in front of its sandbox, in process.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::Request;
use jiff::Timestamp;
use planthread::in_process::InProcess;
use planthread_conformance::{Bench, Fault, Target, World};
use planthread_contracts::{CellKey, DesiredCell, MeasureDecl, Period, Scope, SeenCell, Status};
use planthread_kit::{
    Clock, Quota, Secret, Transport, VirtualClock,
    http::{Basic, HttpStack, RequestPolicy},
};
use planthread_mocks::{
    Change, Fault as Mishap, Faulty, Reply, Rule, Simulator, StoredCell,
    faults::When,
    sap_ibp::{Options, SapIbp as Sandbox},
};
use rust_decimal::Decimal;
use serde_json::json;

/// Measures of one row: two values, and the stamps that travel with them.
const MEASURES: [(&str, &str, u32); 3] =
    [("live", "TWINCAPALIVE", 2), ("plan_cut", "TWINCAPA", 2), ("as_of", "TWINASOF", 0)];

/// The bench.
pub(crate) struct SapIbp;

impl Bench for SapIbp {
    fn name(&self) -> &'static str {
        "sap-ibp"
    }

    fn world(&self) -> World {
        let clock = VirtualClock::new(start(), 7);
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let target = Arc::new(Mounted(Arc::new(Mutex::new(Watched::new()))));
        let wire: Arc<dyn Transport> =
            Arc::new(InProcess::new(target.0.clone(), Arc::clone(&shared)));
        let quota = Arc::new(Quota::unlimited(Arc::clone(&shared)));
        let who = Arc::new(Basic::new("planthread".to_owned(), Secret::new("planthread")));
        let http = HttpStack::new(wire, shared, quota, who, RequestPolicy::default());
        let settings = json!({ "host": "http://127.0.0.1", "planning_area": "PTDEMO",
            "auth": { "kind": "basic", "user": "planthread", "password": "${env:UNUSED}" } });
        let connector = planthread_sap_ibp::SapIbp::new(
            "ibp",
            planthread_sap_ibp::Config::read(settings).unwrap(),
            Scope::base(),
            measures(),
            http,
        );
        World { clock, connector: Box::new(connector.unwrap()), target }
    }

    fn cells(&self, count: usize) -> Vec<DesiredCell> {
        let mut period: Period = "2026-W49".parse().unwrap();
        let mut cells = Vec::new();
        while cells.len() < count {
            for line in 1..=4 {
                let location = if line % 2 == 1 { "1010" } else { "1020" };
                cells.extend(row(&format!("LINE-{line}"), location, period));
            }
            period = period.next();
        }
        cells.truncate(count / MEASURES.len() * MEASURES.len());
        cells.sort_by(|a, b| a.key.cmp(&b.key));
        cells
    }

    fn stranger(&self) -> Vec<DesiredCell> {
        row("LINE-99", "1010", "2026-W49".parse().unwrap())
    }

    fn secrets(&self) -> Vec<String> {
        vec!["cGxhbnRocmVhZDpwbGFudGhyZWFk".to_owned(), "planthread:planthread".to_owned()]
    }
}

fn start() -> Timestamp {
    "2026-11-22T22:00:00Z".parse().unwrap()
}

fn measures() -> Vec<MeasureDecl> {
    let declare = |(name, surface, scale): (&str, &str, u32)| {
        serde_json::from_value(json!({ "name": name, "surface": surface, "scale": scale,
            "carries": if scale == 0 { "as_of" } else { "attainable_clock_hours" },
            "unit": if scale == 0 { "C62" } else { "HUR" }, "level": "week",
            "over_time": if scale == 0 { "min" } else { "sum" },
            "over_resources": if scale == 0 { "min" } else { "sum" },
            "owner": "bridge", "role": if scale == 0 { "stamp" } else { "value" } }))
        .unwrap()
    };
    MEASURES.into_iter().map(declare).collect()
}

/// The cells of one resource and period; values differ from cell to cell.
fn row(resource: &str, location: &str, period: Period) -> Vec<DesiredCell> {
    let seed = i64::from(period.start().day_of_year()) * 100 + resource.len() as i64;
    let cell = |(name, _, scale): &(&str, &str, u32)| {
        let value = match (*name, scale) {
            (_, 0) => Decimal::from(20_261_122),
            ("live", _) => Decimal::new(seed + 1, 2),
            _ => Decimal::new(seed + 50, 2),
        };
        DesiredCell {
            key: CellKey {
                target: "ibp".to_owned(),
                scope: String::new(),
                resource: resource.to_owned(),
                location: location.to_owned(),
                product: None,
                period,
                measure: (*name).to_owned(),
            },
            value,
            unrounded: value,
            status: Status::Live,
            as_of: start(),
            valid_until: start() + jiff::SignedDuration::from_hours(72),
            recipe: "conformance".to_owned(),
        }
    };
    MEASURES.iter().map(cell).collect()
}

/// The sandbox with its faults, and a watch on announced waits.
struct Watched {
    faulty: Faulty<Sandbox>,
    closed_until: Option<Timestamp>,
    early: usize,
}

impl Watched {
    fn new() -> Self {
        let sandbox = Sandbox::new(Options::default());
        Self { faulty: Faulty::new(sandbox, [], 1), closed_until: None, early: 0 }
    }
}

impl Simulator for Watched {
    fn handle(&mut self, at: Timestamp, request: &Request<Bytes>) -> Reply {
        self.early += usize::from(self.closed_until.is_some_and(|until| at < until));
        let reply = self.faulty.handle(at, request);
        let wait = reply.response.headers().get("retry-after");
        if let Some(seconds) = wait.and_then(|value| value.to_str().ok()?.parse::<u64>().ok()) {
            self.closed_until = Some(at + Duration::from_secs(seconds));
        }
        reply
    }

    fn stored(&self) -> Vec<StoredCell> {
        self.faulty.stored()
    }

    fn history(&self) -> Vec<Change> {
        self.faulty.history()
    }

    fn expire_sessions(&mut self) {
        self.faulty.expire_sessions();
    }
}

struct Mounted(Arc<Mutex<Watched>>);

impl Mounted {
    fn with<T>(&self, act: impl FnOnce(&mut Watched) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Target for Mounted {
    fn stored(&self) -> Vec<SeenCell> {
        let canonical = |cell: StoredCell| {
            let (name, ..) = MEASURES.iter().find(|(_, surface, _)| *surface == cell.measure)?;
            let key = CellKey {
                target: "ibp".to_owned(),
                scope: cell.scope,
                resource: cell.resource,
                location: cell.location,
                product: None,
                period: cell.period,
                measure: (*name).to_owned(),
            };
            Some(SeenCell { key, value: Some(cell.value) })
        };
        self.with(|world| world.stored()).into_iter().filter_map(canonical).collect()
    }

    fn inject(&self, nth: usize, fault: Fault) {
        let status = |code, retry_after: Option<Duration>| Mishap::Status {
            code,
            retry_after: retry_after.and_then(|wait| u32::try_from(wait.as_secs()).ok()),
            after: false,
        };
        let fault = match fault {
            Fault::DropBefore => Mishap::DropBefore,
            Fault::DropAfter => Mishap::DropAfter,
            Fault::Truncated => Mishap::TruncatedBody(20),
            Fault::ServerError => status(500, None),
            Fault::Unavailable(wait) => status(503, Some(wait)),
            Fault::TooMany(wait) => status(429, Some(wait)),
            Fault::Forbidden => status(403, None),
            Fault::ErrorInside200 => Mishap::ErrorInside200,
            Fault::Expired => Mishap::ExpireToken,
            Fault::RenamedField => {
                Mishap::RenameField { from: "results".to_owned(), to: "rows".to_owned() }
            }
        };
        let nth = nth as u64;
        let rule = Rule { fault, matches: None, when: When::Range(nth, nth) };
        self.with(|world| world.faulty.schedule(rule));
    }

    fn requests(&self) -> usize {
        self.with(|world| usize::try_from(world.faulty.requests()).unwrap_or(usize::MAX))
    }

    fn inside_retry_after(&self) -> usize {
        self.with(|world| world.early)
    }
}
