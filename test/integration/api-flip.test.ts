import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startDataAccess } from "../peers/data-access-api.ts";
import { syntheticStudy } from "../peers/synthetic-studies.ts";
import { type PracticeXnat, startXnat } from "../peers/xnat/start-xnat.ts";
import { type ApiSite, openApiSite } from "../support/api.ts";
import type { ServiceOptions } from "../support/service.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const ACCESSIONS = ["ACC1", "ACC2"];
const STUDIES = ACCESSIONS.map((accessionNumber, index) =>
  syntheticStudy({ seed: 8_800 + index, modality: "CT", rows: 4, columns: 4, accessionNumber }),
);
const QUERY = "SELECT accession_id FROM omop.image_occurrence WHERE person_id = 4711";
const STATUS = `/flip/projects/trial/import-status?encoded_query=${Buffer.from(QUERY).toString("base64url")}`;

const opened = new AsyncDisposableStack();
let site: ApiSite;
let open: (apiLimits?: ServiceOptions["apiLimits"]) => Promise<ApiSite>;
let xnat: PracticeXnat;

beforeAll(async () => {
  const folder = opened.use(await temporaryFolder());
  xnat = opened.use(await startXnat({ studies: STUDIES, projects: ["trial", "second"], workEveryMs: 0 }));
  const dataAccess = opened.use(await startDataAccess(ACCESSIONS));
  const environment = {
    XNAT_URL: xnat.url,
    XNAT_PORT: "8104",
    XNAT_SERVICE_USER: xnat.username,
    XNAT_SERVICE_PASSWORD: xnat.password,
    DATA_ACCESS_API_URL: dataAccess.url,
    BASE_IMAGES_DOWNLOAD_DIR: join(folder.path, "images"),
    AES_KEY_BASE64: Buffer.alloc(32, 1).toString("base64"),
  };
  open = (apiLimits = {}) => openApiSite({ environment, apiLimits });
  site = opened.use(await open());
});
afterAll(() => opened.disposeAsync());

const retrieve = (project: string, verb = "retrieve", headers: Readonly<Record<string, string>> = {}) =>
  site.call("POST", `/flip/projects/${project}/${verb}`, { body: { query: QUERY }, headers });

it("has XNAT draw a cohort, once for each key, and sorts it into FLIP's five lists", async () => {
  const first = await retrieve("trial", "retrieve", { "idempotency-key": "one" });
  expect(first).toMatchObject({ status: 202, json: { queued: true, state: "done", accessions: 2, queuedNow: 2 } });
  expect((await retrieve("trial", "retrieve", { "idempotency-key": "one" })).text).toBe(first.text);
  expect((await retrieve("trial", "retry")).json).toMatchObject({ queued: true, queuedNow: 0, present: 2 });
  expect(xnat.state.queued).toHaveLength(2);
  expect((await site.call("GET", STATUS)).json).toEqual({
    successful: [],
    failed: [],
    processing: [],
    queued: ACCESSIONS,
    queueFailed: [],
  });
});

it("shows retrievals that outlive their request, without their query", async () => {
  const { json, text } = await site.call("GET", "/flip/tasks?limit=1");
  expect(json).toMatchObject({ items: [{ project: "trial", kind: "retry", state: "done", present: 2 }] });
  const { next } = json as { readonly next: string };
  const rest = await site.call("GET", `/flip/tasks?limit=1&cursor=${next}`);
  expect(rest.json).toMatchObject({ items: [{ kind: "retrieve", queuedNow: 2 }], next: null });
  expect(text + rest.text).not.toMatch(/SELECT|4711|ACC1/);
});

it("answers who waits for a slow XNAT, however long he and his gateway have nothing to say to each other", async () => {
  await using impatient = await open({ idleMs: 300 });
  xnat.switches.delayMs = 1_000;
  const answer = await impatient.call("GET", STATUS).finally(() => {
    xnat.switches.delayMs = 0;
  });
  expect(answer).toMatchObject({ status: 200, json: { queued: ACCESSIONS } });
});

it("goes on with what XNAT could not be asked, and lets it be ended", async () => {
  xnat.switches.drops = () => true;
  const { json } = await retrieve("second");
  expect(json).toMatchObject({ queued: false, state: "waiting", code: expect.stringMatching(/^(HTTP|CONNECTION)_/) });
  expect((await site.call("POST", "/flip/projects/second/cancel")).json).toEqual({ cancelled: 1 });
  expect((await site.call("GET", "/flip/tasks?limit=1")).json).toMatchObject({ items: [{ state: "cancelled" }] });
  expect(await site.call("GET", STATUS)).toMatchObject({ status: 503 });
  xnat.switches.drops = () => false;
});

it("says what is wrong with the request, and that a project is not there", async () => {
  expect((await site.call("POST", "/flip/projects/trial/retrieve", { body: {} })).status).toBe(422);
  expect(await site.call("GET", STATUS.replace("trial", "none"))).toMatchObject({
    status: 404,
    json: { code: "FLIP_PROJECT_NOT_FOUND" },
  });
  expect((await site.call("GET", `${STATUS}%FF`)).status).toBe(422);
  expect((await retrieve("none")).json).toMatchObject({
    queued: false,
    state: "failed",
    code: "FLIP_PROJECT_NOT_FOUND",
  });
});

it("lists the studies under an accession number for who has to choose", async () => {
  const { json } = await site.call("GET", "/flip/candidates?accession_number=ACC1");
  expect(json).toMatchObject({ items: [{ studyInstanceUid: STUDIES[0]?.studyInstanceUid, accessionNumber: "ACC1" }] });
  expect((await site.call("GET", "/flip/candidates?accession_number=ACC*")).status).toBe(422);
  // Blanks alone are no value: the PACS would be asked for every study that it has. PS3.4 C.2.2.2.3.
  expect((await site.call("GET", "/flip/candidates?accession_number=%20%20")).status).toBe(422);
});

it("writes down who saw accession numbers, and shows them to nobody less", async () => {
  const token = await site.tokenOf("looker", "viewer");
  expect((await site.call("GET", STATUS, { token })).status).toBe(403);
  await site.call("GET", STATUS);
  expect((await site.call("GET", "/audit?limit=2")).json).toMatchObject({
    items: [{ event: "identified-values-shown", detail: { flipProject: "trial" } }, { event: "audit-read" }],
  });
});
