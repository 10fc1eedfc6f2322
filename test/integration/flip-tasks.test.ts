import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ENCODED_QUERY, type FlipSite, HUB_PROJECT, PROJECT, QUERY, startFlipSite } from "../peers/flip-site.ts";
import { syntheticStudy } from "../peers/synthetic-studies.ts";
import { newProject } from "../peers/xnat/state.ts";
import { usualSwitches } from "../peers/xnat/switches.ts";

const STUDIES = ["ACC1", "ACC2", "ACC3"].map((accessionNumber, index) =>
  syntheticStudy({ seed: 6_300 + index, modality: "CT", rows: 4, columns: 4, accessionNumber }),
);
const STATUS = `/retrieval/import_status_count/${PROJECT}`;
const REIMPORT = `/retrieval/reimport_imaging_project_studies/${PROJECT}`;

let site: FlipSite;
beforeAll(async () => {
  site = await startFlipSite({ studies: STUDIES });
});
afterAll(() => site[Symbol.asyncDispose]());

const until = <T>(check: () => T | Promise<T>): Promise<T> => vi.waitFor(check, { timeout: 10_000, interval: 10 });

function startOver(): void {
  const { state, switches } = site.xnat;
  Object.assign(switches, usualSwitches());
  for (const list of [state.queued, state.executed]) list.length = 0;
  state.projects.set(PROJECT, newProject(PROJECT, { secondaryId: HUB_PROJECT }));
}

async function counts(encoded = ENCODED_QUERY): Promise<unknown> {
  const { json } = await site.call("GET", `${STATUS}?encoded_query=${encoded}`);
  return Reflect.get(Object(json), "import_status");
}
const NONE = { successful_count: 0, failed_count: 0, processing_count: 0, queued_count: 0, queue_failed_count: 0 };

describe("retrieval by HTTP", () => {
  it("counts what became of the cohort, with a query padded or not", async () => {
    startOver();
    const { status, json } = await site.call("GET", `${STATUS}?encoded_query=${ENCODED_QUERY}`);
    const whole = { project_creation_completed: true, import_status: { ...NONE, queue_failed_count: 3 } };
    expect([status, json]).toEqual([200, whole]);
    site.dataAccess.requests.length = 0;
    for (const query of ["SELECT 1", "SELECT 12", "SELECT 123"]) {
      const padded = Buffer.from(query).toString("base64").replaceAll("=", "%3D");
      await counts(padded);
      await counts(Buffer.from(query).toString("base64url"));
    }
    const asked = site.dataAccess.requests.map(({ body }) => body.query);
    expect(asked).toEqual(["SELECT 1", "SELECT 12", "SELECT 123"].flatMap((query) => [query, query]));
  });

  it("answers with FLIP's codes and words", async () => {
    startOver();
    const at = async (method: string, path: string) => {
      const { status, json } = await site.call(method, path);
      return [status, Reflect.get(Object(json), "detail")];
    };
    expect(await at("GET", `/retrieval/import_status_count/other?encoded_query=${ENCODED_QUERY}`)).toEqual([
      404,
      "Project not found",
    ]);
    expect((await at("GET", STATUS))[0]).toBe(422);
    expect(await at("GET", `${STATUS}?encoded_query=A`)).toEqual([500, "Internal server error"]);
    expect(await at("PUT", `${REIMPORT}?encoded_query=`)).toEqual([400, "Query must not be empty"]);
    const reason = "Cohort is too small for row-level data to be released.";
    site.dataAccess.answer = { status: 403, body: { detail: reason } };
    expect(await at("GET", `${STATUS}?encoded_query=${ENCODED_QUERY}`)).toEqual([403, expect.stringContaining(reason)]);
    site.dataAccess.answer = { status: 403, body: "<html>" };
    expect(await at("GET", `${STATUS}?encoded_query=${ENCODED_QUERY}`)).toEqual([
      403,
      expect.stringContaining("below the trust's minimum size"),
    ]);
    site.dataAccess.answer = { status: 200, body: { accession_ids: ["ACC1", "ACC2", "ACC3"] } };
    site.xnat.switches.drops = (_, path) => path.startsWith("/data/experiments");
    expect(await at("GET", `${STATUS}?encoded_query=${ENCODED_QUERY}`)).toEqual([
      500,
      expect.stringContaining("(HttpError)"),
    ]);
  });

  it("answers a reimport at once, and does it once however often it is asked", async () => {
    startOver();
    const answers = await Promise.all(
      [1, 2, 3].map(() => site.call("PUT", `${REIMPORT}?encoded_query=${ENCODED_QUERY}`)),
    );
    for (const { status, json } of answers)
      expect([status, json]).toEqual([202, { message: "Reimport queued", projectId: PROJECT }]);
    await until(async () => expect(await counts()).toEqual({ ...NONE, queued_count: 3 }));
    expect(site.xnat.state.queued).toHaveLength(3);
  });

  it("says so when reimports are switched off", async () => {
    await using other = await startFlipSite({ environment: { REIMPORT_STUDIES_ENABLED: "false" } });
    const { status, json } = await other.call("PUT", `${REIMPORT}?encoded_query=`);
    expect([status, json]).toEqual([418, { detail: "Reimport studies feature is not enabled" }]);
  });
});

describe("a retrieval that was answered for", () => {
  it("waits while XNAT is away, and survives a restart in its middle (W9)", async () => {
    startOver();
    const { switches, state } = site.xnat;
    let imports = 0;
    // XNAT queues the studies; the answer, and the process, are lost.
    switches.drops = (_, path) => path === "/data/projects";
    expect((await site.call("PUT", `${REIMPORT}?encoded_query=${ENCODED_QUERY}`)).status).toBe(202);
    await until(() => expect(site.xnat.requests.at(-1)).toContain("/data/projects"));
    await site.stopFace();
    expect(state.queued).toEqual([]);
    switches.drops = (_, path) => {
      if (path === "/xapi/dqr/import") imports += 1;
      return path === "/xapi/dqr/import" && imports === 1;
    };
    await site.startFace();
    await until(() => expect(state.queued).toHaveLength(3));
    expect(imports).toBe(2);
  });

  it("asks for nothing twice when only the answer was lost, though XNAT was slow to queue", async () => {
    startOver();
    const { switches, state } = site.xnat;
    let cut = 0;
    // Studies that were queued before the connection broke.
    switches.drops = (_, path) => {
      if (path !== "/xapi/dqr/import" || cut > 0) return false;
      cut += 1;
      const first = STUDIES[0];
      // Not before whoever asked has gone away.
      setTimeout(() => queueLate(first?.studyInstanceUid ?? ""), 20);
      return true;
    };
    const queueLate = (studyInstanceUid: string) =>
      state.queued.push({
        id: state.nextId(),
        created: 0,
        timestamp: 0,
        username: site.xnat.username,
        pacsId: 1,
        xnatProject: PROJECT,
        studyInstanceUid,
        seriesIds: [],
        relabelMap: {},
        destinationAeTitle: "XNAT:8104",
        status: "QUEUED",
        priority: 10,
        queuedTime: 0,
        accessionNumber: "ACC1",
        patientId: undefined,
        studyDate: undefined,
        errorMessage: undefined,
        retries: 0,
        executedTime: undefined,
      });
    await site.call("PUT", `${REIMPORT}?encoded_query=${ENCODED_QUERY}`);
    await until(() =>
      expect(state.queued.map(({ accessionNumber }) => accessionNumber)).toEqual(["ACC1", "ACC2", "ACC3"]),
    );
  });

  it("ends with its project, whose queue is emptied", async () => {
    startOver();
    await site.call("PUT", `${REIMPORT}?encoded_query=${ENCODED_QUERY}`);
    await until(() => expect(site.xnat.state.queued).toHaveLength(3));
    expect((await site.call("DELETE", `/projects/${PROJECT}`)).status).toBe(200);
    expect(site.xnat.state.queued).toEqual([]);
  });

  it("begins with a new project of the hub", async () => {
    startOver();
    const hub = { project_id: HUB_PROJECT, trust_id: HUB_PROJECT, project_name: "New", query: QUERY };
    const { json } = await site.call("POST", "/projects/create-project-from-central-hub-project", hub);
    const id: string = Reflect.get(Object(json), "ID");
    await until(() => expect(site.xnat.state.queued.map(({ xnatProject }) => xnatProject)).toEqual([id, id, id]));
    const bodies = site.dataAccess.requests.map(({ body }) => body.query);
    expect(bodies.at(-1)).toBe(QUERY);
  });

  it("leaves no query, no accession number, no key and no id of a project in the log (W14)", () => {
    const log = site.log();
    expect(log).toMatch(/sha256:[0-9a-f]{12}/);
    const uids = STUDIES.map(({ studyInstanceUid }) => studyInstanceUid);
    const secrets = [
      "SELECT",
      "4711",
      "omop",
      "ACC1",
      "ACC2",
      ...uids,
      HUB_PROJECT,
      site.xnat.password,
      "the trust's own key",
    ];
    const { AES_KEY_BASE64 = "" } = site.environment;
    for (const secret of [...secrets, AES_KEY_BASE64, ...STUDIES.flatMap(({ identifiers }) => identifiers)])
      expect(log).not.toContain(secret);
  });
});
