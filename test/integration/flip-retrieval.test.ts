import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createFlipImaging, type FlipImaging, HttpError } from "../../src/flip.ts";
import {
  ENCODED_QUERY,
  envelopes,
  type FlipSite,
  HUB_PROJECT,
  PROJECT,
  QUERY,
  startFlipSite,
} from "../peers/flip-site.ts";
import { type SyntheticStudy, syntheticStudy } from "../peers/synthetic-studies.ts";
import { newProject } from "../peers/xnat/state.ts";
import { usualSwitches } from "../peers/xnat/switches.ts";

let seed = 6_100;
function studyOf(accessionNumber: string, patientId = `MRN-${accessionNumber}`): SyntheticStudy {
  seed += 1;
  return syntheticStudy({ seed, modality: "CT", rows: 4, columns: 4, accessionNumber, patientId });
}

/** What the PACS holds; changed by the tests. */
const content: SyntheticStudy[] = [];
let site: FlipSite;
let flip: FlipImaging;

beforeAll(async () => {
  site = await startFlipSite({ studies: content });
  flip = createFlipImaging(site.environment);
});
afterAll(async () => {
  await flip[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});
beforeEach(() => {
  const { state, switches } = site.xnat;
  Object.assign(switches, usualSwitches());
  for (const list of [state.queued, state.executed, state.directArchive, state.prearchive]) list.length = 0;
  state.projects.set(PROJECT, newProject(PROJECT, { secondaryId: HUB_PROJECT }));
  site.dataAccess.requests.length = 0;
});

/** The PACS holds these, and the cohort is all of them unless it is given. */
function given(studies: readonly SyntheticStudy[], accessions?: readonly unknown[]): void {
  content.splice(0, content.length, ...studies);
  const ids = accessions ?? studies.map(({ accessionNumber }) => accessionNumber);
  site.dataAccess.answer = { status: 200, body: { accession_ids: ids } };
}

const retrieve = () => flip.retrieveImagesForProject(PROJECT, QUERY);
const retry = () => flip.retryRetrieveImagesForProject(PROJECT, QUERY);
const status = () => flip.getImportStatus(PROJECT, QUERY);
const queued = (): readonly string[] => site.xnat.state.queued.map(({ accessionNumber }) => accessionNumber ?? "");

async function askedDuring<T>(
  work: () => Promise<T>,
): Promise<{ readonly answer: T; readonly asked: readonly string[] }> {
  const start = site.xnat.requests.length;
  const answer = await work();
  return { answer, asked: site.xnat.requests.slice(start) };
}
const imports = (asked: readonly string[]): number => asked.filter((each) => each === "POST /xapi/dqr/import").length;
const queries = (asked: readonly string[]): number =>
  asked.filter((each) => each.endsWith("/dqr/query/studies")).length;
const NOTHING = { successful: [], failed: [], processing: [], queued: [], queueFailed: [] };

describe("retrieval", () => {
  it("seals the hub's id, asks for each accession number once, and for all studies in one import", async () => {
    given([studyOf("ACC1"), studyOf("ACC2")]);
    const { answer, asked } = await askedDuring(retrieve);
    expect([answer, queries(asked), imports(asked), queued()]).toEqual([true, 2, 1, ["ACC1", "ACC2"]]);
    const [request] = site.dataAccess.requests;
    expect(request?.headers).toMatchObject({ "x-trust-internal-service-key": "the trust's own key" });
    expect(request?.body.query).toBe(QUERY);
    expect(envelopes.open(String(request?.body.encrypted_project_id), "project_id")).toBe(HUB_PROJECT);
    expect(site.xnat.state.queued[0]).toMatchObject({ destinationAeTitle: "XNAT:8104", xnatProject: PROJECT });
  });

  it("asks the PACS for nothing that would match more than one study, and for nothing twice (W15)", async () => {
    given([studyOf("ACC1")], ["ACC1", "", "  ", "ACC*", "AC?1", "A\\CC1", 4711, null, "ACC1"]);
    const { answer, asked } = await askedDuring(retrieve);
    expect([answer, queries(asked), queued()]).toEqual([true, 1, ["ACC1"]]);
  });

  it("opens an accession number that comes sealed", async () => {
    given(
      [studyOf("ACC1"), studyOf("ACC2")],
      [envelopes.seal("ACC1", "accession_id"), envelopes.seal("ACC2", "another purpose")],
    );
    expect([await retrieve(), queued()]).toEqual([true, ["ACC1"]]);
  });

  it("skips one that could be in no address, and goes on with the others", async () => {
    given([studyOf("ACC1"), studyOf("ACC 2"), studyOf("ACC3")]);
    expect([await retrieve(), queued()]).toEqual([true, ["ACC1", "ACC3"]]);
  });

  it("takes none of several studies under one accession number, and says so (W10)", async () => {
    const studies = [studyOf("ACC1"), studyOf("ACC1")];
    given(studies);
    const report = await flip.requestRetrieval(PROJECT, QUERY);
    const candidates = studies.map(({ studyInstanceUid }) => ({
      studyInstanceUid,
      modalitiesInStudy: [expect.any(String)],
    }));
    expect(report).toMatchObject({
      queued: false,
      problems: [{ accession: "ACC1", code: "FLIP_ACCESSION_AMBIGUOUS", candidates }],
    });
    expect(queued()).toEqual([]);
  });

  it("takes what matches exactly, whatever the PACS takes for a match", async () => {
    site.xnat.switches.foldsCase = true;
    given([studyOf("acc1"), studyOf("ACC1")], ["ACC1"]);
    expect([await retrieve(), queued()]).toEqual([true, ["ACC1"]]);
    given([studyOf("acc2")], ["ACC2"]);
    expect([await retrieve(), queued()]).toEqual([false, ["ACC1"]]);
  });

  it("minds no blank description, physician or sex (W3)", async () => {
    site.xnat.switches.blankAttributes = new Set(["studyDescription", "referringPhysicianName", "sex", "studyDate"]);
    given([studyOf("ACC1")]);
    expect([await retrieve(), queued()]).toEqual([true, ["ACC1"]]);
  });

  it("asks for nothing when nothing is found, whichever way the server says so", async () => {
    given([], ["ACC1"]);
    const first = await askedDuring(retrieve);
    site.xnat.switches.noMatches = "list";
    const second = await askedDuring(retrieve);
    for (const { answer, asked } of [first, second]) expect([answer, imports(asked)]).toEqual([false, 0]);
  });

  it("keeps what XNAT queued though it dropped a study, and names that one (W7)", async () => {
    const [one, two] = [studyOf("ACC1"), studyOf("ACC2")];
    given([one, two]);
    site.xnat.switches.withoutSeries = new Set([two.studyInstanceUid]);
    const report = await flip.requestRetrieval(PROJECT, QUERY);
    expect(report).toMatchObject({
      queued: false,
      queuedNow: 1,
      problems: [{ accession: "ACC2", code: "FLIP_IMPORT_DROPPED" }],
    });
    expect(queued()).toEqual(["ACC1"]);
    site.xnat.switches.withoutSeries = new Set();
    expect([await retrieve(), queued()]).toEqual([true, ["ACC1", "ACC2"]]);
  });

  it("skips a query that fails, and one that takes too long (W8)", async () => {
    given([studyOf("ACC1"), studyOf("ACC2"), studyOf("ACC3")]);
    let asked = 0;
    site.xnat.switches.drops = (_, path) => {
      if (path.endsWith("/query/studies")) asked += 1;
      return path.endsWith("/query/studies") && asked === 2;
    };
    const report = await flip.requestRetrieval(PROJECT, QUERY);
    expect(report).toMatchObject({ queued: true, queuedNow: 2, problems: [{ code: "HTTP_CONNECTION_LOST" }] });
    await using hasty = createFlipImaging({ ...site.environment, RADFERRY_FLIP_PACS_QUERY_SECONDS: "0.05" });
    await hasty.getImportStatus(PROJECT, QUERY);
    given([studyOf("ACC4")]);
    site.xnat.switches.drops = (_, path) => {
      if (path.endsWith("/query/studies")) site.xnat.switches.delayMs = 300;
      return false;
    };
    const late = await hasty.requestRetrieval(PROJECT, QUERY);
    expect(late).toMatchObject({ queued: false, problems: [{ accession: "ACC4", code: "TIMED_OUT" }] });
  });

  it("asks a slow PACS for eight at once and no more, and answers others meanwhile (W8)", async () => {
    given(Array.from({ length: 12 }, (_, index) => studyOf(`SLOW${index}`)));
    const { switches, requests } = site.xnat;
    switches.drops = (_, path) => {
      if (path.endsWith("/query/studies")) switches.delayMs = 1_500;
      return false;
    };
    const start = requests.length;
    const path = `/retrieval/reimport_imaging_project_studies/${PROJECT}?encoded_query=${ENCODED_QUERY}`;
    expect((await site.call("PUT", path)).status).toBe(202);
    await vi.waitFor(() => expect(queries(requests.slice(start))).toBe(8), { timeout: 5_000, interval: 5 });
    Object.assign(switches, { drops: () => false, delayMs: 0 });
    expect((await site.call("GET", `/projects/${PROJECT}`)).status).toBe(200);
    expect(queries(requests.slice(start))).toBe(8);
    await vi.waitFor(() => expect(queued()).toHaveLength(12), { timeout: 10_000, interval: 20 });
    const asked = requests.slice(start);
    expect([queries(asked), imports(asked)]).toEqual([12, 1]);
    expect(asked.filter((each) => each.startsWith("GET /xapi/users"))).toEqual([]);
  });

  it("answers no when the cohort is refused, and asks the PACS nothing", async () => {
    given([studyOf("ACC1")]);
    site.dataAccess.answer = { status: 403, body: { detail: "No approved cohort snapshot exists for this project." } };
    const { answer, asked } = await askedDuring(retrieve);
    expect([answer, queries(asked), imports(asked)]).toEqual([false, 0, 0]);
    await expect(status()).rejects.toMatchObject({
      status: 403,
      detail: expect.stringContaining("No approved cohort"),
    });
  });

  it("names an unknown project, a PACS that is away and answers that are none", async () => {
    given([studyOf("ACC1")]);
    const failure = async (work: Promise<unknown>) => {
      const thrown = await work.catch((error: unknown) => error);
      return thrown instanceof HttpError ? [thrown.status, thrown.code] : thrown;
    };
    expect(await failure(flip.retrieveImagesForProject("other", QUERY))).toEqual([404, "FLIP_PROJECT_NOT_FOUND"]);
    expect(await failure(flip.getImportStatus("other", QUERY))).toEqual([404, "FLIP_PROJECT_NOT_FOUND"]);
    expect(await failure(flip.retryRetrieveImagesForProject("other", QUERY))).toEqual([404, "FLIP_PROJECT_NOT_FOUND"]);
    site.dataAccess.answer = { status: 200, body: "no JSON" };
    expect(await failure(retrieve())).toEqual([500, "HTTP_JSON_INVALID"]);
    site.dataAccess.answer = { status: 200, body: { ids: [] } };
    expect(await failure(retrieve())).toEqual([500, "FLIP_ACCESSIONS_INVALID"]);
    site.dataAccess.answer = { status: 500, body: {} };
    expect(await failure(status())).toEqual([500, "HTTP_SERVER_FAILED"]);
  });

  it("gives a patient one subject in a project, always the same, and another one in another project (W5)", async () => {
    given([studyOf("ACC1", "P1"), studyOf("ACC2", "P1"), studyOf("ACC3", "P2")]);
    await retrieve();
    const [one, two, three] = site.xnat.state.queued.map(({ relabelMap }) => relabelMap);
    expect(one).toEqual({
      Session: "ACC1",
      Subject: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
    });
    expect(two?.Subject).toBe(one?.Subject);
    expect(three?.Subject).not.toBe(one?.Subject);
    site.xnat.state.queued.length = 0;
    await retrieve();
    expect(site.xnat.state.queued[0]?.relabelMap).toEqual(one);
    site.xnat.state.queued.length = 0;
    site.xnat.state.projects.set("heart", newProject("heart", { secondaryId: "heart" }));
    await flip.retrieveImagesForProject("heart", QUERY);
    expect(site.xnat.state.queued[0]?.relabelMap.Subject).not.toBe(one?.Subject);
  });

  it("leaves a study alone while XNAT imports it for another project (W16)", async () => {
    site.xnat.state.projects.set("heart", newProject("heart", { secondaryId: "heart" }));
    given([studyOf("ACC1"), studyOf("ACC2")]);
    await flip.retrieveImagesForProject("heart", QUERY);
    site.xnat.state.queued.pop();
    const report = await flip.requestRetrieval(PROJECT, QUERY);
    expect(report).toMatchObject({
      queued: false,
      queuedNow: 1,
      problems: [{ accession: "ACC1", code: "FLIP_STUDY_BUSY" }],
    });
    expect(
      site.xnat.state.queued.map(({ xnatProject, accessionNumber }) => `${xnatProject} ${accessionNumber}`),
    ).toEqual(["heart ACC1", `${PROJECT} ACC2`]);
  });
});

describe("status and retry", () => {
  async function work(rounds: number): Promise<void> {
    for (let round = 0; round < rounds; round += 1) await site.xnat.work();
  }

  it("follow a study from the queue into the archive (W6)", async () => {
    given([studyOf("ACC1"), studyOf("ACC2")]);
    expect(await status()).toEqual({ ...NOTHING, queueFailed: ["ACC1", "ACC2"] });
    await retrieve();
    expect(await status()).toEqual({ ...NOTHING, queued: ["ACC1", "ACC2"] });
    await work(1);
    expect(await status()).toEqual({ ...NOTHING, processing: ["ACC1"], queued: ["ACC2"] });
    await work(8);
    expect(await status()).toEqual({ ...NOTHING, successful: ["ACC1", "ACC2"] });
    const { answer, asked } = await askedDuring(retry);
    expect([answer, queries(asked), imports(asked)]).toEqual([true, 0, 0]);
  });

  it("name what is stuck in the prearchive, which the history takes for received (W1)", async () => {
    given([studyOf("ACC1")]);
    site.xnat.switches.directArchiveFailure = "prearchive";
    await retrieve();
    await work(8);
    expect(site.xnat.state.executed).toMatchObject([{ status: "RECEIVED" }]);
    const found = await flip.explainImportStatus(PROJECT, QUERY);
    expect(found.accessions).toMatchObject([{ accession: "ACC1", bucket: "failed", reason: "prearchive: ERROR" }]);
    site.xnat.switches.directArchiveFailure = "none";
    site.xnat.state.prearchive.length = 0;
  });

  it("take what DQR itself tries again for queued, and ask for nothing twice (W4)", async () => {
    given([studyOf("ACC1")]);
    site.xnat.switches.failingMoves = 1;
    await retrieve();
    await work(1);
    expect(await status()).toEqual({ ...NOTHING, queued: ["ACC1"] });
    expect([await retry(), site.xnat.state.queued.length]).toEqual([true, 1]);
    await work(8);
    expect(await status()).toEqual({ ...NOTHING, successful: ["ACC1"] });
  });

  it("ask again for what DQR gave up, once however often it is asked (W5)", async () => {
    given([studyOf("ACC1"), studyOf("ACC2")]);
    site.xnat.switches.failingMoves = 5;
    await retrieve();
    await work(5);
    const failed = await flip.explainImportStatus(PROJECT, QUERY);
    expect(failed.accessions[0]).toMatchObject({ bucket: "failed", reason: "C-MOVE failed: Out of Resources" });
    site.xnat.switches.failingMoves = 0;
    site.xnat.state.queued.length = 0;
    const first = await askedDuring(retry);
    expect([first.answer, queries(first.asked), imports(first.asked)]).toEqual([true, 2, 1]);
    const second = await askedDuring(retry);
    expect([second.answer, queries(second.asked), imports(second.asked)]).toEqual([true, 0, 0]);
    await Promise.all([retry(), retry(), retrieve()]);
    expect(queued()).toEqual(["ACC1", "ACC2"]);
  });

  it("ask for failures first, and say no when nothing of it can be queued", async () => {
    given([studyOf("ACC1"), studyOf("ACC2")], ["ACC0", "ACC2", "ACC1"]);
    site.xnat.switches.failingMoves = 5;
    given([studyOf("ACC1")], ["ACC1"]);
    await retrieve();
    await work(5);
    given([studyOf("ACC1"), studyOf("ACC2")], ["ACC0", "ACC2", "ACC1"]);
    expect([await retry(), queued()]).toEqual([true, ["ACC1", "ACC2"]]);
    given([], ["ACC9"]);
    expect(await retry()).toBe(false);
  });

  it("see with the eyes of a smaller role", async () => {
    site.xnat.switches.hasAllDataAccess = false;
    given([studyOf("ACC1")]);
    expect([await retrieve(), await status()]).toEqual([true, { ...NOTHING, queued: ["ACC1"] }]);
  });

  it("compare what XNAT has with what the PACS counts: a label alone proves nothing (W2)", async () => {
    const verdicts = async (...accessions: readonly string[]) =>
      (await flip.checkCompleteness(PROJECT, accessions)).map(({ verdict, expected, found }) => [
        verdict,
        expected,
        found,
      ]);
    const plan = { modality: "CT", rows: 4, columns: 4, series: 2, instancesPerSeries: 2 } as const;
    given(
      ["ACC1", "ACC2", "ACC3"].map((accessionNumber, index) =>
        syntheticStudy({ ...plan, seed: 6_900 + index, accessionNumber }),
      ),
    );
    await retrieve();
    await work(1);
    site.xnat.switches.lostObjects = 1;
    await work(1);
    site.xnat.switches.lostObjects = 0;
    await work(1);
    await work(4);
    site.xnat.switches.emptyShells = true;
    await work(6);
    expect((await status()).successful).toEqual(["ACC1", "ACC2", "ACC3"]);
    expect(await verdicts("ACC1", "ACC2", "ACC3", "ACC9")).toEqual([
      ["complete", 4, 4],
      ["partial", 4, 3],
      ["empty", undefined, undefined],
      ["unknown", undefined, undefined],
    ]);
    site.xnat.switches.countsInstances = false;
    expect(await verdicts("ACC1")).toEqual([["unknown", undefined, 4]]);
  });

  it("count sessions of types that a project's own listing hides (W13)", async () => {
    seed += 1;
    given([syntheticStudy({ seed, modality: "DX", rows: 4, columns: 4, accessionNumber: "ACC1" })]);
    await retrieve();
    await work(8);
    expect(await status()).toEqual({ ...NOTHING, successful: ["ACC1"] });
  });

  it("have five empty lists for an empty cohort", async () => {
    given([]);
    expect([await status(), await retrieve(), await retry()]).toEqual([NOTHING, false, true]);
  });
});
