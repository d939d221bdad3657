//! Rows that the target answered with 201, imported without a word, and
//! dropped: only the read-back finds them.

use serde_json::json;

use crate::{program::Project, site::Site};

#[test]
fn law_2_an_accepted_and_dropped_row_is_found_by_verify_and_named() {
    let project = Project::init("dropped");
    // The fourth line has no master data there, and the import says nothing.
    let options = ["--resources", "3", "--without", "unknown-row-in-messages"];
    let site = Site::start(&project, &options);
    project.aim(&site.url);
    let settle = |minutes: u32| {
        let policy = json!({ "policy": { "settle_minutes": minutes } });
        project.also(&json!({ "targets": { "ibp": policy } }));
    };
    settle(15);
    project.run(&["ingest"]).must(0);

    // It said that it took everything; what can't be read yet is not proven.
    let applied = project.run(&["apply", "--json"]).json(3);
    let applied = &applied["targets"][0];
    assert_eq!((&applied["rejected"], &applied["unproven"]), (&json!(0), &json!(0)), "{applied}");
    assert_eq!(applied["accepted"], applied["sent"], "{applied}");
    let missing = applied["verified"]["not_yet"].as_u64().unwrap();
    assert!(missing > 20, "{applied}");

    // Its time to appear is over: here after no minutes, because nobody waits
    // in a test.
    settle(0);
    let verified = project.run(&["verify"]);
    assert_eq!(verified.code, Some(1), "{verified:?}");
    for words in ["LINE-4@1020", "not there", "though the target said that it took it"] {
        assert!(verified.stdout.contains(words), "no `{words}` in {}", verified.stdout);
    }
    let named = verified.stdout.lines().filter(|line| line.contains("there is nothing"));
    assert!(named.clone().count() > 5, "{}", verified.stdout);
    assert!(named.into_iter().all(|line| line.contains("/LINE-4@")), "{}", verified.stdout);

    // It stays known until it lands: a question for its owner, and a new write.
    let status = project.run(&["status", "--json"]).json(1);
    let scope = &status["scopes"][0];
    assert_eq!(scope["seen"].as_u64().unwrap() + missing, scope["wanted"], "{scope}");
    assert!(status["cases"][0]["example"].to_string().contains("LINE-4"), "{status}");
    let plans = project.run(&["plan", "--json"]).json(0);
    assert_eq!(plans["targets"][0]["counts"]["cells"], missing, "{plans}");
}
