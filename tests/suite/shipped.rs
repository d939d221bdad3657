//! What starting points bring along and somebody signed.

use std::{fs, path::Path};

use planthread::registry::TARGETS;
use planthread_kit::agreement::{SigningKey, document::Signed, gate::sign};

/// Whoever edits an agreement that is shipped runs this test: it signs it.
#[test]
fn every_shipped_agreement_is_signed_by_the_demos_key() {
    let (demo, mut found) = (SigningKey::demo().unwrap(), 0);
    for target in TARGETS.iter().map(|registered| registered.target) {
        for (name, text) in target.starter.files.iter().filter(|(_, text)| text.contains("golden"))
        {
            let shipped: Signed = serde_json::from_str(text).unwrap();
            let fresh = sign(shipped.document.clone(), &demo);
            if fresh.signature.value != shipped.signature.value {
                let file = Path::new(name).file_name().unwrap();
                let folder = format!("connectors/{}/agreement", target.name);
                let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(file);
                fs::write(path, serde_json::to_string_pretty(&fresh).unwrap() + "\n").unwrap();
                panic!("{name} was not signed; it is now: look at it and commit it");
            }
            // A starting point trusts the key, or leaves that to who turns it on.
            let section = target.starter.section;
            assert!(!section.contains("trusts: { planthread") || section.contains(&demo.public()));
            found += 1;
        }
    }
    assert!(found >= 2, "{found} agreements");
}
