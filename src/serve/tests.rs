//! The HTTP door with a real socket: what it answers, and when.

use std::{fs, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, StatusCode};
use planthread_domain::model::Plant;
use planthread_engine::{State, journal};
use planthread_kit::{Clock, ReqwestTransport, SystemClock, Transport, TransportOptions};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt as _, net::TcpSocket};

use super::{
    Door as _, JournalDoor,
    cloudevents::{BATCH, ONE},
    http::Endpoint,
    places::CONNECTIONS_MAX,
    read_timeout::SILENCE_MAX,
    region::{Content, Region},
};
use crate::{config::HttpIntake, failure::Failure};

/// A plant whose only source is a twin.
const PLANT: &str = r#"{
    "id": "p", "zone": "UTC",
    "calendars": [{"id": "c", "version": "1", "round_the_clock": true}],
    "resources": [{"id": "M1", "class": "machine", "calendar": "c"}],
    "sources": [{"name": "/twin", "reader": {"cloudevents": {}}}]}"#;

fn event(id: &str, resource: &str) -> Value {
    json!({
        "specversion": "1.0", "id": id, "source": "/twin",
        "type": "planthread.production-state.v1",
        "data": {
            "resource": { "id": resource, "level": "work_cell" },
            "at": "2026-11-20T21:00:00Z", "state": "unknown",
            "source": { "twin_id": "urn:twin:m1", "twin_kind": "asset",
                "observed_until": "2026-11-20T18:00:00Z" },
            "quality": { "coverage": "0", "worst": "stale" },
        },
    })
}

async fn post(url: &str, media: &str, body: String) -> (StatusCode, Value) {
    let transport = ReqwestTransport::new(&TransportOptions::default()).unwrap();
    let request = Request::post(url).header("content-type", media).body(Bytes::from(body)).unwrap();
    let response = transport.send(request).await.unwrap();
    let body = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
    (response.status(), body)
}

/// A door that is served, until it is dropped.
struct Served {
    state: Arc<State>,
    address: SocketAddr,
    url: String,
    task: tokio::task::JoinHandle<Result<(), Failure>>,
}

impl Served {
    async fn new(name: &str, body_limit: usize) -> Self {
        let folder = std::env::temp_dir().join(format!("planthread-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let state = Arc::new(State::open(&folder, clock.now()).unwrap());
        let plant = Arc::new(serde_json::from_str(PLANT).unwrap());
        let door = Arc::new(JournalDoor::new(Arc::clone(&state), plant, Arc::clone(&clock)));
        let config = HttpIntake { listen: "127.0.0.1:0".parse().unwrap(), body_limit };
        let endpoint = Endpoint::bind(&config).await.unwrap();
        let (address, url) = (endpoint.address, format!("http://{}/events", endpoint.address));
        let task = tokio::spawn(endpoint.serve(door, clock, std::future::pending()));
        Self { state, address, url, task }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
        let _ = fs::remove_dir_all(self.state.dir());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_durable_when_they_are_answered_and_bad_ones_are_named() {
    let served = Served::new("door", 60_000).await;
    let (url, state) = (served.url.as_str(), &served.state);
    let records = || journal::counts(&state.reader().unwrap()).unwrap().records;

    let (status, kept) = post(url, ONE, event("1", "M1").to_string()).await;
    assert_eq!((status, &kept["taken"]), (StatusCode::OK, &json!(1)), "{kept}");
    assert_eq!(records(), 1, "on the disk before the answer");

    let batch = json!([event("1", "M1"), event("2", "M1"), event("3", "M9")]);
    let (status, kept) = post(url, BATCH, batch.to_string()).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!((&kept["taken"], &kept["duplicates"]), (&json!(1), &json!(1)), "{kept}");
    let refused = &kept["rejected"][0];
    assert_eq!(refused["line"], json!(3));
    assert!(refused["reason"].as_str().unwrap().contains("`M9`"), "{refused}");

    let (status, _) = post(url, ONE, event("4", "M9").to_string()).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let (status, _) = post(url, "text/plain", String::new()).await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let (status, _) = post(url, ONE, "x".repeat(60_001)).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let (status, _) = post(url, BATCH, format!("[{}1]", "1,".repeat(10_000))).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "more events than a batch may hold");
    let (status, kept) = post(url, BATCH, format!("[{}1]", "1,".repeat(999))).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(kept["rejected"].as_array().unwrap().len(), 100, "the answer is bounded");
    assert_eq!(kept["not_listed"], json!(900));
    assert_eq!(journal::counts(&state.reader().unwrap()).unwrap().rejected, 1_002);
    assert_eq!(records(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_somebody_else_posts_nothing_under_whatever_name_it_found_us() {
    let served = Served::new("origin", 20_000).await;
    let port = served.address.port();
    let transport = ReqwestTransport::new(&TransportOptions::default()).unwrap();
    let (here, rebound) = (format!("localhost:{port}"), format!("rebound.example:{port}"));
    let (page, own) = ("https://page.example".to_owned(), format!("http://127.0.0.1:{port}"));
    for (name, value, status) in [
        ("host", here.as_str(), StatusCode::OK),
        ("host", &format!("[::1]:{port}"), StatusCode::OK),
        ("host", &rebound, StatusCode::FORBIDDEN),
        ("host", "127.0.0.1", StatusCode::FORBIDDEN),
        ("host", &format!("127.0.0.1:{port}@page.example"), StatusCode::FORBIDDEN),
        ("origin", &own, StatusCode::OK),
        ("origin", &page, StatusCode::FORBIDDEN),
        ("origin", "null", StatusCode::FORBIDDEN),
    ] {
        let body = Bytes::from(event("1", "M1").to_string());
        let request =
            Request::post(&served.url).header("content-type", ONE).header(name, value).body(body);
        let answer = transport.send(request.unwrap()).await.unwrap();
        assert_eq!(answer.status(), status, "{name}: {value}: {answer:?}");
    }
}

/// Somebody who connects, says so much, and then a byte a time; or nothing more,
/// and takes no answer.
async fn keep_waiting(address: SocketAddr, says: String, trickles: bool) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    if !trickles {
        let _ = stream.write_all(says.repeat(4).as_bytes()).await;
        return std::future::pending().await;
    }
    let mut said = stream.write_all(says.as_bytes()).await;
    while said.is_ok() {
        SystemClock::new().sleep(Duration::from_millis(50)).await;
        said = stream.write_all(b" ").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_or_takes_nothing_keeps_no_honest_sender_out() {
    let long = "M".repeat(400);
    let batch = Value::from_iter((0..100).map(|id| event(&id.to_string(), &long))).to_string();
    let head = |length: usize| {
        format!(
            "POST /events HTTP/1.1\r\nhost: localhost\r\ncontent-type: {BATCH}\r\n\
             content-length: {length}\r\n\r\n"
        )
    };
    for (says, trickles) in [
        (String::new(), true),
        ("POST /eve".to_owned(), true),
        (head(50_000) + "[", true),
        (head(batch.len()) + &batch, false),
    ] {
        let served = Served::new("patience", 200_000).await;
        let port = served.address.port();
        let says = says.replace("localhost", &format!("localhost:{port}"));
        let others: Vec<_> = (0..CONNECTIONS_MAX + 9)
            .map(|_| tokio::spawn(keep_waiting(served.address, says.clone(), trickles)))
            .collect();
        // They all have come, and taken what places there are.
        SystemClock::new().sleep(Duration::from_millis(300)).await;
        for id in 0..3 {
            let honest = post(&served.url, ONE, event(&id.to_string(), "M1").to_string());
            tokio::select! {
                (status, _) = honest => assert_eq!(status, StatusCode::OK),
                // Far less than they may be silent for.
                () = SystemClock::new().sleep(SILENCE_MAX / 3) => panic!("kept out: {says:.40}"),
            }
        }
        others.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

/// A pipe that says one line at a time, and then breaks.
struct Pipe(Vec<String>);

impl std::io::Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.0.is_empty() {
            return Err(std::io::Error::other("broken pipe"));
        }
        let line = self.0.remove(0) + "\n";
        buffer[..line.len()].copy_from_slice(line.as_bytes());
        Ok(line.len())
    }
}

#[test]
fn what_a_pipe_said_is_kept_before_it_goes_on_and_when_it_breaks() {
    let folder = std::env::temp_dir().join(format!("planthread-pipe-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let state = Arc::new(State::open(&folder, clock.now()).unwrap());
    let plant = Arc::new(serde_json::from_str(PLANT).unwrap());
    let door = JournalDoor::new(Arc::clone(&state), plant, clock);
    let pipe = Pipe(["1", "2"].map(|id| event(id, "M1").to_string()).to_vec());
    let broken = super::piped::events(pipe, "stdin", &door).unwrap_err();
    assert!(broken.message.contains("broken pipe"), "{broken}");
    assert_eq!(journal::counts(&state.reader().unwrap()).unwrap().records, 2);
    drop((door, state));
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_half_written_event_in_a_file_waits_and_a_closed_pipe_is_finished() {
    let folder = std::env::temp_dir().join(format!("planthread-half-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let state = Arc::new(State::open(&folder, clock.now()).unwrap());
    let plant = Arc::new(serde_json::from_str(PLANT).unwrap());
    let door = JournalDoor::new(Arc::clone(&state), plant, clock);
    let (one, two) = (event("1", "M1").to_string(), event("2", "M1").to_string());
    let file = folder.join("events.ndjson");
    fs::write(&file, format!("{one}\n{}", &two[..20])).unwrap();
    let report = super::piped::events_file(&file, &door).unwrap();
    assert!(report.unfinished);
    assert_eq!((report.kept.taken, report.kept.rejected.len()), (1, 0));
    fs::write(&file, format!("{one}\n{two}\n")).unwrap();
    let report = super::piped::events_file(&file, &door).unwrap();
    assert!(!report.unfinished);
    assert_eq!((report.kept.taken, report.kept.duplicates), (1, 1));
    let piped = event("3", "M1").to_string();
    let report = super::piped::events(piped.as_bytes(), "stdin", &door).unwrap();
    assert_eq!((report.kept.taken, report.unfinished), (1, false));
    drop((door, state));
    fs::remove_dir_all(&folder).unwrap();
}

/// A plant that counts, and a door to a state of its own.
fn counting(name: &str, file: &std::path::Path) -> (Arc<State>, Arc<Plant>, JournalDoor) {
    let folder = std::env::temp_dir().join(format!("planthread-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    let plant = json!({
        "id": "p", "zone": "UTC",
        "calendars": [{"id": "c", "version": "1", "round_the_clock": true}],
        "resources": [{"id": "M1", "class": "machine", "calendar": "c"}],
        "sources": [{"name": "mes", "files": [file], "reader": {"counts": {
            "header": ["hour", "machine", "parts"],
            "columns": {"time": "hour", "machine": "machine", "total": "parts"},
            "stamp": "start", "interval_minutes": 60, "good_parts": true}}}],
    });
    let plant: Arc<Plant> = Arc::new(serde_json::from_value(plant).unwrap());
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let state = Arc::new(State::open(&folder, clock.now()).unwrap());
    let door = JournalDoor::new(Arc::clone(&state), Arc::clone(&plant), clock);
    (state, plant, door)
}

fn end(state: Arc<State>, door: JournalDoor, file: &std::path::Path) {
    let folder = state.dir().to_owned();
    drop((door, state));
    fs::remove_dir_all(folder).unwrap();
    fs::remove_file(file).unwrap();
}

#[test]
fn a_last_row_counts_without_a_newline_once_its_file_was_quiet_and_status_knows_it() {
    let file = std::env::temp_dir().join(format!("planthread-quiet-{}.csv", std::process::id()));
    let (state, plant, door) = counting("quiet", &file);
    let take = || super::files::sources(&plant, &door, &state.reader().unwrap()).unwrap().remove(0);
    let waiting = || super::files::waiting(&plant, &state.reader().unwrap()).unwrap();
    let long_ago = || {
        let before = Duration::from_secs(11 * 60);
        let at = fs::metadata(&file).unwrap().modified().unwrap() - before;
        fs::File::options().append(true).open(&file).unwrap().set_modified(at).unwrap();
    };
    let (head, one, two) =
        ("hour,machine,parts\n", "2026-11-01T10:00:00Z,M1,60\n", "2026-11-01T11:00:00Z,M1,6");
    fs::write(&file, format!("{head}{one}{two}")).unwrap();
    let report = take();
    assert_eq!((report.kept.taken, report.unfinished), (1, true));
    assert_eq!(waiting().len(), 1);
    assert_eq!(waiting()[0].place, file.display().to_string());
    assert!(take().unchanged && waiting().len() == 1);
    long_ago();
    let report = take();
    assert_eq!((report.kept.taken, report.unfinished), (1, false));
    assert!(waiting().is_empty() && take().unchanged, "it is taken once");
    // Somebody writes on after all: the row has counted, and the next one is new.
    fs::write(&file, format!("{head}{one}{two}\n2026-11-01T12:00:00Z,M1,7\n")).unwrap();
    let report = take();
    assert_eq!((report.kept.taken, report.kept.duplicates, report.unfinished), (1, 0, false));
    end(state, door, &file);
}

#[test]
fn a_row_of_a_megabyte_is_refused_and_never_told_whole() {
    let file = std::env::temp_dir().join(format!("planthread-long-{}.csv", std::process::id()));
    let (state, plant, door) = counting("long", &file);
    let long = "7".repeat(3 << 20);
    let some = "8".repeat(900_000);
    let rows = format!(
        "hour,machine,parts\n2026-11-01T10:00:00Z,M1,{long}\n2026-11-01T10:00:00Z,{some},1\n\
         2026-11-01T11:00:00Z,M1,5\n"
    );
    fs::write(&file, &rows).unwrap();
    let report = super::files::sources(&plant, &door, &state.reader().unwrap()).unwrap().remove(0);
    let refused = &report.kept.rejected;
    assert_eq!((report.kept.taken, refused.len()), (1, 2), "{report:?}");
    assert_eq!((refused[0].line, refused[1].line), (2, 3));
    assert!(refused[0].reason.contains("longer than"), "{}", refused[0].reason);
    assert!(refused.iter().all(|one| one.reason.chars().count() <= 500));
    let kept = journal::rejected(&state.reader().unwrap()).unwrap();
    assert!(kept.iter().all(|entry| entry.record.body.len() < 1 << 20));
    end(state, door, &file);
}

#[test]
fn a_pipe_is_read_as_its_source_declares_like_the_file() {
    let file = std::env::temp_dir().join(format!("planthread-piped-{}.csv", std::process::id()));
    let (state, plant, door) = counting("piped", &file);
    let source = &plant.sources[0];
    let piped = |text: &str| super::piped::piped(source, text.as_bytes(), "stdin", &door).unwrap();
    let report =
        piped("hour,machine,parts\r\n2026-11-01T10:00:00Z,M1,60\r\n2026-11-01T11:00:00Z,M1,61");
    assert_eq!((report.kept.taken, report.kept.rejected.len()), (2, 0));
    // The file that holds the same rows tells nothing new.
    fs::write(&file, "hour,machine,parts\n2026-11-01T10:00:00Z,M1,60\n").unwrap();
    let read = super::files::sources(&plant, &door, &state.reader().unwrap()).unwrap().remove(0);
    assert_eq!((read.kept.taken, read.kept.duplicates), (0, 1));
    let wrong = piped("when,machine,parts\n2026-11-01T12:00:00Z,M1,60\n");
    assert_eq!((wrong.kept.taken, wrong.kept.rejected.len()), (0, 1));
    assert_eq!(wrong.kept.rejected[0].field, "header");
    end(state, door, &file);
}

#[tokio::test]
async fn only_the_loopback_is_bound() {
    let config = HttpIntake { listen: "0.0.0.0:0".parse().unwrap(), body_limit: 1 };
    let refused = Endpoint::bind(&config).await.unwrap_err();
    assert!(refused.cure.contains("127.0.0.1"), "{refused}");
}

#[test]
fn a_file_that_is_replaced_or_cut_while_it_is_read_gives_no_part_of_a_row() {
    let file = std::env::temp_dir().join(format!("planthread-cut-{}.csv", std::process::id()));
    let (state, plant, door) = counting("cut", &file);
    let (head, one, two) =
        ("hour,machine,parts\n", "2026-11-01T10:00:00Z,M1,60\n", "2026-11-01T11:00:00Z,M1,1234\n");
    let text = format!("{head}{one}{two}");
    fs::write(&file, &text).unwrap();
    let input = fs::File::open(&file).unwrap();
    let read = |cut: usize| -> Vec<_> {
        let (length, now) = ((text.len() - cut) as u64, door.now());
        let (source, file, place) = (&plant.sources[0], file.as_path(), "cut.csv");
        let part = Region::whole(source, file, &input, (place, now), (length, false));
        let Content::Arrivals(rows) = part.content().unwrap() else { panic!("a wrong header") };
        rows.collect()
    };
    let cut = read(3);
    assert!(matches!(cut.as_slice(), [Ok(Ok(_)), Err(_)]), "{cut:?}");
    let other = file.with_extension("new");
    fs::write(&other, head).unwrap();
    fs::rename(other, &file).unwrap();
    let whole = read(0);
    assert!(matches!(whole.as_slice(), [Ok(Ok(_)), Ok(Ok(_))]), "{whole:?}");
    end(state, door, &file);
}
