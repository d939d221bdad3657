//! A pack on the bad day: whoever loads it can tell whether it is what was written.

use std::{fs, path::Path};

use planthread_engine::{
    fallback::{Manifest, PackFault, PackRequest, check_pack, write_pack},
    verify::Which,
};
use planthread_kit::{Clock as _, agreement::SigningKey};
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use crate::world::{World, d, desired, key as key_of};

const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";

fn key() -> SigningKey {
    SigningKey::read(SEED).unwrap()
}

/// A pack in `current`, signed or not.
fn packed(signed: bool) -> (World, std::path::PathBuf) {
    let world = World::new();
    world.want(&[("R1", 48, "100")]);
    let folder = pack(&world, signed).1;
    (world, folder)
}

/// Writes the pack of `world`, and says where.
fn pack(world: &World, signed: bool) -> (Manifest, std::path::PathBuf) {
    let (policy, key, now) = (world.policy(), key(), world.clock.now());
    let who = "the planning lead";
    let key = signed.then_some(&key);
    let request = PackRequest { policy: &policy, as_of: now, now, who, key, audit: None };
    let folder = world.dir.join("share");
    let manifest = write_pack(&world.reader(), &world.fake, &request, &folder).unwrap();
    (manifest, folder.join("current"))
}

fn found(folder: &Path, public: &str) -> Vec<(String, PackFault)> {
    let check = check_pack(folder, public).unwrap();
    check.findings.into_iter().map(|one| (one.file, one.what)).collect()
}

#[test]
fn a_pack_is_what_was_written_or_its_file_is_named() {
    let (_world, folder) = packed(true);
    let public = key().public();
    assert_eq!(found(&folder, &public), []);
    let other = SigningKey::demo().unwrap().public();
    let (signature, manifest) = ("manifest.sig.json".to_owned(), "manifest.json".to_owned());
    assert_eq!(found(&folder, &other), [(signature.clone(), PackFault::OtherKey)]);

    // A flipped byte whose digest was made right again.
    let cells = folder.join("cells.csv");
    let before = fs::read(&cells).unwrap();
    let mut bytes = before.clone();
    bytes[0] ^= 1;
    fs::write(&cells, &bytes).unwrap();
    assert_eq!(found(&folder, &public), [("cells.csv".to_owned(), PackFault::Changed)]);
    let hex = |bytes: &[u8]| {
        Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let text = fs::read_to_string(folder.join(&manifest)).unwrap();
    assert!(text.contains(&hex(&before)));
    fs::write(folder.join(&manifest), text.replace(&hex(&before), &hex(&bytes))).unwrap();
    assert_eq!(found(&folder, &public), [(manifest.clone(), PackFault::NotWhatWasSigned)]);
    // And what was signed was changed to fit.
    let signed = fs::read_to_string(folder.join(&signature)).unwrap();
    let now = fs::read(folder.join(&manifest)).unwrap();
    fs::write(folder.join(&signature), signed.replace(&hex(text.as_bytes()), &hex(&now))).unwrap();
    assert_eq!(found(&folder, &public), [(signature.clone(), PackFault::NotWhatWasSigned)]);
    // Or signed by somebody else, who says that it is ours.
    fs::remove_file(folder.join(&signature)).unwrap();
    assert_eq!(found(&folder, &public), [(signature, PackFault::NotSigned)]);
    fs::write(folder.join("more.csv"), "x").unwrap();
    assert!(found(&folder, &public).contains(&("more.csv".to_owned(), PackFault::Unknown)));
}

#[test]
fn the_note_says_how_old_it_is_who_may_load_it_and_how_to_go_back() {
    for signed in [true, false] {
        let (world, folder) = packed(signed);
        let note = fs::read_to_string(folder.join("README.txt")).unwrap();
        let as_of = format!("State of: {}", world.clock.now());
        for words in [
            as_of.as_str(),
            "Stale from:",
            "Who may load it: the planning lead.",
            "fallback enter",
            "How to go back: the folder `previous`",
            "fallback leave",
            if signed { "fallback verify . --key KEY" } else { "compare the sha256" },
        ] {
            assert!(note.contains(words), "{words}: {note}");
        }
        assert_eq!(folder.join("manifest.sig.json").exists(), signed);
    }
}

/// Each bit of the signature's file: what no signature covers speaks of that file, too.
#[test]
fn no_bit_of_a_signature_changes_unnoticed_or_under_another_name() {
    let (_world, folder) = packed(true);
    let path = folder.join("manifest.sig.json");
    let bytes = fs::read(&path).unwrap();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            fs::write(&path, &changed).unwrap();
            let found = found(&folder, &key().public());
            let named = |(file, _): &(String, PackFault)| file == "manifest.sig.json";
            // White space, and the case of a digit, say nothing.
            assert!(found.iter().all(named), "byte {at}, bit {bit}: {found:?}");
            let same = |byte: u8| byte.is_ascii_whitespace() || byte.is_ascii_hexdigit();
            assert!(!found.is_empty() || same(bytes[at]), "byte {at}, bit {bit}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn what_a_person_loaded_is_seen_to_its_last_zero_and_padding_is_no_landing(
        loaded in prop::sample::subsequence(vec!["R1", "R2", "R3"], 0..=3),
    ) {
        let world = World::new();
        // Nothing is lost in all of them, and all is lost in one.
        let lives = [("R1", 48, "168"), ("R2", 48, "0"), ("R3", 49, "168")];
        world.want(&lives);
        for (resource, week, live) in lives {
            for cell in desired(resource, week, d(live), world.clock.now()) {
                let value = if loaded.contains(&resource) { cell.value } else { d("0") };
                world.foreign(cell.key, &value.to_string());
            }
        }
        for _ in 0..3 {
            let read = world.verify(Which::All);
            prop_assert_eq!((read.read, read.landed), (12, 4 * loaded.len() as u64));
            prop_assert_eq!(world.status().seen, read.landed);
            world.audit();
            world.advance(60);
        }
        let (_, applied, _) = world.land();
        prop_assert_eq!(applied.sent, 12 - 4 * loaded.len() as u64);
        prop_assert_eq!(world.status().seen, 12);
        world.audit();
    }

    #[test]
    fn law_13_what_is_wanted_is_in_the_pack_or_said_to_be_left_out(
        refuses in prop::sample::subsequence(vec!["R1", "R2", "R3"], 0..=3),
        locked in any::<bool>(),
    ) {
        let world = World::new();
        world.want(&[("R1", 48, "100"), ("R2", 48, "90"), ("R3", 49, "80")]);
        world.fake.inside().refuses = refuses.iter().map(|&name| name.to_owned()).collect();
        world.land();
        let theirs = u64::from(locked && !refuses.contains(&"R1"));
        if theirs > 0 {
            world.foreign(key_of("R1", 48, "live"), "42");
            world.verify(Which::All);
        }
        let (manifest, folder) = pack(&world, false);
        let refused = 4 * refuses.len() as u64;
        prop_assert_eq!(manifest.left_out(), refused + theirs);
        prop_assert_eq!(manifest.cells as u64 + manifest.left_out(), world.status().wanted);
        let note = fs::read_to_string(folder.join("README.txt")).unwrap();
        prop_assert_eq!(note.contains("Left out:"), refused + theirs > 0);
        prop_assert_eq!(note.contains(&format!("  {refused} rejected not cured: ")), refused > 0);
        prop_assert_eq!(note.contains("  1 lock: "), theirs > 0);
        prop_assert_eq!(note.contains("`planthread rejects`"), refused + theirs > 0);
        let said: Manifest = serde_json::from_slice(&fs::read(folder.join("manifest.json")).unwrap()).unwrap();
        prop_assert_eq!(said.left_out, manifest.left_out);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    /// Whatever byte of a signed pack changes, and whatever file of it is gone, its
    /// file is named.
    #[test]
    fn no_byte_of_a_signed_pack_changes_unnoticed(
        file in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(),
        bit in 0_u8..8, gone: bool,
    ) {
        let (_world, folder) = packed(true);
        let mut names: Vec<_> = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        let name = names[file.index(names.len())].to_str().unwrap().to_owned();
        let path = folder.join(&name);
        if gone {
            fs::remove_file(&path).unwrap();
        } else {
            let mut bytes = fs::read(&path).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            fs::write(&path, bytes).unwrap();
        }
        let found = found(&folder, &key().public());
        // White space in the file of the signature says nothing.
        let harmless = !gone && name == "manifest.sig.json" && found.is_empty();
        let told = found.iter().any(|(file, _)| *file == name);
        prop_assert!(told || harmless, "{name}: {found:?}");
    }
}
