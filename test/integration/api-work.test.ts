import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { freePort } from "../peers/free-port.ts";
import { type PracticeArchive, startPracticeArchive } from "../peers/practice-archive.ts";
import { syntheticStudy } from "../peers/synthetic-studies.ts";
import { type ApiSite, openApiSite } from "../support/api.ts";
import { followEvents } from "../support/event-stream.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const STUDIES = [71, 72].map((seed) =>
  syntheticStudy({ seed, modality: "CT", rows: 4, columns: 4, instancesPerSeries: 2 }),
);
const COHORT = `study_instance_uid,our_row\n${STUDIES.map(({ studyInstanceUid }, row) => `${studyInstanceUid},${row}`).join("\n")}\n`;
const CSV = { "content-type": "text/csv" };

const opened = new AsyncDisposableStack();
let archive: PracticeArchive;
let site: ApiSite;

beforeAll(async () => {
  const folder = opened.use(await temporaryFolder());
  const key = async (name: string, digit: string): Promise<string> => {
    await writeFile(join(folder.path, name), `${digit.repeat(64)}\n`, { mode: 0o600 });
    return join(folder.path, name);
  };
  const port = await freePort();
  archive = opened.use(await startPracticeArchive({ studies: STUDIES, destinations: [`RADFERRY@127.0.0.1:${port}`] }));
  const project = { archives: ["practice"], destinations: ["store"], profile: "research" };
  site = opened.use(
    await openApiSite({
      settings: {
        dicom: { port },
        retry: { attempts: 3, firstDelaySeconds: 0.1, maximumDelaySeconds: 0.2 },
        archives: [{ name: "practice", kind: "dimse", address: archive.address, retrieve: "move" }],
        destinations: [{ name: "store", kind: "folder", path: join(folder.path, "store") }],
        projects: [
          { name: "lung", ...project, keyFile: await key("lung.key", "1") },
          { name: "heart", ...project, keyFile: await key("heart.key", "2") },
        ],
      },
    }),
  );
});
afterAll(() => opened.disposeAsync());

async function submit(project: string, text: string, headers: Readonly<Record<string, string>> = {}) {
  const answer = await site.call("POST", `/cohorts?project=${project}`, {
    body: text,
    headers: { ...CSV, ...headers },
  });
  return { ...answer, cohort: String((answer.json as { readonly cohort?: string }).cohort) };
}

async function itemsOf(path: string, token?: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const { json } = await site.call("GET", path, { token });
  return (json as { readonly items: readonly Readonly<Record<string, unknown>>[] }).items;
}

it("takes a cohort, tells live what becomes of its studies, and accounts for them", async () => {
  await using events = await followEvents(site.url, site.admin);
  await events.until(({ event }) => event === "overview");
  const { status, json, cohort } = await submit("lung", COHORT);
  expect({ status, json }).toMatchObject({ status: 201, json: { project: "lung", rows: 2, accepted: 2, refused: [] } });
  const done = new Set<unknown>();
  const seen = await events.until(({ event, data }) => {
    if (event === "study" && data.state === "delivered") done.add(data.id);
    return done.size === 2;
  });
  const ids = seen.map(({ id }) => id).filter((id) => id !== undefined);
  expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
  expect((await site.call("GET", `/cohorts/${cohort}`)).json).toMatchObject({ done: true, states: { delivered: 2 } });
  const [study] = await itemsOf(`/studies?cohort=${cohort}&limit=1`);
  expect(study).toMatchObject({ state: "delivered", verdict: "complete", events: [] });
  const shown = await site.call("GET", `/studies/${study?.id}`);
  expect(shown.json).toMatchObject({ deliveries: [{ destination: "store", state: "confirmed" }] });
  expect((shown.json as { readonly events: readonly unknown[] }).events.length).toBeGreaterThan(3);
  expect(await itemsOf(`/studies/${study?.id}/ledger`)).toMatchObject([{ series: 1, expected: 2, delivered: 2 }]);
  expect(await itemsOf("/deliveries?state=confirmed")).toMatchObject([{ job: study?.id }, { project: "lung" }]);
  expect(await itemsOf("/workers")).not.toEqual([]);
});

it("tells Prometheus what it did", async () => {
  const { text } = await site.call("GET", "//metrics", { token: "" });
  for (const line of [
    /^radferry_retrievals_total\{archive="practice",outcome="answered"\} [1-9]/m,
    /^radferry_retrieve_duration_seconds_count\{archive="practice"\} [1-9]/m,
    /^radferry_instances_received_total [1-9]/m,
    /^radferry_delivery_bytes_total\{destination="store"\} [1-9]/m,
    /^radferry_archive_window_open\{archive="practice"\} 1$/m,
    /^radferry_associations_active\{archive="practice"\} 0$/m,
    /^radferry_oldest_queued_seconds 0$/m,
    /^radferry_studies\{project="lung",state="delivered"\} 2$/m,
    /^radferry_http_requests_total\{route="GET \/api\/v1\/studies\/:id",status="200"\} [1-9]/m,
  ])
    expect(text).toMatch(line);
});

it("comes back to where a follower was", async () => {
  const first = await followEvents(site.url, site.admin, { "last-event-id": "0" });
  const seen = await first.until(({ event }) => event === "overview");
  await first[Symbol.asyncDispose]();
  const told = seen.filter(({ event }) => event === "study");
  expect(new Set(told.map(({ data }) => data.id)).size).toBe(told.length);
  const last = Math.max(...told.map(({ id }) => id ?? 0));
  await using second = await followEvents(site.url, site.admin, { "last-event-id": `${last}` });
  const { cohort } = await submit("heart", COHORT);
  const later = await second.until(({ event, data }) => event === "study" && data.cohort === cohort);
  expect(later.filter(({ event, id }) => event === "study" && (id ?? 0) <= last)).toEqual([]);
  await using strange = await followEvents(site.url, site.admin, { "last-event-id": "999999999" });
  expect((await strange.until(({ event }) => event === "reset")).map(({ event }) => event)).toEqual(["reset"]);
});

it("tells before anything is submitted what would be found, and keeps nothing of it", async () => {
  const before = await itemsOf("/cohorts");
  const body = `study_instance_uid\n${STUDIES[0]?.studyInstanceUid}\nnot a uid\n`;
  const { status, json } = await site.call("POST", "/cohorts/check?project=lung", { body, headers: CSV });
  expect({ status, json }).toMatchObject({
    status: 200,
    json: { rows: 2, accepted: 1, refusedFindings: 1, refused: [{ row: 2, code: "UID_INVALID" }] },
  });
  expect(await itemsOf("/cohorts")).toEqual(before);
});

it("has a cohort wait for its start, and makes what waits more urgent", async () => {
  const startAt = encodeURIComponent("2999-01-01T00:00:00+01:00");
  const body = "study_instance_uid\n1.2.3.4.5\n";
  const submitted = await site.call("POST", `/cohorts?project=lung&startAt=${startAt}`, { body, headers: CSV });
  const { cohort } = submitted.json as { readonly cohort: string };
  const [study] = await itemsOf(`/studies?cohort=${cohort}`);
  expect(study).toMatchObject({
    ...{ state: "waiting", code: "START_SCHEDULED", waitingUntil: "2998-12-31T23:00:00.000Z", priority: 3 },
  });
  const change = (path: string, priority: number) =>
    site.call("POST", `${path}/priority`, {
      body: JSON.stringify({ priority }),
      headers: { "content-type": "application/json" },
    });
  expect(await change(`/cohorts/${cohort}`, 5)).toMatchObject({ status: 200, json: { changed: 1 } });
  expect(await change(`/studies/${study?.id}`, 5)).toMatchObject({ status: 200, json: { changed: 0 } });
  expect(await change(`/studies/${study?.id}`, 6)).toMatchObject({ status: 422 });
  const [told] = (await itemsOf("/audit?limit=50")).filter(({ event }) => event === "priority-changed");
  expect(told).toMatchObject({ outcome: "success" });
  expect((await site.call("POST", `/cohorts/${cohort}/cancel`)).json).toEqual({ cancelled: 1 });
});

it("does once what is asked twice with one key, and says when the key is another's", async () => {
  const headers = { "idempotency-key": "night-1" };
  const first = await submit("lung", COHORT, headers);
  const again = await submit("lung", COHORT, headers);
  expect(again).toMatchObject({ status: 201, text: first.text });
  expect(again.headers.get("idempotency-replayed")).toBe("true");
  expect(await submit("heart", COHORT, headers)).toMatchObject({
    status: 422,
    json: { code: "IDEMPOTENCY_KEY_REUSED" },
  });
  await site.service.restart();
  const token = await site.call("GET", "/me");
  expect(token.status).toBe(200);
  expect((await submit("lung", COHORT, headers)).text).toBe(first.text);
});

it("gives nobody what was answered to another who came with the same key", async () => {
  const ask = async (token?: string) => {
    const headers = { "idempotency-key": "everybodys" };
    return await site.call("POST", `/cohorts?project=lung`, { body: COHORT, headers: { ...CSV, ...headers }, token });
  };
  const first = await ask();
  const other = await ask(await site.tokenOf("another", "admin"));
  expect([first.status, other.status]).toEqual([201, 201]);
  expect(other.headers.get("idempotency-replayed")).toBeNull();
  expect(other.text).not.toBe(first.text);
});

it("shows who is limited to a project nothing of the others", async () => {
  const token = await site.tokenOf("lung-only", "admin", ["lung"]);
  const { cohort } = await submit("heart", COHORT);
  const [other] = await itemsOf("/studies?project=heart");
  const ask = async (method: string, path: string) => {
    const { status, json } = await site.call(method, path, { token });
    return [status, (json as { readonly code?: string } | undefined)?.code];
  };
  expect(await itemsOf("/projects", token)).toMatchObject([{ name: "lung" }]);
  for (const path of ["/studies", "/cohorts", "/deliveries"])
    expect(new Set((await itemsOf(path, token)).map(({ project }) => project))).toEqual(new Set(["lung"]));
  expect((await site.call("GET", "/overview", { token })).text).not.toContain("heart");
  expect(await ask("GET", "/studies?project=heart")).toEqual([404, "PROJECT_UNKNOWN"]);
  expect(await ask("GET", `/studies/${other?.id}`)).toEqual([404, "JOB_NOT_FOUND"]);
  expect(await ask("GET", `/studies/${other?.id}/identity`)).toEqual([404, "JOB_NOT_FOUND"]);
  expect(await ask("POST", `/studies/${other?.id}/cancel`)).toEqual([404, "JOB_NOT_FOUND"]);
  expect(await ask("GET", `/cohorts/${cohort}/export`)).toEqual([404, "COHORT_NOT_FOUND"]);
  expect(await ask("POST", "/archives/practice/pause")).toEqual([403, "PROJECTS_LIMITED"]);
  expect(await ask("GET", "/audit")).toEqual([403, "PROJECTS_LIMITED"]);
  expect(await ask("POST", "/tokens")).toEqual([422, "API_REQUEST_INVALID"]);
  await using events = await followEvents(site.url, token, { "last-event-id": "0" });
  const seen = await events.until(({ event }) => event === "overview");
  expect(seen.filter(({ data }) => data.project === "heart")).toEqual([]);
});

it("writes down who saw or changed what, before he does", async () => {
  const [study] = await itemsOf("/studies?project=lung&state=delivered");
  const [cohort] = await itemsOf("/cohorts?project=lung");
  const token = await site.tokenOf("auditor", "admin");
  const identity = await site.call("GET", `/studies/${study?.id}/identity`, { token });
  expect(STUDIES.map(({ studyInstanceUid }) => studyInstanceUid)).toContain(
    (identity.json as { readonly studyInstanceUid: string }).studyInstanceUid,
  );
  const { text, headers } = await site.call("GET", `/cohorts/${cohort?.cohort}/export`, { token });
  expect(headers.get("content-type")).toBe("text/csv; charset=utf-8");
  expect(text.split("\n")[0]).toContain("our_row");
  await site.call("POST", "/archives/practice/pause", { token });
  await site.call("POST", "/archives/practice/resume", { token });
  const events = (await itemsOf("/audit?limit=100")).filter(
    ({ actor }) => (actor as { name: string }).name === "auditor",
  );
  expect(events).toMatchObject([
    { event: "identified-values-shown", job: study?.id, project: "lung", actor: { kind: "token" } },
    { event: "cohort-exported", project: "lung" },
    { event: "archive-controlled", detail: { archive: "practice", paused: true } },
    { event: "archive-controlled", detail: { archive: "practice", paused: false } },
  ]);
  expect((await site.call("POST", "/audit/verify")).json).toMatchObject({ ok: true });
});

it("names no patient, study or secret outside of what is for that", async () => {
  const identifiers = STUDIES.flatMap(({ studyInstanceUid, patientId, accessionNumber }) => [
    studyInstanceUid,
    patientId,
    accessionNumber,
  ]);
  for (const path of [
    "//metrics",
    "//health/ready",
    "/overview",
    "/studies",
    "/cohorts",
    "/deliveries",
    "/audit",
    "/settings",
  ]) {
    const { text } = await site.call("GET", path);
    for (const identifier of identifiers) expect(text).not.toContain(identifier);
  }
});
