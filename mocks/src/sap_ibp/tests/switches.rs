//! Each switch of the table changes what a client sees: none is decoration.

use super::{
    super::{Family, behaviours::TABLE},
    *,
};
use crate::sdk::Behaviour;

const WEEK: &str = "2026-11-23T00:00:00";
const FIELDS: &str = "RESID,LOCID,PERIODID4_TSTAMP,TWINCAPA";

#[test]
fn every_switch_shows() {
    for Behaviour { switch, about } in TABLE {
        let family = match switch {
            Switch::HarmonisedKeyFigures => Family::ISapibp2,
            _ => Family::Sapibp1,
        };
        let [on, off] = [true, false].map(|on| {
            let mut client = Client::with(Options { family, ..Options::default() });
            client.sandbox.switch(switch, on);
            probe(&mut client, switch)
        });
        assert_ne!(on, off, "{} makes no difference", about.name);
    }
}

/// What a client sees where the switch matters.
fn probe(client: &mut Client, switch: Switch) -> String {
    match switch {
        Switch::BasicAuth
        | Switch::ClientCertificate
        | Switch::CsrfBound
        | Switch::CsrfExpires
        | Switch::PlanningEnabled
        | Switch::ParallelProcess
        | Switch::DeclaredParameters
        | Switch::GermanLabels
        | Switch::LengthRequired
        | Switch::ParametersNeedType
        | Switch::SeveralAreas
        | Switch::HarmonisedKeyFigures
        | Switch::CommitInMetadata => access(client, switch),
        Switch::StagingWithoutEffect
        | Switch::StagingAdds
        | Switch::UnknownRowOnlyInMessages
        | Switch::VersionAssignment
        | Switch::Disaggregation
        | Switch::StatusNotFirst
        | Switch::ImportFails
        | Switch::NightlyOverwritesBridge => import(client, switch),
        Switch::CalculatedIs500
        | Switch::OneColumnSet
        | Switch::MixedColumns
        | Switch::StringsOnly
        | Switch::ReturnMin
        | Switch::TerseErrors
        | Switch::TransactionName
        | Switch::NavResultsOnPlanning
        | Switch::JsonDates => body_shape(client, switch),
        Switch::MessagesNeedFilter
        | Switch::MessageExpand
        | Switch::MessageSeverity
        | Switch::SelectMandatory
        | Switch::NoMasterDataExtract
        | Switch::ConversionAttributes
        | Switch::NeZeroIgnored
        | Switch::EmptyAttributeDropped
        | Switch::TopZeroDump
        | Switch::UnorderedPages
        | Switch::SundayWeeks
        | Switch::AbsentReadsZero => reading(client, switch),
        Switch::AreaKeys | Switch::ValueHelpSets => {
            seen(&client.get(&format!("{MASTER}/$metadata")))
        }
        Switch::DuplicateMasterData | Switch::DeleteEntries | Switch::MasterMessageExpand => {
            masters(client, switch)
        }
    }
}

fn seen(response: &Response<Bytes>) -> String {
    format!("{} {}", response.status(), String::from_utf8_lossy(response.body()))
}

fn access(client: &mut Client, switch: Switch) -> String {
    let commit = format!("{PLANNING}/commit?P_TransactionID='x'");
    match switch {
        Switch::BasicAuth => {
            seen(&client.send(Method::GET, PLANNING, "", &[("authorization", "none")]))
        }
        Switch::ClientCertificate => {
            let mut request = Request::get(PLANNING).body(Bytes::new()).unwrap();
            let common_name = "planthread".to_owned();
            request.extensions_mut().insert(crate::ClientCertificate { common_name });
            seen(&client.sandbox.handle(client.at, &request).response)
        }
        Switch::CsrfBound => seen(&client.send(Method::POST, &commit, "", &[])),
        Switch::CsrfExpires => {
            client.pass(86_400.0);
            seen(&client.post(&commit, &Value::Null))
        }
        Switch::ParallelProcess => {
            let path = format!(
                "{PLANNING}/InitiateParallelProcess?Transactionid='t'&PlanningArea='PTDEMO'\
                 &VersionID=''&ScenarioID=''"
            );
            seen(&client.post(&path, &Value::Null))
        }
        Switch::PlanningEnabled => seen(&client.get(PLANNING)),
        Switch::DeclaredParameters => {
            seen(&client.get(&format!("{PLANNING}/getTransactionID?P_TransactionID='x'")))
        }
        Switch::LengthRequired => seen(&client.post(&commit, &Value::Null)),
        Switch::ParametersNeedType => {
            client.stage("x", "LINE-1", "TWINCAPA", "5");
            let (token, cookie) = (client.token.clone(), client.cookie.clone());
            let headers = [("x-csrf-token", &*token), ("cookie", &*cookie)];
            seen(&client.send(Method::POST, &commit, "", &headers))
        }
        _ => seen(&client.get(&format!("{PLANNING}/$metadata"))),
    }
}

fn import(client: &mut Client, switch: Switch) -> String {
    match switch {
        Switch::StagingAdds => {
            client.stage("t", "LINE-1", "TWINCAPA", "5");
        }
        Switch::UnknownRowOnlyInMessages => {
            client.stage("t", "NOBODY", "TWINCAPA", "5");
        }
        Switch::VersionAssignment => {
            let row = json!({ "RESID": "LINE-1", "LOCID": "1010", "PERIODID4_TSTAMP": WEEK,
                "CAPASUPPLY": "5" });
            let mut body = trans("t", "RESID,LOCID,PERIODID4_TSTAMP,CAPASUPPLY", &[row]);
            body["VersionID"] = "TWIN".into();
            client.post(&format!("{PLANNING}/PTDEMOTrans"), &body);
            client.commit("t");
            client.sandbox.advance(client.at);
            return format!("{:?}", client.sandbox.history());
        }
        Switch::Disaggregation => {
            let row = json!({ "LOCID": "1010", "PERIODID4_TSTAMP": WEEK, "TWINCAPA": "9" });
            let body = trans("above", "LOCID,PERIODID4_TSTAMP,TWINCAPA", &[row]);
            client.post(&format!("{PLANNING}/PTDEMOTrans"), &body);
            client.commit("above");
            return format!("{:?} {:?}", client.value("TWINCAPA"), client.messages("above"));
        }
        _ => {}
    }
    client.stage("t", "LINE-1", "TWINCAPA", "5");
    client.pass(5.0);
    let before = client.value("TWINCAPA");
    client.commit("t");
    client.sandbox.nightly(client.at);
    let result = client.get_json(&format!("{PLANNING}/getExportResult?P_TransactionID='t'"));
    format!("{before:?} {:?} {result} {:?}", client.value("TWINCAPA"), client.messages("t"))
}

fn body_shape(client: &mut Client, switch: Switch) -> String {
    let row = |value: Value| json!({ "RESID": "LINE-1", "LOCID": "1010", "PERIODID4_TSTAMP": WEEK, "TWINCAPA": value });
    let mut body = trans("t", FIELDS, &[row("1".into())]);
    let mut path = format!("{PLANNING}/PTDEMOTrans");
    match switch {
        Switch::CalculatedIs500 => {
            return seen(&client.stage("t", "LINE-1", "UTILIZATIONPCT", "1"));
        }
        Switch::MixedColumns => {
            client.stage("t", "LINE-1", "TWINLOST", "1");
        }
        Switch::OneColumnSet | Switch::TerseErrors => body["NavPTDEMO"][0]["TWINLOST"] = "1".into(),
        Switch::StringsOnly => body["NavPTDEMO"][0] = row(json!(1.5)),
        Switch::ReturnMin => path += "?P_RETURN_MIN=X",
        Switch::TransactionName => body["TransactionName"] = "label".into(),
        Switch::NavResultsOnPlanning => body["NavPTDEMO"] = json!({ "results": [row("1".into())] }),
        _ => body["NavPTDEMO"][0]["PERIODID4_TSTAMP"] = "/Date(1795392000000)/".into(),
    }
    seen(&client.post(&path, &body))
}

fn reading(client: &mut Client, switch: Switch) -> String {
    client.land("TWINLOST", "0");
    client.stage("bad", "NOBODY", "TWINCAPA", "1");
    client.commit("bad");
    let query = match switch {
        Switch::MessagesNeedFilter => "PTDEMOMessage",
        Switch::MessageSeverity => "PTDEMOMessage?$filter=Transactionid eq 'bad'",
        Switch::MessageExpand => {
            "PTDEMOMessage?$filter=Transactionid eq 'bad'&$expand=NavPTDEMOMessage"
        }
        Switch::SelectMandatory => "PTDEMO?$top=1",
        Switch::NoMasterDataExtract => "PTDEMO?$select=RESID",
        Switch::ConversionAttributes => "PTDEMO?$select=RESID,TWINOUTPUT",
        Switch::NeZeroIgnored => "PTDEMO?$select=RESID,TWINLOST&$filter=TWINLOST ne 0",
        Switch::EmptyAttributeDropped => {
            "PTDEMO?$select=RESID,CAPASUPPLY&$filter=RESDESCR ne 'x'&$orderby=RESID"
        }
        Switch::TopZeroDump => "PTDEMO?$select=RESID,CAPASUPPLY&$top=0&$inlinecount=allpages",
        Switch::SundayWeeks => {
            "PTDEMO?$select=PERIODID4_TSTAMP,CAPASUPPLY&$top=1&$orderby=PERIODID4_TSTAMP"
        }
        Switch::UnorderedPages => "PTDEMO?$select=RESID,PERIODID4_TSTAMP,CAPASUPPLY&$top=3",
        _ => "PTDEMO?$select=RESID,TWINLOST,TWINCAPA",
    };
    seen(&client.get(&format!("{PLANNING}/{query}")))
}

fn masters(client: &mut Client, switch: Switch) -> String {
    let mut body = json!({ "TransactionID": "m", "RequestedAttributes": "RESID", "DoCommit": true,
        "NavPTRESOURCE": [{ "RESID": "NEW" }, { "RESID": "NEW" }] });
    if switch == Switch::DeleteEntries {
        body["DeleteEntries"] = true.into();
    }
    let staged = seen(&client.post(&format!("{MASTER}/PTRESOURCETrans"), &body));
    client.pass(5.0);
    let expanded = "PTRESOURCEMessage?$filter=TransactionID eq 'm'&$expand=NavPTRESOURCE";
    let expanded = seen(&client.get(&format!("{MASTER}/{expanded}")));
    format!("{staged} {expanded} {}", client.get_json(&format!("{MASTER}/PTRESOURCE")))
}
