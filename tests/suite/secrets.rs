//! Law 15: secrets are references, everywhere, also when everything fails.

use std::{
    fs,
    io::Write,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use planthread_mocks::{
    Fault, Faulty,
    sap_ibp::{Options, SapIbp},
};
use rust_decimal::Decimal;
use tracing_subscriber::fmt::MakeWriter;

use crate::world::{World, plan_of};

/// A password with everything that is written differently somewhere.
const PASSWORD: &str = "k7#Wq/9\"zR+p=é";
/// How it may show: itself, in JSON, in an URL, in the header.
const SHAPES: [&str; 5] = [
    PASSWORD,
    "k7#Wq/9\\\"zR+p=é",
    "k7%23Wq/9%22zR%2Bp%3D%C3%A9",
    "k7%23Wq%2F9%22zR%2Bp%3D%C3%A9",
    "cGxhbnRocmVhZDprNyNXcS85InpSK3A9w6k",
];

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

fn finds(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle.as_bytes())
}

fn search(place: &str, bytes: &[u8], found: &mut Vec<String>) {
    let hits = SHAPES.iter().filter(|shape| finds(bytes, shape));
    found.extend(hits.map(|shape| format!("{shape} in {place}")));
}

/// Every file below `folder`; the number of them.
fn search_files(folder: &Path, found: &mut Vec<String>) -> usize {
    let mut files = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files += search_files(&path, found);
        } else {
            files += 1;
            search(&path.display().to_string(), &fs::read(&path).unwrap(), found);
        }
    }
    files
}

/// A run in which everything goes wrong once, at a target that repeats the
/// caller's credentials in every error. Returns all words that people got.
fn a_bad_day(world: &World) -> String {
    let mut said = vec![format!("{:?}", world.cycle(&world.open()))];
    let faults = [
        Fault::Status { code: 500, retry_after: None, after: false },
        Fault::Status { code: 403, retry_after: None, after: false },
        Fault::Status { code: 401, retry_after: None, after: false },
        Fault::Status { code: 429, retry_after: Some(7_200), after: false },
        Fault::DropAfter,
        Fault::TruncatedBody(10),
        Fault::ExpireToken,
        Fault::ErrorInside200,
    ];
    let week = "2026-W50".parse().unwrap();
    for (number, fault) in faults.into_iter().enumerate() {
        // Without news there would be nothing to send.
        world.foretell(1, &[(week, Decimal::new(i64::try_from(number).unwrap() + 1, 1))]);
        for nth in 1..=4 {
            world.wire().fault_at(nth + number % 3, fault.clone());
        }
        let live = world.open();
        let done = world.cycle(&live);
        said.push(format!("{done:?}"));
        said.push(serde_json::to_string(&done).unwrap());
        said.extend(done.stopped.map(|failure| failure.to_string()));
        said.push(String::from_utf8(live.plan()).unwrap());
        said.push(format!("{:?} {:?}", live.bridge, live.target));
        world.pass(130);
    }
    // A wrong password is refused in words that don't repeat it.
    world.wire().faulty = Faulty::new(SapIbp::new(Options::default()), [], 7);
    world.wire().basic = "Basic somebody-else".to_owned();
    let live = world.open();
    world.pass(2_000);
    let done = world.cycle(&live);
    let failure = done.stopped.expect("the target knows nobody of this name");
    said.push(failure.to_string());
    said.push(serde_json::to_string(&failure).unwrap());
    let discovered = world.clock.block_on(live.target.connector.discover()).unwrap_err();
    said.push(format!("{discovered} {discovered:?}"));
    said.join("\n")
}

#[test]
fn law_15_the_password_reaches_no_file_no_plan_no_log_and_no_error_text() {
    let mut config = plan_of(3, 5);
    config["targets"]["ibp"]["pack"] = serde_json::json!({ "folder": "pack" });
    let world = World::new(&config, Options::default());
    fs::write(world.folder.join("password"), format!("{PASSWORD}\n")).unwrap();
    {
        let mut wire = world.wire();
        wire.basic = format!("Basic {}=", SHAPES[4]);
        wire.echo = true;
    }
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    // Beside a single subscriber, what a thread of another test meets first is never
    // logged again.
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::new());
    let said = tracing::subscriber::with_default(subscriber, || a_bad_day(&world));
    let stopped = said.matches("\"stopped\":{").count();
    assert!(stopped >= 5, "{stopped} cycles ended early: {said}");

    let mut found = Vec::new();
    search("what people got to read", said.as_bytes(), &mut found);
    let log = log.0.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(log.len() > 1_000, "something was logged");
    search("the log", &log, &mut found);
    let files = search_files(&world.folder.join("state"), &mut found);
    assert!(files >= 2, "{files} files");
    search_files(&world.folder.join("pack"), &mut found);
    assert!(found.is_empty(), "{found:#?}");
}
