import { request } from "node:http";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { createFlipImaging, type FlipImaging } from "../../src/flip.ts";
import { envelopes, type FlipSite, HUB_PROJECT, PROJECT, QUERY, startFlipSite } from "../peers/flip-site.ts";
import { syntheticStudy } from "../peers/synthetic-studies.ts";
import { newProject } from "../peers/xnat/state.ts";
import { startHttpServer, type TestHttpServer } from "../support/http-server.ts";

const STUDIES = ["ACC1", "ACC2"].map((accessionNumber, index) =>
  syntheticStudy({ seed: 6_900 + index, modality: "CT", rows: 4, columns: 4, accessionNumber }),
);
const [ONE, TWO] = STUDIES.map(({ studyInstanceUid }) => studyInstanceUid);
const PING = { id: 5, pacsId: 1, successful: true, enabled: true, pingTime: 1, created: 1, timestamp: 1, disabled: 0 };

/** What XNAT says of its PACS, and of each study that it is to import. */
let ping: object;
let statuses: readonly string[];
/** What XNAT says of the PACS that it knows; undefined: the truth. */
let registrations: object | undefined;
let askedForPacs = 0;
/** Bodies of import requests. */
const imports: object[] = [];
let site: FlipSite;
let front: TestHttpServer;
let flip: FlipImaging;

/** Stands before the site's XNAT, and answers in its place where a test says how. */
beforeAll(async () => {
  site = await startFlipSite({ studies: STUDIES });
  const { port } = new URL(site.xnat.url);
  front = await startHttpServer(async (incoming, outgoing) => {
    const { method = "", url: path = "", headers } = incoming;
    const answer = (body: unknown) => outgoing.setHeader("content-type", "application/json").end(JSON.stringify(body));
    if (path.endsWith("/xapi/pacs/1/status")) return answer(ping);
    if (path.endsWith("/xapi/pacs")) {
      askedForPacs += 1;
      if (registrations !== undefined) return answer(registrations);
    }
    if (path.endsWith("/xapi/dqr/import")) {
      const pieces: Buffer[] = [];
      for await (const piece of incoming) pieces.push(piece);
      const body = JSON.parse(Buffer.concat(pieces).toString());
      imports.push(body);
      const row = { pacsId: 1, queuedTime: 1, created: 1, priority: 10 };
      return answer(
        body.studies.map(
          (
            { studyInstanceUid, accessionNumber }: { studyInstanceUid: string; accessionNumber: string },
            id: number,
          ) => ({
            ...row,
            ...{ id, studyInstanceUid, accessionNumber, status: statuses[id] },
          }),
        ),
      );
    }
    const onward = request({ port, method, path, headers }, (given) => {
      outgoing.writeHead(given.statusCode ?? 502, given.headers);
      given.pipe(outgoing);
    });
    incoming.pipe(onward);
  });
  flip = createFlipImaging({ ...site.environment, XNAT_URL: front.url });
});
afterAll(async () => {
  await flip[Symbol.asyncDispose]();
  await front[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});
beforeEach(() => {
  ping = PING;
  registrations = undefined;
  statuses = ["QUEUED", "QUEUED"];
  imports.length = 0;
  site.xnat.state.projects.set(PROJECT, newProject(PROJECT, { secondaryId: HUB_PROJECT }));
  site.dataAccess.answer = { status: 200, body: { accession_ids: ["ACC1", "ACC2"] } };
});

it("asks XNAT for an import as the original does", async () => {
  expect(await flip.retrieveImagesForProject(PROJECT, QUERY)).toBe(true);
  const study = (studyInstanceUid: string | undefined, accessionNumber: string) => ({
    ...{ studyInstanceUid, accessionNumber },
    relabelMap: { Subject: expect.any(String), Session: accessionNumber },
  });
  const { XNAT_AETITLE = "XNAT", XNAT_PORT } = site.environment;
  expect(imports).toEqual([
    {
      ...{ pacsId: 1, aeTitle: XNAT_AETITLE, port: Number(XNAT_PORT), projectId: PROJECT, forceImport: true },
      studies: [study(ONE, "ACC1"), study(TWO, "ACC2")],
    },
  ]);
});

it("uses the configured PACS while XNAT lists none, and what it lists from then on, asking once", async () => {
  await using told = createFlipImaging({ ...site.environment, XNAT_URL: front.url, PACS_ID: "1" });
  registrations = [];
  expect(await told.retrieveImagesForProject(PROJECT, QUERY)).toBe(true);
  registrations = [{ id: 1 }, { id: 2 }];
  askedForPacs = 0;
  for (let time = 0; time < 2; time += 1) await told.retrieveImagesForProject(PROJECT, QUERY);
  expect(askedForPacs).toBe(1);
  expect(imports).toMatchObject([{ pacsId: 1 }, { pacsId: 1 }, { pacsId: 1 }]);
});

it.each([
  ["is not reached", { successful: false }],
  ["is disabled", { enabled: false }],
])("asks for none while the PACS %s", async (_, said) => {
  ping = { ...PING, ...said };
  await expect(flip.retrieveImagesForProject(PROJECT, QUERY)).rejects.toMatchObject({
    status: 500,
    code: "FLIP_PACS_UNAVAILABLE",
  });
  expect(imports).toEqual([]);
});

it("says no where XNAT failed to queue a study, and which", async () => {
  statuses = ["QUEUED", "FAILED"];
  expect(await flip.requestRetrieval(PROJECT, QUERY)).toMatchObject({
    ...{ queued: false, queuedNow: 1 },
    problems: [{ accession: "ACC2", code: "FLIP_IMPORT_FAILED" }],
  });
});

it.each([
  ["hub", HUB_PROJECT],
  ["xnat", PROJECT],
])("seals the id of the %s project for the data-access api, as it is told to", async (which, id) => {
  site.dataAccess.requests.length = 0;
  await using told = createFlipImaging({ ...site.environment, RADFERRY_FLIP_PROJECT_ID: which });
  await told.getImportStatus(PROJECT, QUERY);
  const sealed = site.dataAccess.requests.map(({ body }) => String(Reflect.get(Object(body), "encrypted_project_id")));
  expect(sealed.map((each) => envelopes.open(each, "project_id"))).toEqual([id]);
});
