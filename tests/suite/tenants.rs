//! `check` before tenants of other shapes: several planning areas, other keys,
//! value helps, labels in another language, weeks from Sunday, and a page of
//! somebody in between in the place of one answer.

use planthread_kit::Discovery;
use planthread_mocks::{
    Fault,
    sap_ibp::{Options, Switch},
};

use crate::world::{World, plan_of};

fn options(on: &[Switch]) -> Options {
    let mut options = Options::default();
    for switch in on {
        options.switches = options.switches.with(*switch, true);
    }
    options
}

fn discover(world: &World) -> Discovery {
    let live = world.open();
    world.clock.block_on(live.target.connector.discover()).unwrap()
}

fn wrong(found: &Discovery) -> Vec<String> {
    let wrong = found.findings.iter().filter(|finding| !finding.ok);
    wrong.map(|finding| format!("{}: {}", finding.line, finding.text)).collect()
}

#[test]
fn real_shapes_pass_the_sheet() {
    let all = [
        Switch::AreaKeys,
        Switch::ValueHelpSets,
        Switch::SeveralAreas,
        Switch::GermanLabels,
        Switch::TerseErrors,
    ];
    let sets = all.iter().map(|one| vec![*one]).chain([all.to_vec()]);
    for on in sets {
        let world = World::new(&plan_of(3, 9), options(&on));
        let found = discover(&world);
        assert_eq!(wrong(&found), Vec::<String>::new(), "{on:?}");
        assert_eq!(found.resources.len(), 6, "{on:?}: the pairs of this area only");
        let week = found.findings.iter().find(|finding| finding.line == "time.week").unwrap();
        assert!(week.proven, "{on:?}: {week:?}");
    }
}

#[test]
fn weeks_from_sunday_are_noticed_before_anything_is_written() {
    let world = World::new(&plan_of(3, 9), options(&[Switch::SundayWeeks]));
    let found = discover(&world);
    let week = found.findings.iter().find(|finding| finding.line == "time.week").unwrap();
    assert!(!week.ok && week.text.contains("Sunday"), "{week:?}");
    assert!(world.stored().is_empty());
}

#[test]
fn a_page_in_the_place_of_one_answer_is_not_the_end_of_the_sheet() {
    let clean = World::new(&plan_of(3, 9), options(&[]));
    let lines = discover(&clean).findings.len();
    for nth in 1..=clean.mark() {
        for fault in [Fault::LoginPage(200), Fault::Redirect(302)] {
            let world = World::new(&plan_of(3, 9), options(&[]));
            world.wire().fault_at(nth, fault.clone());
            let found = discover(&world);
            let wrong = wrong(&found);
            assert!(found.findings.len() >= lines, "{nth} {fault:?}: each line is answered");
            let most = if nth <= 2 { lines } else { lines / 2 };
            assert!(wrong.len() < most, "{nth} {fault:?}: {wrong:#?}");
        }
    }
}
