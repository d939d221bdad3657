//! The manual route of each target: the pack that a bridge wrote, carried into a
//! sandbox that no bridge reached. Whole it brings what would have been written;
//! damaged or half copied in any way, nothing.

use std::{collections::BTreeMap, fs, path::Path};

use planthread::{
    pipeline::{Course, OpenTarget},
    registry::{Registered, TARGETS},
};
use planthread_engine::{ledger, verify::Which};

use crate::site::{Site, place};

/// Files of a folder by their names, without the note for people.
type Folder = BTreeMap<String, String>;

fn read(folder: &Path) -> Folder {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let named =
        entries.map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), path));
    let files = named.filter(|(name, _)| !name.ends_with(".txt"));
    files.map(|(name, path)| (name, fs::read_to_string(path).unwrap())).collect()
}

/// Hands the files to the sandbox, as its product takes them; what it said of each.
fn load(site: &Site, scope: &str, folder: &Folder) -> Result<(), Vec<String>> {
    let send = |query: &str, text: &str| {
        let scope = scope.replace(' ', "%20");
        let request = http::Request::post(format!("/planner/pack?version={scope}&{query}"))
            .header("content-type", "text/csv")
            .body(bytes::Bytes::from(text.to_owned()))
            .unwrap();
        let answer = site.send(&request).response;
        match answer.status().is_success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(answer.body()).into_owned()),
        }
    };
    let done = folder.get("capacity.done").map_or("", |mark| mark.trim());
    // The manifest after the files of the pack, and what ends the copying last.
    let rank = |name: &str| (name == "extract.done", name == "manifest.json");
    let mut files: Vec<_> = folder.iter().filter(|(name, _)| *name != "capacity.done").collect();
    files.sort_by_key(|(name, _)| rank(name));
    let csv = files.iter().any(|(name, _)| name.ends_with(".csv"));
    files.retain(|(name, _)| !csv || name.ends_with(".csv"));
    let query = |name: &str| if csv { format!("done={done}") } else { format!("file={name}") };
    let refused: Vec<String> =
        files.iter().filter_map(|(name, text)| send(&query(name), text).err()).collect();
    match refused.is_empty() && !files.is_empty() {
        true => Ok(()),
        false => Err(refused),
    }
}

/// A copy in which the file `name` is spoilt in each of some ways.
fn spoilt(folder: &Folder, name: &str) -> Vec<(&'static str, Folder)> {
    let text = &folder[name];
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut lost = lines.clone();
    lost.remove(lines.len() / 2);
    let digit = text.rfind(|c: char| c.is_ascii_digit()).unwrap();
    let mut turned = text.clone();
    let other = if &text[digit..=digit] == "1" { "2" } else { "1" };
    turned.replace_range(digit..=digit, other);
    let with = |text: String| {
        let mut folder = folder.clone();
        folder.insert(name.to_owned(), text);
        folder
    };
    let mut without = folder.clone();
    without.remove(name);
    vec![
        ("a line is lost", with(lost.concat())),
        ("half a copy", with(text[..text.len() / 2].to_owned())),
        ("cut at a line", with(lines[..lines.len() / 2].concat())),
        ("another digit", with(turned)),
        ("a line twice", with([lines.concat(), lines[lines.len() / 2].to_owned()].concat())),
        ("not there", without),
    ]
}

/// Tries each damage to the pack of a target, then the whole of it.
fn carried(registered: &Registered, wired: &Site, alone: &Site, target: &OpenTarget) {
    let name = registered.target.name;
    let folder = read(&wired.folder.join("packs").join(&target.name).join("current"));
    let before = alone.history().len();
    let data = |name: &&String| !name.ends_with(".json") && !name.ends_with(".done");
    // The file of SAP IBP has no mark of its end: what its import job takes of half a
    // file, a person sees in the job's report.
    for file in folder.keys().filter(data).filter(|_| name != "sap-ibp") {
        for (how, spoilt) in spoilt(&folder, file) {
            let refused = load(alone, target.scope.name(), &spoilt);
            assert!(refused.is_err(), "{name}, {file}: {how}");
            assert_eq!(alone.history().len(), before, "{name}, {file}: {how}");
        }
    }
    let loaded = load(alone, target.scope.name(), &folder);
    loaded.unwrap_or_else(|why| panic!("{}: {why:?}", target.name));
}

fn by_hand(registered: &Registered) {
    let (wired, alone) = (Site::new(registered, None), Site::new(registered, None));
    let bridge = wired.bridge();
    let targets = bridge.targets(None).unwrap();
    wired.clock.block_on(bridge.cycle(&targets, bridge.as_of())).unwrap();
    let packed: Vec<&OpenTarget> =
        targets.iter().filter(|target| target.config.pack.is_some()).collect();
    packed.iter().for_each(|target| carried(registered, &wired, &alone, target));
    let (held, mut wanted) = (alone.stored().0, 0);
    ledger::cells(&bridge.reader().unwrap(), bridge.as_of(), |cell| {
        if !packed.iter().any(|target| target.name == cell.key.target.as_str()) {
            return Ok(());
        }
        let place = place(&bridge, &cell.key);
        assert_eq!(held.get(&place), Some(&cell.value), "{place:?}");
        wanted += 1;
        Ok(())
    })
    .unwrap();
    assert!(wanted > 20, "{}", registered.target.name);
}

#[test]
fn a_pack_brings_what_would_have_been_written_or_nothing() {
    TARGETS.iter().for_each(by_hand);
}

/// Nothing was ever sent; a person loads the whole pack, and it is read back.
fn taken_in(registered: &Registered) {
    let site = Site::new(registered, None);
    let bridge = site.bridge();
    bridge.ingest().unwrap();
    let (truth, targets) = (bridge.truth(bridge.as_of()).unwrap(), bridge.targets(None).unwrap());
    for target in targets.iter().filter(|target| target.config.pack.is_some()) {
        let name = &target.name;
        bridge.want(target, &truth).unwrap();
        let packed = bridge.pack(target, truth.as_of).unwrap().unwrap();
        assert_eq!(packed.left_out(), 0, "{name}");
        let cells = packed.cells as u64;
        let walk = |course| site.clock.block_on(bridge.walk(target, course));
        let verified = || {
            let done = walk(Course::Verify { read_back: Which::All });
            assert!(done.stopped.is_none(), "{name}: {:?}", done.stopped);
            let read = done.verified.unwrap();
            (read.read, read.landed)
        };
        let due = || {
            let done = walk(Course::Plan { truth: &truth, file: None });
            done.plan.unwrap().header.counts.cells
        };
        // Zeros are read where nothing is, too: none of them counts.
        assert_eq!((verified(), due()), ((cells, 0), cells), "{name}, before");
        let folder = read(&site.folder.join("packs").join(name).join("current"));
        load(&site, target.scope.name(), &folder).unwrap();
        for nth in 1..3 {
            assert_eq!((verified(), due()), ((cells, cells), 0), "{name}, read {nth}");
        }
    }
}

#[test]
fn a_pack_that_was_loaded_by_hand_is_seen_to_its_last_zero_and_counted_once() {
    TARGETS.iter().for_each(taken_in);
}
