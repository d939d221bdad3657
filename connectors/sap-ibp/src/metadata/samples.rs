//! `$metadata` documents composed for tests, in the shape of the fact sheet
//! (§3, §4). No tenant's document was used.

use std::fmt::Write as _;

const HEAD: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx" xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata" xmlns:sap="http://www.sap.com/Protocols/SAPData"><edmx:DataServices m:DataServiceVersion="2.0">"#;
const TAIL: &str = "</Schema></edmx:DataServices></edmx:Edmx>";

/// The planning service with the area `ZPA`: `commit` is absent, and
/// `InitiateParallelProcess` is declared as PUT.
pub(crate) fn planning() -> String {
    planning_with(&["CAPASUPPLY", "ZTWINCAPA", "ZTWINOUTPUT", "UTILIZATIONPCT"])
}

/// The same with other key figures.
pub(crate) fn planning_with(figures: &[&str]) -> String {
    let mut text = format!(
        r#"{HEAD}<Schema Namespace="calcview" xmlns="http://schemas.microsoft.com/ado/2008/09/edm">
<EntityType Name="ZPA" sap:semantics="aggregate"><Key><PropertyRef Name="ID"/></Key>
<Property Name="ID" Type="Edm.Int64" Nullable="false"/>"#
    );
    for name in
        ["VERSIONID", "VERSIONNAME", "SCENARIOID", "SCENARIONAME", "RESID", "LOCID", "PRDID"]
    {
        let _ = write!(
            text,
            r#"<Property Name="{name}" Type="Edm.String" sap:aggregation-role="dimension" sap:label="{name} label"/>"#
        );
    }
    for name in ["UOMTOID", "CURRTOID"] {
        let _ = write!(text, r#"<Property Name="{name}" Type="Edm.String" sap:label="To"/>"#);
    }
    for name in figures {
        let label = if *name == "ZTWINCAPA" { "Twin capacity &lt;cut&gt;" } else { name };
        let _ = write!(
            text,
            r#"<Property Name="{name}" Type="Edm.Decimal" Precision="18" Scale="6" sap:aggregation-role="measure" sap:label="{label}" sap:x-unknown="1"/>"#
        );
    }
    for (number, label) in [(0, "Day"), (3, "Month"), (4, "Week"), (5, "Technical Week")] {
        let _ = write!(
            text,
            r#"<Property Name="PERIODID{number}_TSTAMP" Type="Edm.DateTime" Precision="0" sap:display-format="Date" sap:filter-restriction="interval" sap:label="{label} (As Timestamp)"/><Property Name="PERIODID{number}_REL" Type="Edm.Int64"/>"#
        );
    }
    text.push_str(
        r#"<Property Name="LASTMODIFIEDDATE" Type="Edm.DateTime" Precision="7"/></EntityType>
<EntityType Name="ZPATrans"><Key><PropertyRef Name="Transactionid"/></Key><Property Name="Transactionid" Type="Edm.String"/><Property Name="AggregationLevelFieldsString" Type="Edm.String"/><Property Name="VersionID" Type="Edm.String"/><Property Name="ScenarioID" Type="Edm.String"/><Property Name="DoCommit" Type="Edm.Boolean"/><NavigationProperty Name="NavZPA" Relationship="calcview.a1" FromRole="f" ToRole="t"/></EntityType>
<EntityType Name="ZPAMessage"><Key><PropertyRef Name="Transactionid"/><PropertyRef Name="ExceptionId"/></Key><Property Name="Transactionid" Type="Edm.String"/><Property Name="ExceptionId" Type="Edm.String"/><Property Name="MsgText" Type="Edm.String"/><Property Name="TimeStmp" Type="Edm.String"/><NavigationProperty Name="NavZPAMessage" Relationship="calcview.a2" FromRole="f" ToRole="t"/></EntityType>
<EntityType Name="ValueResult"><Key><PropertyRef Name="Name"/></Key><Property Name="Name" Type="Edm.String"/><Property Name="Value" Type="Edm.String"/></EntityType>
<EntityContainer Name="calcview_Entities" m:IsDefaultEntityContainer="true">
<EntitySet Name="ZPA" EntityType="calcview.ZPA"/><EntitySet Name="ZPATrans" EntityType="calcview.ZPATrans" sap:requires-filter="true"/><EntitySet Name="ZPAMessage" EntityType="calcview.ZPAMessage" sap:requires-filter="true"/><EntitySet Name="ValueResultSet" EntityType="calcview.ValueResult" sap:addressable="false"/>
<FunctionImport Name="getTransactionID" ReturnType="calcview.ValueResult" EntitySet="ValueResultSet" m:HttpMethod="GET"/>
<FunctionImport Name="getExportResult" ReturnType="Collection(calcview.ValueResult)" EntitySet="ValueResultSet" m:HttpMethod="GET"><Parameter Name="P_TransactionID" Type="Edm.String" Mode="In"/></FunctionImport>
<FunctionImport Name="InitiateParallelProcess" ReturnType="calcview.ValueResult" EntitySet="ValueResultSet" m:HttpMethod="PUT"><Parameter Name="Transactionid" Type="Edm.String" Mode="In"/></FunctionImport>
</EntityContainer>"#,
    );
    text + TAIL
}

/// The master data service with a resource and a version-specific
/// resource-location type, value helps, and a virtual type without `Trans`.
pub(crate) fn master_data() -> String {
    let entity = |name: &str, keys: &[&str], more: &[&str]| {
        let mut text = format!(r#"<EntityType Name="{name}"><Key>"#);
        for key in keys {
            let _ = write!(text, r#"<PropertyRef Name="{key}"/>"#);
        }
        text.push_str("</Key>");
        for name in keys.iter().chain(more) {
            let _ = write!(text, r#"<Property Name="{name}" Type="Edm.String"/>"#);
        }
        text + "</EntityType>"
    };
    let sets = [
        ("PTRESOURCE", entity("PTRESOURCE", &["RESID"], &["RESDESCR"])),
        (
            "PTRESOURCELOCATION",
            entity("PTRESOURCELOCATION", &["LOCID", "PlanningAreaID", "RESID", "VersionID"], &[]),
        ),
        ("PTRESOURCE_VI", entity("PTRESOURCE_VI", &["RESID"], &["RESDESCR"])),
        ("PTPRODRES", entity("PTPRODRES", &["RESID", "SOURCEID"], &[])),
        ("PTLOCATION", entity("PTLOCATION", &["LOCID"], &["LOCTYPE"])),
        ("PTCURRENCYTO", entity("PTCURRENCYTO", &["CURRTOID"], &[])),
        ("PTUOMTO", entity("PTUOMTO", &["UOMTOID"], &["UOMTODESCR"])),
        ("PTUOMTO_VI", entity("PTUOMTO_VI", &["UOMTOID"], &[])),
        (
            "VersionSpecificMasterDataTypes",
            entity(
                "VersionSpecificMasterDataTypes",
                &["PlanningAreaID", "VersionID", "MasterDataTypeID"],
                &[],
            ),
        ),
        ("PTRESOURCETrans", entity("PTRESOURCETrans", &["TransactionID"], &["DoCommit"])),
    ];
    let mut text = format!(r#"{HEAD}<Schema Namespace="IBP.MASTER_DATA_API_SRV">"#);
    for (_, entity) in &sets {
        text.push_str(entity);
    }
    text.push_str(r#"<EntityContainer Name="C">"#);
    for (name, _) in &sets {
        let _ = write!(
            text,
            r#"<EntitySet Name="{name}" EntityType="IBP.MASTER_DATA_API_SRV.{name}"/>"#
        );
    }
    text.push_str(r#"<FunctionImport Name="Commit" m:HttpMethod="GET"/></EntityContainer>"#);
    text + TAIL
}
