// Drives the SAP IBP sandbox with SAP's Cloud SDK HTTP client for JavaScript.
//
// Usage: node with_sap_cloud_sdk.mjs http://HOST:PORT
// Prints `ok NAME` or `not ok NAME: reason` a case; exits 1 when one failed.
// The SDK fetches its CSRF token with HEAD on the addressed set, then POSTs. A
// function import gives none to HEAD: there it is told to ask the service's root.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import { randomUUID } from "node:crypto";

const require = createRequire(`${process.cwd()}/`);
const { csrf, executeHttpRequest } = require("@sap-cloud-sdk/http-client");

const destination = {
  url: process.argv[2],
  authentication: "BasicAuthentication",
  username: "planthread",
  password: "planthread",
};
const PLANNING = "/sap/opu/odata/IBP/PLANNING_DATA_API_SRV";
const MASTER = "/sap/opu/odata/IBP/MASTER_DATA_API_SRV";
const DAY = "2026-12-14";

const request = (method, url, more = {}) =>
  executeHttpRequest(
    destination,
    { method, url, headers: { accept: "application/json" }, ...more },
    { fetchCsrfToken: method !== "get" && !more.middleware },
  );

// The SDK leaves the values of `params` as they are, so the query is encoded here.
const query = (options) =>
  Object.entries(options).map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");

const row = (resource, live, cut) => ({
  RESID: resource, LOCID: "1010", PERIODID4_TSTAMP: `${DAY}T00:00:00`, TWINCAPALIVE: live, TWINCAPA: cut,
});

async function stage(transaction, rows) {
  const answer = await request("post", `${PLANNING}/PTDEMOTrans`, {
    data: {
      Transactionid: transaction, AggregationLevelFieldsString: "RESID,LOCID,PERIODID4_TSTAMP,TWINCAPALIVE,TWINCAPA",
      VersionID: "", DoCommit: false, NavPTDEMO: rows,
    },
  });
  assert.equal(answer.status, 201);
  return answer.data.d;
}

async function commitAndPoll(transaction) {
  const committed = await request("post", `${PLANNING}/commit?P_TransactionID='${transaction}'&$format=json`, {
    middleware: [csrf({ url: `${PLANNING}/` })],
  });
  assert.equal(committed.status, 200);
  for (let n = 0; n < 100; n += 1) {
    const answer = await request("get", `${PLANNING}/getExportResult?P_TransactionID='${transaction}'&$format=json`);
    const status = answer.data.d.results.find((pair) => pair.Name === "Status").Value;
    if (!["INITIAL", "PROCESSING"].includes(status)) return status;
    await sleep(50);
  }
  throw new Error("the import never ended");
}

async function read() {
  const answer = await request("get", `${PLANNING}/PTDEMO?${query({
    $select: "RESID,LOCID,PERIODID4_TSTAMP,TWINCAPALIVE,TWINCAPA",
    $filter: `PERIODID4_TSTAMP eq datetime'${DAY}T00:00:00'`,
    $orderby: "RESID,LOCID,PERIODID4_TSTAMP",
    $inlinecount: "allpages", $format: "json",
  })}`);
  const rows = answer.data.d.results;
  assert.equal(answer.data.d.__count, String(rows.length));
  return rows;
}

const CASES = {
  async a_transaction_id_is_given() {
    const answer = await request("get", `${PLANNING}/getTransactionID?$format=json`);
    assert.match(answer.data.d.Value, /^\S{1,32}$/);
  },
  async values_land_and_read_back_equal() {
    const id = await request("get", `${PLANNING}/getTransactionID?$format=json`);
    const transaction = id.data.d.Value;
    const staged = await stage(transaction, [row("LINE-1", "87.125000", "88.000000")]);
    assert.equal(staged.NavPTDEMO.results.length, 1);
    assert.equal((await read()).length, 0, "staging had an effect");
    assert.equal(await commitAndPoll(transaction), "PROCESSED");
    const [seen] = await read();
    assert.equal(seen.TWINCAPALIVE, "87.125000");
    assert.equal(seen.TWINCAPA, "88.000000");
    assert.equal(seen.PERIODID4_TSTAMP, `/Date(${Date.parse(`${DAY}T00:00:00Z`)})/`);
  },
  async an_unknown_resource_is_named_in_messages() {
    const transaction = randomUUID().replaceAll("-", "");
    await stage(transaction, [row("LINE-3", "1", "2"), row("NOBODY", "3", "4")]);
    assert.equal(await commitAndPoll(transaction), "PROCESSED_WITH_ERRORS");
    const answer = await request("get", `${PLANNING}/PTDEMOMessage?${query({
      $filter: `Transactionid eq '${transaction}'`, $format: "json",
    })}`);
    const [message, ...more] = answer.data.d.results;
    assert.equal(more.length, 0);
    assert.match(message.MsgText, /NOBODY/);
    const resources = (await read()).map((one) => one.RESID);
    assert.ok(resources.includes("LINE-3") && !resources.includes("NOBODY"));
  },
  async a_calculated_key_figure_is_a_500() {
    const error = await request("post", `${PLANNING}/PTDEMOTrans`, {
      data: {
        Transactionid: "calc", AggregationLevelFieldsString: "RESID,LOCID,PERIODID4_TSTAMP,UTILIZATIONPCT",
        NavPTDEMO: [{ RESID: "LINE-1", LOCID: "1010", PERIODID4_TSTAMP: `${DAY}T00:00:00`, UTILIZATIONPCT: "1" }],
      },
    }).then(() => null, (refused) => refused.cause ?? refused);
    assert.equal(error?.response?.status, 500);
    assert.match(error.response.data.error.message.value, /invalid column name: UTILIZATIONPCT/);
  },
  async master_data_is_read() {
    const answer = await request("get", `${MASTER}/PTRESOURCE?$format=json&$orderby=RESID`);
    assert.equal(answer.data.d.results[0].RESID, "LINE-1");
  },
};

let failed = 0;
for (const [name, run] of Object.entries(CASES)) {
  try {
    await run();
    console.log(`ok sap-cloud-sdk ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`not ok sap-cloud-sdk ${name}: ${error.cause?.message ?? error.message}`);
    console.error(error.cause ?? error);
  }
}
process.exit(failed ? 1 : 0);
