//! A push whose job never ends, ended by a person: within the wait limit nobody
//! may, beside a bridge that writes it is recorded, and else it is done at once.

use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;
use planthread_contracts::WriteGrant;
use planthread_engine::{State, plan::Policy, push::DurableLog};
use planthread_kit::{
    AttemptEnd, AttemptId, AttemptLog as _, Batch, Clock, SystemClock, VirtualClock,
};
use serde_json::Value;

use crate::{
    moments::Mock,
    program::{Project, pause},
};

/// Questions whether a push is open, a tenth of a second each.
const QUESTIONS: usize = 1_000;
const WHO: [&str; 4] = ["--who", "mara", "--why", "month end"];

/// The pushes that are open.
fn open(project: &Project) -> Vec<Value> {
    let listed = project.run(&["--json", "attempt", "list"]);
    let read = (listed.code == Some(0)).then(|| listed.json(0));
    read.and_then(|read| read["open"].as_array().cloned()).unwrap_or_default()
}

fn end(project: &Project, id: &str) -> crate::program::Ended {
    project.run(&[&["--json", "attempt", "end", id], &WHO[..]].concat())
}

/// Makes an attempt one of two hours ago: it is closed, and opened again under
/// another id, for the same job. Its clock does nothing but stamp it.
fn two_hours_ago(project: &Project, state: &Arc<State>, id: &AttemptId) -> AttemptId {
    let now = SystemClock::new().now();
    let then: Arc<dyn Clock> = Arc::new(VirtualClock::new(now - SignedDuration::from_hours(2), 1));
    let log = DurableLog::new(Arc::clone(state), Arc::clone(&then));
    let (record, batch) = (log.record(id).unwrap(), log.batch(id).unwrap());
    log.close(id, &AttemptEnd::NotTaken { reason: "of the test".into() }).unwrap();
    let target = &project.config().targets["ibp"];
    let grant = |measure| WriteGrant::bridge_owned(measure, batch.scope()).ok();
    let grants: Vec<WriteGrant> = target.measures.iter().filter_map(grant).collect();
    let (scope, measures) = (batch.scope().clone(), target.measures.clone());
    let batch = Batch::new(scope.clone(), &grants, batch.cells().to_vec()).unwrap();
    let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    let policy = Policy::open("ibp", scope, measures, grants, now, today);
    let log = DurableLog::of_plan(Arc::clone(state), then, "", policy);
    let attempt = log.open(&batch).unwrap();
    for (key, value) in &record.notes {
        attempt.note(key, value).unwrap();
    }
    attempt.id().clone()
}

#[test]
fn a_push_whose_job_never_ends_is_ended_by_a_person() {
    let project = Project::init("ended");
    let mock = Mock::start(&project, &[("import-ms", "86400000")]);
    project.aim(&mock.url);
    let mut run = project.start(&["run", "--once"]);
    let committed = |push: &Value| push["notes"]["stage"] == "committed";
    let found = (0..QUESTIONS).find_map(|_| {
        pause(Duration::from_millis(100));
        open(&project).into_iter().find(committed)
    });
    run.kill();
    let id = found.expect("a push is open")["attempt"].as_str().unwrap().to_owned();
    let refused = end(&project, &id);
    assert_eq!(refused.code, Some(4), "{refused:?}");
    assert!(refused.stderr.contains("within its wait limit"), "{refused:?}");

    let state = Arc::new(State::open(&project.state(), SystemClock::new().now()).unwrap());
    let id = two_hours_ago(&project, &state, &AttemptId::parse(&id).unwrap());
    assert_eq!(end(&project, id.as_str()).json(0)["how"], "recorded", "the state is written");
    drop(state);
    let waits = open(&project);
    assert_eq!((waits.len(), &waits[0]["ended_by"]), (1, &Value::from("mara")), "{waits:?}");
    let status = project.run(&["status"]);
    assert!(status.stdout.contains(&format!("attempt end {id}")), "{status:?}");

    let ended = end(&project, id.as_str());
    assert!(matches!(ended.code, Some(1 | 3)), "what was sent is not there: {ended:?}");
    let ended: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(ended["how"], "given_up", "{ended}");
    assert!(open(&project).is_empty());
    let status = project.run(&["--json", "status"]).stdout;
    let status: Value = serde_json::from_str(&status).unwrap();
    assert_eq!(status["pushes"][0]["error"], "ended by mara: month end", "{status}");
    let again = end(&project, id.as_str());
    assert_eq!(again.code, Some(2), "{again:?}");
}
