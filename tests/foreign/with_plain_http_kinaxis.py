#!/usr/bin/env python3
"""The order of calls that a public Kinaxis client was seen to make, by a plain
HTTP client that knows nothing of ours. Argument: the company's address.

Bodies and parameters are those of the fact sheet (sections 4 and 15), down to
their oddities: no body on `complete`, "VariableValues": null on an import,
`Scope` in one worksheet read and `workbookScope` in the other.
"""

import base64
import json
import sys
import urllib.error
import urllib.parse
import urllib.request

BASE = sys.argv[1].rstrip("/")
BASIC = "Basic " + base64.b64encode(b"planthread:planthread").decode()
SCENARIO = {"Name": "Capacity Signals", "Scope": "Public"}
TABLE = {"Namespace": "Mfg", "Name": "ConstraintAvailable"}
FIELDS = ["Constraint.Name", "Constraint.Site.Value", "EffectiveInDate", "EffectiveOutDate", "Rate"]
failed = 0


def call(method, path, body=None, auth=BASIC, root="/integration/V1/", kind="application/json"):
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode() if body is not None else b""
    request = urllib.request.Request(BASE + root + path, method=method)
    request.add_header("Authorization", auth)
    if method == "POST":
        request.data = data
        request.add_header("Content-Type", kind)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.loads(answer.read() or b"null"), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"null"), error.headers


def check(name, holds, found=None):
    global failed
    failed += not holds
    print(f"{'ok  ' if holds else 'FAIL'} {name}" + ("" if holds else f": {found}"))


def bare(handle):
    return handle[1:]


# 1 and 2: bulk read, one page for a page size that the client works out itself.
status, opened, _ = call("POST", "bulk/export", {"Scenario": SCENARIO, "Table": TABLE, "Fields": FIELDS, "Filter": ""})
check("POST bulk/export", status == 200 and opened["ExportId"].startswith("#") and opened["TotalRows"] > 0, opened)
path = f"bulk/export/{bare(opened['ExportId'])}?startRow=0&pageSize=337500&delimiter=%09&finishExport=false"
status, page, _ = call("GET", path)
check("GET bulk/export/{id}", status == 200 and len(page["Rows"]) == opened["TotalRows"], page)
check("a row is one delimited text", all(len(row.split("\t")) == 5 for row in page["Rows"]), page)

# 3 and 4: bulk write in two steps.
ROW = ["LINE-1", "1010", "2026-11-30", "2026-12-06", "36"]
rows = {"Scenario": SCENARIO, "Table": TABLE, "Fields": FIELDS, "Rows": [{"Values": ROW}]}
status, staged, _ = call("POST", "bulk/upload", rows)
check("POST bulk/upload", status == 200 and staged["UploadId"].startswith("#"), staged)
status, done, _ = call("POST", f"bulk/upload/{bare(staged['UploadId'])}/complete")
check("POST bulk/upload/{id}/complete", status == 200 and done["Results"]["Status"] == "Success", done)
check("it counts one insertion", done["Results"]["InsertedRowCount"] == 1, done)
status, again, _ = call("POST", f"bulk/upload/{bare(staged['UploadId'])}/complete")
check("a second complete fails", status in (400, 404), again)

# 5 and 6: bulk delete.
status, staged, _ = call("POST", "bulk/remove", rows)
check("POST bulk/remove", status == 200 and staged["RemovalId"].startswith("#"), staged)
status, done, _ = call("POST", f"bulk/remove/{bare(staged['RemovalId'])}/complete")
check("POST bulk/remove/{id}/complete", done["Results"]["DeleteRowCount"] == 1, done)

# 7 and 8: a workbook, its handle without and with its sign.
parameters = {"Workbook": {"Name": "Capacity Signals", "Scope": "Public"}, "SiteGroup": "All Sites",
              "Filter": {"Name": "All Parts", "Scope": "Public"}, "VariableValues": {"Details": "No"},
              "WorksheetNames": ["ConstraintAvailable"]}
status, opened, _ = call("POST", "data/workbook", {"Scenario": SCENARIO, "WorkbookParameters": parameters})
sheet = opened["Worksheets"][0]
check("POST data/workbook", status == 200 and sheet["Rows"] == [] and sheet["TotalRowCount"] > 0, opened)
handle = sheet["QueryHandle"]["QueryID"]
for query_id, scope in ((bare(handle), "Scope"), (handle, "workbookScope")):
    query = urllib.parse.urlencode({"queryId": query_id, "workbookName": "Capacity Signals", scope: "Public",
                                    "worksheetName": "ConstraintAvailable", "startRow": 0, "pageSize": 5000})
    status, page, _ = call("GET", f"data/worksheet?{query}")
    check(f"GET data/worksheet with {query_id} and {scope}",
          status == 200 and len(page["Rows"]) == sheet["TotalRowCount"], page)

# A row of an own table with its reason, as a client reads it: a text beside numbers.
OWN = {"Namespace": "Planthread", "Name": "CapacitySignal"}
WHY = "held: the source is silent; attainable 36 HUR; source press-a; known as of 2026-11-23"
columns = FIELDS[:4] + ["Live", "Reason"]
own = {"Scenario": SCENARIO, "Table": OWN, "Fields": columns, "Rows": [{"Values": ROW[:4] + ["36", WHY]}]}
status, staged, _ = call("POST", "bulk/upload", own)
status, done, _ = call("POST", f"bulk/upload/{bare(staged['UploadId'])}/complete")
check("a text lands beside its numbers", done["Results"]["InsertedRowCount"] == 1, done)
status, opened, _ = call("POST", "bulk/export", {"Scenario": SCENARIO, "Table": OWN, "Fields": columns, "Filter": ""})
path = f"bulk/export/{bare(opened['ExportId'])}?startRow=0&pageSize=337500&delimiter=%09&finishExport=false"
status, page, _ = call("GET", path)
check("a client reads why a number is what it is", [row.split("\t")[4:] for row in page["Rows"]] == [["36", WHY]], page)
status, staged, _ = call("POST", "bulk/remove", own)
call("POST", f"bulk/remove/{bare(staged['RemovalId'])}/complete")

# 9: an import, in the locale of the web service user.
parameters.update({"Filter": None, "VariableValues": None})
row = ["LINE-1", "1010", "30-11-26", "06-12-26", "36"]
stranger = ["LINE-99"] + row[1:]
status, done, _ = call("POST", "data/workbook/import", {"Scenario": SCENARIO, "WorkbookParameters": parameters,
                       "Rows": [{"Values": row}, {"Values": stranger}]})
sheet = done["Worksheets"][0]
check("POST data/workbook/import", done["Success"] is True and sheet["InsertedRowCount"] == 1, done)
check("Success with ErrorRowCount hides a failure", sheet["ErrorRowCount"] == 1, done)

# 10: scripts; a failed one answers 200.
status, done, _ = call("POST", "script/Public/EnsureScenario", {"scenarioName": "My Scenario"})
check("POST script/Public/EnsureScenario", status == 200 and "ScriptError" not in done, done)
status, done, _ = call("POST", "script/Public/CommitScenario", {"scenarioName": "Nobody%20made%20it"})
check("ScriptError inside a 200", status == 200 and done["ScriptError"]["Code"] == "JavascriptException", done)

# A client credentials token, with the connection closed after it.
form = urllib.parse.urlencode({"grant_type": "client_credentials"})
status, token, headers = call("POST", "token", form, root="/oauth2/", kind="application/x-www-form-urlencoded")
check("POST oauth2/token", status == 200 and token["expires_in"] > 0, token)
check("the connection closes after the token", headers.get("connection") == "close", dict(headers))
status, _, _ = call("POST", "bulk/export", {"Scenario": SCENARIO, "Table": TABLE, "Fields": FIELDS, "Filter": ""},
                    auth="Bearer " + token["access_token"], root="/integration/v1/")
check("a bearer token, and v1 in small letters", status == 200, status)
status, _, _ = call("POST", "bulk/export", {}, auth="Bearer unknown")
check("401 on an unknown token", status == 401, status)

# An extract file, its load, and how it is asked for.
status, put, _ = call("POST", "dataload/capacity_signals_ds/ConstraintAvailable", {
    "Scenario": SCENARIO, "Columns": FIELDS, "Rows": [{"Values": ["LINE-1", "1010", "20261130", "20261206", 36]}],
    "Timestamp": "20261122.081500", "OperationType": "Full", "FileFormat": "Tab Delimited (*.tab)", "FinishExtract": "True"})
check("POST dataload/{source}/{file}", status == 200, put)
status, started, _ = call("POST", "dataupdate/trigger", {
    "KeepExtract": "False", "DisableExtractDoneCheck": "False", "IntegrationScenario": "capacity_signals_ds",
    "OnlyProcessDataSources": "capacity_signals_ds", "RequiredDataSources": "capacity_signals_ds"})
check("POST dataupdate/trigger", status == 200 and bool(started["StatusKey"]), started)
seen = []
while True:
    status, update, _ = call("GET", f"dataupdate/{started['StatusKey']}")
    seen.append(update["DataUpdateId"])
    if update["DataUpdateId"] or len(seen) > 10_000:
        break
check("GET dataupdate/{key}: empty id, then an end", seen[0] == "" and update["Status"] == "Completed", update)

sys.exit(failed > 0)
