//! Labels as a tenant in another language shows them.
//!
//! The words are ours: what matters to a client is that a label is no name.

/// The German label of a key figure.
pub(super) fn german(name: &str) -> Option<&'static str> {
    GERMAN.iter().find(|(known, _)| *known == name).map(|(_, label)| *label)
}

const GERMAN: [(&str, &str); 17] = [
    ("CAPASUPPLY", "Kapazitätsangebot (angenommen)"),
    ("TWINCAPA", "Zwilling: Kapazität, Planstand"),
    ("TWINCAPALIVE", "Zwilling: Kapazität, aktuell"),
    ("TWINCAPALOW", "Zwilling: Kapazität, vorsichtig"),
    ("TWINLOST", "Zwilling: erwartete Ausfallstunden"),
    ("TWINSEVERITY", "Zwilling: Engpassschwere"),
    ("TWINRISK", "Zwilling: gefährdete Stunden"),
    ("TWINDECIDED", "Zwilling: entschiedene Stunden"),
    ("TWINSTATUS", "Zwilling: Status"),
    ("TWINASOF", "Zwilling: Stand (jjjjmmtt)"),
    ("TWINVALIDTO", "Zwilling: gültig bis (jjjjmmtt)"),
    ("TWINBEAT", "Zwilling: Lebenszeichen"),
    ("TWINOUTPUT", "Zwilling: Gutmenge"),
    ("TWINCOVERED", "Zwilling: abgedeckt"),
    ("CAPADEMAND", "Kapazitätsbedarf (Last)"),
    ("CAPASUPPLYEXPANSIONCOSTRATE", "Kostensatz der Kapazitätserweiterung"),
    ("UTILIZATIONPCT", "Auslastung (Last / Angebot)"),
];
