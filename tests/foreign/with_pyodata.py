"""Drives the SAP IBP sandbox with pyodata, SAP's own strict OData V2 client.

Usage: with_pyodata.py http://HOST:PORT
Prints `ok NAME` or `not ok NAME: reason` a case; exits 1 when one failed.
"""

import decimal
import re
import sys
import time
import traceback
import uuid

import pyodata
import requests

BASE = sys.argv[1]
PLANNING = f"{BASE}/sap/opu/odata/IBP/PLANNING_DATA_API_SRV/"
MASTER = f"{BASE}/sap/opu/odata/IBP/MASTER_DATA_API_SRV/"
FIELDS = "RESID,LOCID,PERIODID4_TSTAMP,TWINCAPALIVE,TWINCAPA"


def session():
    made = requests.Session()
    made.auth = ("planthread", "planthread")
    return made


def token(made, root=PLANNING):
    answer = made.get(root, headers={"X-CSRF-Token": "Fetch", "Accept": "application/json"})
    answer.raise_for_status()
    made.headers["X-CSRF-Token"] = answer.headers["x-csrf-token"]
    assert made.cookies, "the token came without cookies"
    return answer


def client(made, root=PLANNING):
    return pyodata.Client(root, made)


def row(resource, location, day, live, cut):
    return {"RESID": resource, "LOCID": location, "PERIODID4_TSTAMP": f"{day}T00:00:00",
            "TWINCAPALIVE": live, "TWINCAPA": cut}


def stage(service, made, transaction, rows):
    token(made)
    create = service.entity_sets.PTDEMOTrans.create_entity()
    create.set(Transactionid=transaction, AggregationLevelFieldsString=FIELDS, VersionID="",
               DoCommit=False, NavPTDEMO=rows)
    return create.execute()


def commit(made, transaction):
    # Undeclared in the metadata (as in real tenants), so not through the service object.
    answer = made.post(f"{PLANNING}commit?P_TransactionID=%27{transaction}%27&$format=json")
    assert answer.status_code == 200, answer.text


def poll(service, transaction):
    for _ in range(100):
        pairs = service.functions.getExportResult.parameter("P_TransactionID", transaction).execute()
        status = next(pair.Value for pair in pairs if pair.Name == "Status")
        if status not in ("INITIAL", "PROCESSING"):
            return status
        time.sleep(0.05)
    raise AssertionError("the import never ended")


def read(service, day):
    request = service.entity_sets.PTDEMO.get_entities()
    request = request.select("RESID,LOCID,PERIODID4_TSTAMP,TWINCAPALIVE,TWINCAPA")
    request = request.filter(f"PERIODID4_TSTAMP eq datetime'{day}T00:00:00'")
    found = request.order_by("RESID,LOCID,PERIODID4_TSTAMP").execute()
    return {(one.RESID, one.LOCID): (decimal.Decimal(str(one.TWINCAPALIVE)),
            decimal.Decimal(str(one.TWINCAPA)), one.PERIODID4_TSTAMP.date().isoformat())
            for one in found}


def metadata_parses_strictly():
    for root, sets in ((PLANNING, {"PTDEMO", "PTDEMOTrans", "PTDEMOMessage"}),
                       (MASTER, {"PTRESOURCE", "PTLOCATION", "PTRESOURCELOCATION"})):
        names = {one.name for one in client(session(), root).schema.entity_sets}
        assert sets <= names, f"{sets - names} missing"


def token_comes_with_cookies():
    token(session())


def a_write_without_token_is_refused():
    made = session()
    answer = made.post(f"{PLANNING}commit?P_TransactionID=%27x%27")
    assert answer.status_code == 403 and answer.headers["x-csrf-token"] == "Required"
    assert "CSRF token validation failed" in answer.text


def values_land_and_read_back_equal():
    made = session()
    service = client(made)
    transaction = service.functions.getTransactionID.execute().Value
    assert re.fullmatch(r"\S{1,32}", transaction), transaction
    day = "2026-11-30"
    rows = [row("LINE-1", "1010", day, "111.250000", "112.000000"),
            row("LINE-2", "1020", day, "98.500000", "0.000000")]
    stage(service, made, transaction, rows)
    assert ("LINE-1", "1010") not in read(service, day), "staging had an effect"
    commit(made, transaction)
    assert poll(service, transaction) == "PROCESSED"
    seen = read(service, day)
    assert seen[("LINE-1", "1010")] == (decimal.Decimal("111.25"), decimal.Decimal("112"), day), seen
    assert seen[("LINE-2", "1020")] == (decimal.Decimal("98.5"), decimal.Decimal("0"), day), seen


def an_unknown_resource_is_named_in_messages():
    made = session()
    service = client(made)
    transaction = uuid.uuid4().hex
    day = "2026-12-07"
    stage(service, made, transaction, [row("LINE-1", "1010", day, "1", "2"),
                                       row("NOBODY", "1010", day, "3", "4")])
    commit(made, transaction)
    assert poll(service, transaction) == "PROCESSED_WITH_ERRORS"
    request = service.entity_sets.PTDEMOMessage.get_entities()
    found = request.filter(f"Transactionid eq '{transaction}'").execute()
    assert len(found) == 1 and "NOBODY" in found[0].MsgText, [one.MsgText for one in found]
    assert ("NOBODY", "1010") not in read(service, day)
    assert ("LINE-1", "1010") in read(service, day)


def messages_without_filter_are_refused():
    try:
        client(session()).entity_sets.PTDEMOMessage.get_entities().execute()
    except pyodata.exceptions.HttpError as error:
        assert error.response.status_code == 400
    else:
        raise AssertionError("all messages were given away")


def master_data_is_read():
    service = client(session(), MASTER)
    pairs = service.entity_sets.PTRESOURCELOCATION.get_entities().execute()
    assert ("LINE-1", "1010") in {(one.RESID, one.LOCID) for one in pairs}


CASES = [metadata_parses_strictly, token_comes_with_cookies, a_write_without_token_is_refused,
         values_land_and_read_back_equal, an_unknown_resource_is_named_in_messages,
         messages_without_filter_are_refused, master_data_is_read]

failed = 0
for case in CASES:
    try:
        case()
        print(f"ok pyodata {case.__name__}")
    except Exception as error:  # a case may fail in any way; the others still run
        failed += 1
        print(f"not ok pyodata {case.__name__}: {error!r}")
        traceback.print_exc()
sys.exit(1 if failed else 0)
