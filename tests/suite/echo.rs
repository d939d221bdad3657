//! Law 15 by value: a target, or whoever stands before it, repeats the caller's
//! credentials in its own words. Twenty-two ways of writing them down, in nine
//! places of its answers: none of them is kept or shown.

use std::{fmt::Write as _, fs, io::Write as _, path::Path};

use planthread_kit::Masked;
use planthread_mocks::sap_ibp::Options;

use crate::{
    wire::Spot,
    world::{World, plan_of},
};

/// A password with everything that is written differently somewhere.
const PASSWORD: &str = "Zq7#Wr/9\"zT+p='&ñ";
/// `planthread:` and it, in base64, as RFC 7617 wants it.
const PAIR: &str = "cGxhbnRocmVhZDpacTcjV3IvOSJ6VCtwPScmw7E=";

/// The ways, by name. Written out by hand or by another tool than ours, so that
/// no fault of the masker is repeated here.
fn shapes() -> Vec<(&'static str, String)> {
    let each = |f: &dyn Fn(u8) -> String| PASSWORD.bytes().map(f).collect::<String>();
    let chars = |f: &dyn Fn(char) -> String| PASSWORD.chars().map(f).collect::<String>();
    let all_percent = each(&|byte| format!("%{byte:02X}"));
    let json = "Zq7#Wr/9\\\"zT+p='&ñ";
    vec![
        ("plain", PASSWORD.to_owned()),
        ("header", format!("Basic {PAIR}")),
        ("pair", PAIR.to_owned()),
        ("pair without padding", PAIR.trim_end_matches('=').to_owned()),
        ("pair for a URL", PAIR.replace('+', "-").replace('/', "_")),
        ("pair, percent-encoded", PAIR.replace('=', "%3D")),
        ("pair over two lines", format!("{}\r\n {}", &PAIR[..20], &PAIR[20..])),
        ("alone, in base64", "WnE3I1dyLzkielQrcD0nJsOx".to_owned()),
        (
            "pair once more in base64",
            "Y0d4aGJuUm9jbVZoWkRwYWNUY2pWM0l2T1NKNlZDdHdQU2NtdzdFPQ==".to_owned(),
        ),
        ("percent-encoded", "Zq7%23Wr%2F9%22zT%2Bp%3D%27%26%C3%B1".to_owned()),
        ("percent-encoded, lower case", "Zq7%23Wr%2f9%22zT%2bp%3d%27%26%c3%b1".to_owned()),
        ("percent-encoded wholly", all_percent.clone()),
        ("percent-encoded twice", all_percent.replace('%', "%25")),
        ("in a link", "https://planthread:Zq7%23Wr%2F9%22zT%2Bp%3D'&%C3%B1@host/path".to_owned()),
        ("in JSON", json.to_owned()),
        ("in JSON inside of JSON", json.replace('\\', "\\\\").replace('"', "\\\"")),
        ("in JSON, by numbers", chars(&|c| format!("\\u{:04x}", u32::from(c)))),
        ("in HTML", "Zq7#Wr/9&quot;zT+p=&#39;&amp;ñ".to_owned()),
        ("in HTML, by numbers", chars(&|c| format!("&#{};", u32::from(c)))),
        ("in HTML, in hex", chars(&|c| format!("&#x{:x};", u32::from(c)))),
        ("in hex", each(&|byte| format!("{byte:02x}"))),
        ("in upper case", PASSWORD.replace('ñ', "?").to_uppercase()),
    ]
}

/// What must not be found: each way as it is, and as our own JSON writes it.
fn traces() -> Vec<(&'static str, String)> {
    let mut traces = shapes();
    for (name, shape) in shapes() {
        let json = serde_json::to_string(&shape).unwrap();
        traces.push((name, json.trim_matches('"').to_owned()));
        // A text is kept in one line.
        traces.push((name, shape.split_whitespace().collect::<Vec<_>>().join(" ")));
    }
    // Whatever stands around it, this is enough of the password or the pair.
    traces.push(("part", "Wr/9".to_owned()));
    traces.push(("part of the pair", "acTcjV3IvOSJ6VCtw".to_owned()));
    traces
}

fn search(place: &str, bytes: &[u8], found: &mut Vec<String>) {
    for (name, trace) in traces() {
        if bytes.windows(trace.len()).any(|window| window == trace.as_bytes()) {
            found.push(format!("{name} in {place}"));
        }
    }
}

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

/// One cycle and one look around, while everything repeats `text` at `spot`.
/// What our structures say goes to `said`; what is printed, to the screen.
fn listen(world: &World, said: &mut String, screen: &mut Masked<Vec<u8>>) {
    let live = world.open();
    let done = world.cycle(&live);
    let found = world.clock.block_on(live.target.connector.discover());
    for failure in done.stopped.iter().map(ToString::to_string) {
        writeln!(said, "{failure}").unwrap();
    }
    if let Err(error) = &found {
        writeln!(said, "{error} {error:?}").unwrap();
    }
    let reader = live.bridge.reader().unwrap();
    let rejects = planthread_engine::status::rejects(&reader).unwrap();
    writeln!(said, "{}", serde_json::to_string(&rejects).unwrap()).unwrap();
    let shown = format!("{}\n{done:?}\n{found:?}\n", serde_json::to_string(&done).unwrap());
    screen.write_all(shown.as_bytes()).unwrap();
}

#[test]
fn law_15_no_way_of_repeating_a_credential_is_kept_or_shown() {
    let shapes = shapes();
    assert!(shapes.len() >= 18);
    let (mut found, mut repeating) = (Vec::new(), 0);
    for spot in Spot::ALL {
        let mut config = plan_of(2, 1);
        // A row that the target refuses, so that there are messages about it.
        config["targets"]["ibp"]["mapping"]["rows"][0]["resource"] = "NOBODY".into();
        let world = World::new(&config, Options::default());
        fs::write(world.folder.join("password"), format!("{PASSWORD}\n")).unwrap();
        world.wire().basic = format!("Basic {PAIR}");
        let (mut said, mut screen) = (String::new(), Masked(Vec::new()));
        // As many at once as a text that is kept has room for.
        for some in shapes.chunks(3) {
            let shapes: Vec<&str> = some.iter().map(|(_, shape)| shape.as_str()).collect();
            let text = format!("we got {} from you", shapes.join(" and "));
            world.wire().says = Some((spot, text));
            listen(&world, &mut said, &mut screen);
            world.pass(31);
        }
        search(&format!("what was said, {spot:?}"), said.as_bytes(), &mut found);
        search(&format!("what was shown, {spot:?}"), &screen.0, &mut found);
        repeating += usize::from(screen.0.windows(3).any(|window| window == b"***"));
        assert!(search_files(&world.folder.join("state"), &mut found) >= 2);
    }
    assert!(found.is_empty(), "{found:#?}");
    assert!(repeating >= 5, "{repeating} places were shown at all");
}
