//! Who is told what, over days and restarts.

use jiff::ToSpan as _;

use super::*;

fn at(minutes: i64) -> Timestamp {
    let start: Timestamp = "2026-11-27T08:00:00Z".parse().unwrap();
    start + minutes.minutes()
}

/// Nothing was told since eight.
fn told() -> Told {
    let mut told = Told::default();
    told.by(Way::Webhook, at(0));
    told
}

fn open(key: &str, urgent: bool, since: Timestamp) -> Situation {
    let (key, owner, target) = (key.to_owned(), "operator".to_owned(), "ibp".to_owned());
    let (what, cure) = ("it is so".to_owned(), "look".to_owned());
    let id = String::new();
    Situation { key, id, owner, target, urgent, what, cure, since }
}

/// One look, and what was sent by it: keys that begin, keys that end, keys of a
/// digest.
fn look(told: &mut Told, now: Timestamp, situations: &[Situation], whole: bool) -> Vec<String> {
    // Digests are due at seven in the morning.
    let day: Timestamp = "2026-11-27T07:00:00Z".parse().unwrap();
    let days = now.duration_since(day).as_hours().div_euclid(24);
    let pace = Pace { least: SignedDuration::from_mins(15), digest_due: day + (days * 24).hours() };
    let seen = Seen { situations: situations.to_vec(), whole };
    let mut said = Vec::new();
    for alert in decide(&seen, told.by(Way::Webhook, now), pace, "p", now) {
        // Between any two looks the bridge may have started anew.
        told.by(Way::Webhook, now).sent(&alert, now);
        *told = serde_json::from_str(&serde_json::to_string(told).unwrap()).unwrap();
        let words = [("+", &alert.begins), ("-", &alert.ends), ("=", &alert.open)];
        for (word, list) in words {
            said.extend(list.iter().map(|one| format!("{word}{}", one.key)));
        }
    }
    said
}

#[test]
fn what_is_urgent_is_told_once_when_it_begins_and_once_when_it_ends() {
    let mut told = told();
    let away = [open("away", true, at(1))];
    assert_eq!(look(&mut told, at(1), &away, true), ["+away"]);
    for minute in 2..60 {
        assert!(look(&mut told, at(minute), &away, true).is_empty(), "minute {minute}");
    }
    assert!(look(&mut told, at(61), &[], false).is_empty(), "half a look ends nothing");
    assert_eq!(look(&mut told, at(62), &[], true), ["-away"]);
    assert!(look(&mut told, at(90), &[], true).is_empty());
}

#[test]
fn what_flaps_is_told_no_more_often_than_is_allowed() {
    let mut told = told();
    let mut messages = 0;
    for minute in 0..(6 * 60) {
        let away = [open("away", true, at(minute))];
        let now: &[Situation] = if minute % 2 == 0 { &away } else { &[] };
        messages += usize::from(!look(&mut told, at(minute), now, true).is_empty());
    }
    assert!((2..=24).contains(&messages), "{messages} in six hours");
}

#[test]
fn a_digest_comes_once_a_day_while_something_is_open_and_not_at_the_start() {
    let mut told = told();
    let open = [open("rejected", false, at(0)), open("away", true, at(0))];
    let mut digests = Vec::new();
    for minute in 0..(3 * 24 * 60) {
        let said = look(&mut told, at(minute), &open, true);
        if said.iter().any(|one| one.starts_with('=')) {
            assert_eq!(said, ["=rejected", "=away"]);
            digests.push(minute);
        }
    }
    // Started at eight: the first one is due 23 hours later.
    assert_eq!(digests, [23 * 60, 47 * 60, 71 * 60]);
    let seen = Seen { situations: Vec::new(), whole: true };
    let pace = Pace { least: SignedDuration::ZERO, digest_due: at(9_000) };
    let quiet = decide(&seen, told.by(Way::Webhook, at(0)), pace, "p", at(9_001));
    assert!(quiet.iter().all(|alert| !alert.digest), "nothing is open: {quiet:?}");
}

#[test]
fn a_message_that_comes_again_has_the_same_id_and_another_one_has_another() {
    let pace = Pace { least: SignedDuration::ZERO, digest_due: at(-60) };
    let id = |key: &str, since, now| {
        let seen = Seen { situations: vec![open(key, true, since)], whole: true };
        decide(&seen, &ByWay { began: at(0), ..ByWay::default() }, pace, "p", now)[0].id.clone()
    };
    assert_eq!(id("away", at(1), at(2)), id("away", at(1), at(9)));
    assert_ne!(id("away", at(1), at(2)), id("away", at(2), at(2)));
    assert_ne!(id("away", at(1), at(2)), id("disk", at(1), at(2)));
}

#[test]
fn a_message_is_bounded() {
    let many: Vec<_> = (0..250).map(|n| open(&format!("case {n}"), true, at(0))).collect();
    let pace = Pace { least: SignedDuration::ZERO, digest_due: at(-60) };
    let seen = Seen { situations: many, whole: true };
    let alert =
        decide(&seen, &ByWay { began: at(0), ..ByWay::default() }, pace, "p", at(1)).remove(0);
    assert_eq!((alert.begins.len(), alert.not_listed), (LISTED, 250 - LISTED));
}

/// What a look finds, and what becomes of its message.
#[derive(Clone, Copy)]
struct Step {
    is_open: bool,
    /// The webhook takes it, does not, or takes it and the program dies.
    webhook: usize,
}

fn broken(kind: Kind, what: String, since: Option<Timestamp>) -> Open {
    let (of, owner, target) = ("x".to_owned(), "operator".to_owned(), String::new());
    Open { kind, of, owner, target, what, since }
}

/// The ids of each time that a trouble lasted, as `steps` say it: of the situation, and
/// of the messages that said that it began.
fn ids(kind: Kind, own: bool, steps: &[Step]) -> Vec<BTreeSet<String>> {
    let mut told = told();
    let pace = Pace { least: SignedDuration::ZERO, digest_due: at(-60) };
    let mut ids: Vec<BTreeSet<String>> = Vec::new();
    let mut began = None;
    for (ten, step) in (1..).zip(steps) {
        let now = at(ten * 10);
        if step.is_open && began.is_none() {
            began = Some(now);
            ids.push(BTreeSet::new());
        }
        began = began.filter(|_| step.is_open);
        // What it says changes all the time.
        let one = broken(kind, format!("look {ten}"), began.filter(|_| own));
        let open = if step.is_open { vec![one] } else { Vec::new() };
        let seen = told.know(Found { open, whole: true }, now);
        // It is kept before anything is sent.
        let kept = serde_json::to_string(&told).unwrap();
        for alert in decide(&seen, told.by(Way::Webhook, now), pace, "p", now) {
            if let (Some(one), Some(last)) = (alert.begins.first(), ids.last_mut()) {
                last.insert(format!("{} {}", alert.id, one.id));
            }
            if step.webhook == 0 {
                told.by(Way::Webhook, now).sent(&alert, now);
            }
        }
        if step.webhook == 2 {
            told = serde_json::from_str(&kept).unwrap();
        }
    }
    ids
}

#[test]
fn an_id_is_the_same_for_as_long_as_the_same_trouble_lasts_and_never_of_another() {
    let each = |n: usize| Step { is_open: n.is_multiple_of(2), webhook: n / 2 };
    let mut messages = 0;
    for kind in [kinds::UNWRITTEN, kinds::ROUNDS_FAIL, Kind { urgent: true, ..kinds::BREAKER }] {
        for all in 0..6_usize.pow(5) * 2 {
            let steps = [0, 1, 2, 3, 4].map(|nth| each(all / 2 / 6_usize.pow(nth) % 6));
            let found = ids(kind, all % 2 == 0, &steps);
            let count: usize = found.iter().map(BTreeSet::len).sum();
            let different: BTreeSet<&String> = found.iter().flatten().collect();
            assert_eq!(count, different.len(), "{}, case {all}", kind.word);
            assert!(found.iter().all(|one| one.len() <= 1), "{}, case {all}: {found:?}", kind.word);
            messages += count;
        }
    }
    assert!(messages > 10_000, "{messages}");
}

#[test]
fn half_a_look_forgets_nothing_and_what_is_too_young_is_told_to_nobody() {
    for minutes in 1..40 {
        let mut told = told();
        let one = || vec![broken(kinds::BREAKER, String::new(), None)];
        let first = told.know(Found { open: one(), whole: true }, at(0));
        assert!(first.situations.is_empty());
        told.know(Found { open: vec![], whole: false }, at(1));
        let seen = told.know(Found { open: one(), whole: true }, at(minutes));
        assert_eq!(seen.situations.len(), usize::from(minutes >= 15));
        assert!(seen.situations.iter().all(|one| one.since == at(0)));
    }
}

#[test]
fn refused_cells_are_one_situation_for_each_owner_and_told_once_a_day() {
    let reject = |owner: &str, resource: &str, minutes| planthread_engine::status::Reject {
        key: serde_json::from_value(serde_json::json!({ "target": "ibp", "scope": "",
            "resource": resource, "location": "1010", "period": "2026-W48", "measure": "live" }))
        .unwrap(),
        revision: 1,
        value: 7.into(),
        reason: "no such resource".into(),
        vendor_code: None,
        cure: String::new(),
        owner: owner.into(),
        attempt: String::new(),
        at: at(minutes),
        state: planthread_engine::ledger::RejectState::Open,
        ended_at: None,
        who: String::new(),
        why: String::new(),
        missing: Vec::new(),
    };
    let refused = [reject("anna", "L1", 5), reject("bo", "L2", 6), reject("anna", "L3", 2)];
    let mut told = told();
    let mut messages = Vec::new();
    for minutes in (0..2 * 1_440).step_by(30) {
        let open = situations::of_refused(&refused);
        let seen = told.know(Found { open, whole: true }, at(minutes));
        let due = at(minutes / 1_440 * 1_440 + 60);
        let digest_due = if due <= at(minutes) { due } else { at(-60) };
        let pace = Pace { least: SignedDuration::from_mins(15), digest_due };
        for alert in decide(&seen, told.by(Way::Webhook, at(0)), pace, "p", at(minutes)) {
            told.by(Way::Webhook, at(0)).sent(&alert, at(minutes));
            messages.push((alert.owner.clone(), alert.open[0].what.clone()));
        }
    }
    let of = |owner: &str| messages.iter().filter(|(whose, _)| whose == owner).count();
    assert_eq!((of("anna"), of("bo"), messages.len()), (2, 2, 4), "{messages:?}");
    let (_, what) = messages.iter().find(|(owner, _)| owner == "anna").unwrap();
    assert!(what.contains("refuses 2 cells") && what.contains("L3@1010"), "{what}");
}

#[test]
fn the_last_message_before_the_end_does_not_wait_for_the_fewest_time_between_two() {
    let mut told = told();
    assert_eq!(look(&mut told, at(1), &[open("away", true, at(1))], true), ["+away"]);
    let died = [open("away", true, at(1)), open("loop rounds", true, at(2))];
    assert!(look(&mut told, at(2), &died, true).is_empty(), "a bridge that goes on tells it later");
    let seen = Seen { situations: died.to_vec(), whole: true };
    let pace = Pace { least: SignedDuration::ZERO, digest_due: at(-60) };
    let last = decide(&seen, told.by(Way::Webhook, at(0)), pace, "p", at(2));
    let begins: Vec<&str> =
        last.iter().flat_map(|one| &one.begins).map(|one| one.key.as_str()).collect();
    assert_eq!(begins, ["loop rounds"]);
}

#[test]
fn what_one_way_took_is_not_told_again_by_it_and_still_due_by_the_other() {
    let mut told = told();
    told.by(Way::Email, at(0));
    let away = [open("away", true, at(1))];
    let seen = Seen { situations: away.to_vec(), whole: true };
    let pace = Pace { least: SignedDuration::ZERO, digest_due: at(-60) };
    let mut ids = BTreeSet::new();
    for minute in 1..30 {
        // The webhook takes it at once; the mail server after twenty minutes.
        let at = at(minute);
        let hook = decide(&seen, told.by(Way::Webhook, at), pace, "p", at);
        assert_eq!(hook.len(), usize::from(minute == 1), "{minute}");
        hook.iter().for_each(|alert| told.by(Way::Webhook, at).sent(alert, at));
        let mail = decide(&seen, told.by(Way::Email, at), pace, "p", at);
        assert_eq!(mail.len(), usize::from(minute <= 20), "{minute}");
        ids.extend(hook.iter().chain(&mail).map(|alert| alert.id.clone()));
        if minute == 20 {
            told.by(Way::Email, at).sent(&mail[0], at);
        }
    }
    assert_eq!(ids.len(), 1, "the same message has the same id by both: {ids:?}");
}
