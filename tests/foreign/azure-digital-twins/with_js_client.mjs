// The vendor's JavaScript client against the sandbox, over TLS: it refuses plain http.
// Usage: node with_js_client.mjs BASE, with NODE_EXTRA_CA_CERTS naming the authority.
// Prints `ok NAME` or `not ok NAME: REASON` for each check.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(pathToFileURL(process.cwd() + "/"));
const { DigitalTwinsClient } = require("@azure/digital-twins-core");

const base = process.argv[2];
const credential = {
  getToken: async () => ({ token: "planthread", expiresOnTimestamp: Date.now() + 3_600_000 }),
};
const client = new DigitalTwinsClient(base, credential, { allowInsecureConnection: true });

let failed = 0;
async function check(name, run) {
  try {
    await run();
    console.log(`ok azure-digital-twins js: ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`not ok azure-digital-twins js: ${name}: ${error.message}`);
  }
}
function equal(found, wanted) {
  const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`found ${a}, not ${b}`);
}
async function refuses(run, status, code) {
  try {
    await run();
  } catch (error) {
    equal([error.statusCode, error.code], [status, code]);
    return;
  }
  throw new Error("it was not refused");
}
async function all(pages) {
  const found = [];
  for await (const one of pages) found.push(one);
  return found;
}

const PART = "dtmi:foreign:Part;1";
const WHOLE = "dtmi:foreign:Whole;1";
const interfaceOf = (id, contents) => ({
  "@id": id,
  "@type": "Interface",
  "@context": "dtmi:dtdl:context;2",
  contents,
});
const map = {
  "@type": "Map",
  mapKey: { name: "period", schema: "string" },
  mapValue: { name: "hours", schema: "double" },
};
const models = [
  interfaceOf(PART, [{ "@type": "Property", name: "hours", schema: map }]),
  interfaceOf(WHOLE, [
    { "@type": "Property", name: "name", schema: "string" },
    { "@type": "Component", name: "part", schema: PART },
    { "@type": "Relationship", name: "next" },
    { "@type": "Telemetry", name: "beat", schema: "integer" },
  ]),
];
const twin = { $metadata: { $model: WHOLE }, name: "a", part: { $metadata: {} } };

await check("models are created together and listed with their definitions", async () => {
  equal((await client.createModels(models)).map((model) => model.id), [PART, WHOLE]);
  const listed = await all(client.listModels([WHOLE], true));
  equal(listed.map((model) => model.id).sort(), [PART, WHOLE]);
  equal((await client.getModel(PART, true)).model["@id"], PART);
});
await check("a model that is there is refused", () =>
  refuses(() => client.createModels(models), 409, "ModelIdAlreadyExists"));
await check("twins are put and read", async () => {
  for (const id of ["A", "B"]) await client.upsertDigitalTwin(id, JSON.stringify(twin));
  const read = await client.getDigitalTwin("A");
  equal([read.body.$dtId, read.body.name], ["A", "a"]);
  equal(read.etag, read.body.$etag);
});
await check("a patch with its ETag takes, one with an old ETag does not", async () => {
  const old = (await client.getDigitalTwin("A")).etag;
  const add = [{ op: "add", path: "/part/hours", value: { W2026_49: 38.5 } }];
  await client.updateDigitalTwin("A", add, { ifMatch: old });
  await refuses(
    () => client.updateDigitalTwin("A", add, { ifMatch: old }), 412, "PreconditionFailed");
  equal((await client.getComponent("A", "part")).body.hours, { W2026_49: 38.5 });
});
await check("a component is patched by itself", async () => {
  await client.updateComponent("A", "part", [
    { op: "add", path: "/hours/W2026_50", value: 36 },
  ]);
  equal((await client.getDigitalTwin("A")).body.part.hours.W2026_50, 36);
});
await check("a value that the model does not have is refused", () =>
  refuses(
    () => client.updateDigitalTwin("A", [{ op: "add", path: "/name", value: 5 }]),
    400, "ValidationFailed"));
await check("relationships are put, listed from both ends, and deleted", async () => {
  await client.upsertRelationship("A", "r", { $relationshipName: "next", $targetId: "B" });
  equal((await all(client.listRelationships("A"))).length, 1);
  equal((await all(client.listIncomingRelationships("B"))).length, 1);
  await refuses(() => client.deleteDigitalTwin("B"), 400, "RelationshipsNotDeleted");
  await client.deleteRelationship("A", "r");
});
await check("telemetry is taken", () => client.publishTelemetry("A", { beat: 1 }, "m-1"));
await check("a query finds twins by their model once its index has followed", async () => {
  const query = `SELECT * FROM digitaltwins T WHERE IS_OF_MODEL(T, '${WHOLE}')`;
  await new Promise((after) => setTimeout(after, 4_500));
  equal((await all(client.queryTwins(query))).map((found) => found.$dtId).sort(), ["A", "B"]);
  await refuses(() => all(client.queryTwins("foo")), 400, "SqlQueryError");
});
await check("event routes are empty, and none can be made without an endpoint", async () => {
  equal(await all(client.listEventRoutes()), []);
  await refuses(() => client.upsertEventRoute("r", "none", "true"), 400, "EventRouteEndpointInvalid");
});
await check("twins and models are deleted, users of a model first", async () => {
  for (const id of ["A", "B"]) await client.deleteDigitalTwin(id);
  await refuses(() => client.getDigitalTwin("A"), 404, "DigitalTwinNotFound");
  await client.decomissionModel(WHOLE);
  await refuses(() => client.deleteModel(PART), 409, "ModelReferencesNotDeleted");
  for (const id of [WHOLE, PART]) await client.deleteModel(id);
});
process.exit(failed === 0 ? 0 : 1);
