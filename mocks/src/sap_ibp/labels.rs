//! Labels as a tenant in another language shows them.
//!
//! The words are ours: what matters to a client is that a label is no name.

/// The German label of an attribute, time field or key figure.
pub(super) fn german(name: &str) -> Option<&'static str> {
    GERMAN.iter().find(|(known, _)| *known == name).map(|(_, label)| *label)
}

const GERMAN: [(&str, &str); 24] = [
    ("RESID", "Ressource"),
    ("LOCID", "Lokation"),
    ("RESDESCR", "Ressourcenbeschreibung"),
    ("LOCDESCR", "Lokationsbeschreibung"),
    ("PERIODID0_TSTAMP", "Tag (als Zeitstempel)"),
    ("PERIODID3_TSTAMP", "Monat (als Zeitstempel)"),
    ("PERIODID4_TSTAMP", "Kalenderwoche (als Zeitstempel)"),
    ("PERIODID5_TSTAMP", "Technische Woche (als Zeitstempel)"),
    ("CAPASUPPLY", "Kapazitätsangebot (angenommen)"),
    ("TWINCAPA", "Zwilling: Kapazität, Planstand"),
    ("TWINCAPALIVE", "Zwilling: Kapazität, aktuell"),
    ("TWINCAPALOW", "Zwilling: Kapazität, vorsichtig"),
    ("TWINLOST", "Zwilling: erwartete Ausfallstunden"),
    ("TWINSEVERITY", "Zwilling: Engpassschwere"),
    ("TWINRISK", "Zwilling: gefährdete Stunden"),
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
