//! A pack on the bad day: whoever loads it can tell whether it is what was written.

use std::{fs, path::Path};

use planthread_engine::fallback::{PackFault, PackRequest, check_pack, write_pack};
use planthread_kit::{Clock as _, agreement::SigningKey};
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use crate::world::World;

const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";

fn key() -> SigningKey {
    SigningKey::read(SEED).unwrap()
}

/// A pack in `current`, signed or not.
fn packed(signed: bool) -> (World, std::path::PathBuf) {
    let world = World::new();
    world.want(&[("R1", 48, "100")]);
    let (policy, key, now) = (world.policy(), key(), world.clock.now());
    let who = "the planning lead";
    let key = signed.then_some(&key);
    let request = PackRequest { policy: &policy, as_of: now, now, who, key, audit: None };
    let folder = world.dir.join("share");
    write_pack(&world.reader(), &world.fake, &request, &folder).unwrap();
    (world, folder.join("current"))
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
