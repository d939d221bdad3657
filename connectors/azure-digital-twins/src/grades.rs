//! The capability sheet: every behaviour that the connector relies on, with
//! grade, source and date.
//!
//! `A` is the vendor's own material or a recording of the real service, `B` what
//! users of it report, `L` run by us. No live instance was reachable for us.

use planthread_kit::Grade;

const DATE: &str = "2026-11-26";

const SPEC: &str = "Azure/azure-rest-api-specs, digitaltwins data plane 2023-10-31";
const RECORDED: &str = "Azure/azure-sdk-assets, recordings of 2025 (python, net)";
const LIMITS: &str = "Azure Digital Twins service limits, 2025-01-27";
const TWIN: &str = "azure-docs, how-to-manage-twin";
const MODELS: &str = "azure-docs, concepts-models, 2023-10-03";
const QUERY: &str = "azure-docs, query reference";

/// Behaviour, grade, source.
#[rustfmt::skip]
const SHEET: [(&str, &str, &str); 23] = [
    ("PATCH of a twin takes add, replace and remove, the whole patch or nothing of it", "A", SPEC),
    ("`add` writes over what is there; `replace` of what was never set fails", "B", "MicrosoftDocs/azure-docs issue 79990"),
    ("An unset map has no path: its first `add` carries the whole of it", "A", TWIN),
    ("If-Match with another ETag is 412 PreconditionFailed, and nothing is changed", "A", RECORDED),
    ("The answer to a PATCH is 204 without a body, with the new ETag", "A", RECORDED),
    ("Source time is `add /COMPONENT/$metadata/PROPERTY/sourceTime`, from version 2022-05-31 on", "A", TWIN),
    ("A twin read by its id shows a change at once", "A", RECORDED),
    ("Queries lag behind by some seconds: they are asked for names only", "A", RECORDED),
    ("IS_OF_MODEL finds later versions and models that extend the named one", "A", QUERY),
    ("A value that does not fit the model refuses the whole PATCH: ValidationFailed with details in words", "A", RECORDED),
    ("A twin that is not there: 404 DigitalTwinNotFound; any other 404 is the door's", "A", RECORDED),
    ("A token of another tenant is answered 404", "A", "azure-docs, concepts-apis-sdks"),
    ("429 comes in two shapes, one of them a JSON text that holds JSON; Retry-After may be absent", "A", RECORDED),
    ("401 has no `error` member, 400 may be problem details", "A", RECORDED),
    ("Keys of maps have no pattern; ours need no escape in a query", "A", QUERY),
    ("32 KB for a request and a twin, 1,000 reads and 1,000 patches a second, 10 changes a second of one twin", "A", LIMITS),
    ("Models depend on what they extend and on their components; `dependenciesFor` lists both", "A", SPEC),
    ("DTDL versions 2 and 3 are taken, version 4 is not", "A", MODELS),
    ("An import job replaces whole twins", "A", SPEC),
    ("Entra client credentials with the scope https://digitaltwins.azure.net/.default", "A", "azure-identity 1.27.0"),
    ("A virtual machine's own identity: GET /metadata/identity/oauth2/token with Metadata: true, all values texts", "A", "azure-docs, how-to-use-vm-token; azure-identity 1.27.0"),
    ("What a double holds comes back as it was written, up to 15 digits", "L", "sandbox; IEEE 754"),
    ("Characters of a twin's id besides letters, digits, `-` and `_`", "unconfirmed", "no public material"),
];

/// The sheet of this connector.
pub(crate) fn grades() -> Vec<Grade> {
    Grade::sheet(DATE, &SHEET)
}
