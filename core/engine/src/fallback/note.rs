//! The page in a pack, for the person who must load it on a bad day.

use super::pack::Manifest;
use crate::plan::HoldReason;

/// The note of a pack that `who` may load.
pub(super) fn text(manifest: &Manifest, who: &str, signed: bool) -> String {
    let files: Vec<String> = manifest
        .files
        .iter()
        .map(|file| format!("  {} ({} rows, sha256 {})", file.name, file.rows, file.sha256))
        .collect();
    let periods = manifest
        .periods
        .map_or_else(|| "no periods".to_owned(), |(from, to)| format!("{from} to {to}"));
    let until =
        manifest.valid_until.map_or_else(|| "not stated".to_owned(), |until| until.to_string());
    let written = manifest.written_at.map_or_else(String::new, |at| format!("Written:  {at}\n"));
    let check = if signed {
        "on any machine with the program,\n     `planthread fallback verify . --key KEY`. KEY \
         is what the owner of the configuration\n     gave you, and stands nowhere in this folder"
    } else {
        "compare the sha256 of each file with the list above"
    };
    let audit = manifest.audit.as_ref().map_or_else(String::new, |head| {
        format!("Audit trail: entry {}, head {}\n", head.number, head.digest)
    });
    let (target, left) = (&manifest.target, left_out(manifest) + &unproven(manifest));
    format!(
        "Capacity signals of Planthread, for loading by hand\n\
         ====================================================\n\n\
         Target:   {target} (scope {})\n\
         State of: {}\n{written}{audit}\
         Stale from: {until}. After that, treat the numbers as assumed.\n\
         Contents: {} cells, {periods}\n{left}\n{}\n\n\
         How old it is: compare \"State of\" with today. The bridge writes this folder anew in\n\
         every cycle; where it is hours old, the bridge was not running since.\n\n\
         Who may load it: {who}. Nobody else.\n\n\
         How:\n\
         \x20 1. Check it: {check}.\n\
         \x20 2. Where the bridge still runs, tell it that the target is fed by hand; it sends\n\
         \x20    nothing from then on, and goes on writing packs:\n\
         \x20    `planthread fallback enter {target} --why WHY --who NAME`\n\
         \x20 3. Import each file with the target's own import tool, as the one who is named\n\
         \x20    above. Values replace what is there; nothing else is touched.\n\n\
         How to go back: the folder `previous` beside this one holds the pack before it,\n\
         in the same layout. When the bridge may feed the target again:\n\
         `planthread fallback leave {target} --who NAME`. It reads everything first, takes what you\n\
         loaded for its own, and sends only what differs, near periods first.\n",
        if manifest.scope.is_empty() { "base" } else { &manifest.scope },
        manifest.as_of,
        manifest.cells,
        files.join("\n"),
    )
}

/// What of the pack is on its way already; nothing where nothing is.
fn unproven(manifest: &Manifest) -> String {
    match manifest.unproven {
        0 => String::new(),
        cells => format!(
            "Sent already: {cells} of them went out and were not read back yet. The target may hold\n  \
             them; loading the same values again does no harm.\n"
        ),
    }
}

/// What is wanted and not in the pack, why, and where to see it; nothing where it is whole.
fn left_out(manifest: &Manifest) -> String {
    let all = manifest.left_out();
    if all == 0 {
        return String::new();
    }
    let mut said = format!("Left out: {all} cells, which this pack would not put right:\n");
    for (word, cells) in &manifest.left_out {
        let reason = HoldReason::ALL.into_iter().find(|reason| reason.word() == word);
        let line = reason.map_or("", HoldReason::line);
        said += &format!("  {cells} {}: {line}\n", word.replace('_', " "));
    }
    said + "  Where the bridge runs, `planthread rejects` names each refused one, and\n  \
            `planthread status` the others.\n"
}
