import { readdir } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import {
  MULTIPART,
  multipartOf,
  startWebServer,
  type WebAnswer,
  type WebRequest,
} from "../../../test/peers/dicomweb-server.ts";
import { syntheticStudy } from "../../../test/peers/synthetic-studies.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { parseSeriesInstanceUid, parseStudyInstanceUid } from "../../dicom/uid.ts";
import { openHttpClient } from "../../network/http-client/http-client.ts";
import { openStagingArea } from "../../staging/open-staging.ts";
import { neverAborted } from "../../units/abort.ts";
import { systemClock } from "../../units/clock.ts";
import { systemDisk } from "../../units/disk.ts";
import { silentLogger } from "../../units/logger.ts";
import { systemRandom } from "../../units/random.ts";
import type { Archive } from "../archive.ts";
import { createPace } from "../availability/pace.ts";
import { createExpectations } from "../expectations.ts";
import { createRefusals } from "../refusals.ts";
import { createDicomWebArchive } from "./dicomweb-archive.ts";

const study = syntheticStudy({ seed: 841, modality: "CT", series: 2, instancesPerSeries: 2, rows: 8, columns: 8 });
const foreign = syntheticStudy({ seed: 842, modality: "CT", rows: 8, columns: 8 }).instances[0];
const [first, second] = study.instances;
if (first === undefined || second === undefined || foreign === undefined) throw new Error("no instances");
const STUDY = parseStudyInstanceUid(study.studyInstanceUid);
const files = study.instances.map(({ file }) => file);
const uids = study.instances.map(({ sopInstanceUid }) => sopInstanceUid).sort();

const ui = (uid: string) => ({ vr: "UI", Value: [uid] });
const series = [...new Set(study.instances.map(({ seriesInstanceUid }) => seriesInstanceUid))];

/** Instances as a search lists them, of one series or of all. */
const listed = (of?: string) =>
  study.instances
    .filter(({ seriesInstanceUid }) => of === undefined || seriesInstanceUid === of)
    .map((one) => ({ "0020000E": ui(one.seriesInstanceUid), "00080018": ui(one.sopInstanceUid) }));

/** What a service answers, by the end of the path; the first that fits. */
type Service = readonly (readonly [path: RegExp, answer: WebAnswer | ((request: WebRequest) => WebAnswer)])[];

const REFUSED: WebAnswer = { status: 400 };
const counted = (count: number): WebAnswer => ({
  body: [{ "0020000D": ui(STUDY), "00201208": { vr: "IS", Value: [count] } }],
});
/** Each instance by itself. */
const single = ({ path }: WebRequest): WebAnswer => {
  const instance = study.instances.find(({ sopInstanceUid }) => path.endsWith(`/instances/${sopInstanceUid}`));
  return instance === undefined
    ? { status: 404 }
    : { headers: { "Content-Type": "application/dicom" }, body: instance.file };
};

async function withArchive<T>(service: Service, work: (archive: Archive) => Promise<T>) {
  await using server = await startWebServer((request) => {
    const [, answer = { status: 404 }] = service.find(([path]) => path.test(request.path)) ?? [];
    return typeof answer === "function" ? answer(request) : answer;
  });
  await using folder = await temporaryFolder();
  const options = { path: `${folder.path}/staging`, reserveBytes: 0, disk: systemDisk, logger: silentLogger };
  await using staging = await openStagingArea(options);
  const clock = systemClock;
  const taker = {
    ...{ staging, clock, random: systemRandom, pace: createPace(clock) },
    ...{ expectations: createExpectations(clock), refusals: createRefusals() },
  };
  const client = openHttpClient({ baseUrl: server.url });
  await using archive = createDicomWebArchive({ name: "web", client, associations: 2, taker });
  const result = await work(archive).catch((thrown: unknown) => thrown);
  expect(await readdir(folder.path)).toEqual(["staging"]);
  const staged = (await staging.list(STUDY)).map(({ sopInstanceUid }) => sopInstanceUid).sort();
  const left = await readdir(staging.incoming);
  return { result, staged, left, paths: server.requests.map(({ path }) => path) };
}

describe("a study is listed", () => {
  const list = async (service: Service) =>
    (await withArchive(service, (archive) => archive.listStudy(STUDY, neverAborted()))).result;
  const whole = { kind: "instances", instances: { length: 4 } };

  it("at once, where the service lists the instances of a study", async () => {
    expect(await list([[/\/studies\/[\d.]+\/instances$/, { body: listed() }]])).toMatchObject(whole);
  });

  it.each<[string, WebAnswer]>([
    ["refuses that", REFUSED],
    ["does not know that", { status: 404 }],
    ["keeps some back", { headers: { Warning: "299 - more" }, body: listed().slice(0, 3) }],
  ])("series by series, where the service %s", async (_, answer) => {
    const service: Service = [
      [
        /\/series\/[\d.]+\/instances$/,
        ({ path }) => ({ body: listed(series.find((uid) => path.includes(`/${uid}/`))) }),
      ],
      [/\/instances$/, answer],
      [/\/series$/, { body: series.map((uid) => ({ "0020000E": ui(uid) })) }],
    ];
    expect(await list(service)).toMatchObject(whole);
  });

  it("series by series, however many instances one has", async () => {
    const [only = ""] = series;
    const many = Array.from({ length: 130_000 }, (_, index) => ({
      "0020000E": ui(only),
      "00080018": ui(`1.2.3.${index + 1}`),
    }));
    const service: Service = [
      [/\/series\/[\d.]+\/instances$/, { body: many }],
      [/\/instances$/, REFUSED],
      [/\/series$/, { body: [{ "0020000E": ui(only) }] }],
    ];
    expect(await list(service)).toMatchObject({ kind: "instances", instances: { length: 130_000 } });
  });

  it("by its count, where the service lists no instances", async () => {
    expect(
      await list([
        [/\/(?:instances|series)$/, REFUSED],
        [/\/studies$/, counted(4)],
      ]),
    ).toEqual({ kind: "count", count: 4 });
  });

  it.each<[string, Service]>([
    ["nothing", [[/\/studies$/, { status: 204 }]]],
    ["no count", [[/\/studies$/, { body: [{ "0020000D": ui(STUDY) }] }]]],
    ["a count of none", [[/\/studies$/, counted(0)]]],
  ])("as unknown, where the service says %s", async (_, service) => {
    expect(await list(service)).toEqual({ kind: "unknown" });
  });

  it("without what it says of other studies, and of UIDs that are none", async () => {
    const odd = [
      { "0020000D": ui("1.2.3"), "0020000E": ui("1.2"), "00080018": ui("1.3") },
      { "0020000E": ui("1.2"), "00080018": ui("../../1") },
    ];
    expect(await list([[/\/instances$/, { body: [...odd, ...listed()] }]])).toMatchObject({ ...whole, unlisted: 1 });
  });

  it("with what it counts in a series and lists nowhere", async () => {
    const [full = "", ...others] = series;
    const service: Service = [
      [/\/series\/[\d.]+\/instances$/, ({ path }) => ({ body: path.includes(`/${full}/`) ? listed(full) : [] })],
      [/\/instances$/, REFUSED],
      [/\/series$/, { body: series.map((uid) => ({ "0020000E": ui(uid), "00201209": { vr: "IS", Value: [2] } })) }],
    ];
    expect(await list(service)).toMatchObject({
      kind: "instances",
      instances: { length: 2 },
      unlisted: 2 * others.length,
    });
  });

  it.each([
    [{ status: 503 }, "HTTP_UNAVAILABLE"],
    [{ status: 401 }, "HTTP_UNAUTHORISED"],
    [{ body: "[", headers: { "Content-Type": "application/json" } }, "HTTP_JSON_INVALID"],
  ])("not at all, where the service answers %j", async (answer, code) => {
    expect(await list([[/./, answer]])).toMatchObject({ code });
  });
});

describe("a study is retrieved", () => {
  const retrieve = (service: Service) =>
    withArchive(service, (archive) => archive.retrieve({ studyInstanceUid: STUDY }, neverAborted()));
  const lists: Service[number] = [/\/studies\/[\d.]+\/instances$/, { body: listed() }];
  const gives = (answer: WebAnswer): Service => [
    lists,
    [/\/studies\/[\d.]+$/, answer],
    [/\/instances\/[\d.]+$/, single],
  ];

  it("at once", async () => {
    const { result, staged, paths } = await retrieve(gives({ headers: MULTIPART, body: multipartOf(files) }));
    expect({ result, staged, requests: paths.length }).toEqual({
      result: { status: 0, completed: 4, failed: 0 },
      staged: uids,
      requests: 1,
    });
  });

  it.each<[string, WebAnswer]>([
    ["refuses whole studies", REFUSED],
    ["does not know whole studies", { status: 404 }],
    ["fails over them", { status: 500 }],
    ["gives a web page for them", { headers: { "Content-Type": "text/html" }, body: "<html>" }],
    ["gives nothing for them", { headers: MULTIPART, body: multipartOf([]) }],
  ])("instance by instance, where the service %s", async (_, answer) => {
    const { result, staged } = await retrieve(gives(answer));
    expect({ result, staged }).toEqual({ result: { status: 0, completed: 4, failed: 0 }, staged: uids });
  });

  it("as far as it is whole and what was asked for", async () => {
    const odd = [first.file.subarray(0, -4), foreign.file, Buffer.from("{}"), second.file];
    const { result, staged, left } = await retrieve(gives({ headers: MULTIPART, body: multipartOf(odd) }));
    expect({ staged, left }).toEqual({ staged: [second.sopInstanceUid], left: [] });
    expect(result).toMatchObject({ completed: 1, failed: 3 });
  });

  it("as far as it came before the connection broke", async () => {
    const body = multipartOf(files.slice(0, 2), { isClosed: false });
    const { result, staged, left } = await retrieve(gives({ headers: MULTIPART, body, ends: "cut" }));
    expect({ staged, left }).toEqual({ staged: [first.sopInstanceUid], left: [] });
    expect(result).toMatchObject({ completed: 1, failed: 1 });
  });

  it.each([
    [401, "HTTP_UNAUTHORISED"],
    [429, "HTTP_TOO_MANY_REQUESTS"],
    [503, "HTTP_UNAVAILABLE"],
  ])("not at all, and once only, from a service that answers %i", async (status, code) => {
    const { result, staged, paths } = await retrieve([[/./, { status, headers: { "Retry-After": "60" } }]]);
    expect(result).toMatchObject({ code });
    expect(result).toHaveProperty("details.retryAfterMs", 60_000);
    expect({ staged, requests: paths.length }).toEqual({ staged: [], requests: 1 });
  });

  it("as far as it came before the service asked to be left alone, and for how long is told", async () => {
    let given = 0;
    const busy = (request: WebRequest): WebAnswer => {
      given += 1;
      return given > 1 ? { status: 429, headers: { "Retry-After": "60" } } : single(request);
    };
    const service: Service = [lists, [/\/studies\/[\d.]+$/, REFUSED], [/\/instances\/[\d.]+$/, busy]];
    const { result, staged } = await retrieve(service);
    expect(staged.length).toBe(1);
    expect(result).toMatchObject({ completed: 1, failed: 3, retryAfterMs: 60_000 });
    // Two are asked for at once.
    expect(given).toBeLessThanOrEqual(3);
  });

  it("as far as it came before another of our gateways was asked to leave the service alone", async () => {
    let given = 0;
    const counted = (request: WebRequest): WebAnswer => {
      given += 1;
      return single(request);
    };
    const service: Service = [lists, [/\/studies\/[\d.]+$/, REFUSED], [/\/instances\/[\d.]+$/, counted]];
    const { result, staged } = await withArchive(service, async (archive) => {
      const listing = await archive.listStudy(STUDY, neverAborted());
      const instances = listing.kind === "instances" ? listing.instances : [];
      const request = { studyInstanceUid: STUDY, instances, isSpared: () => given > 0 };
      return await archive.retrieve(request, neverAborted());
    });
    // Two are asked for at once.
    expect(staged.length).toBeLessThanOrEqual(2);
    expect(result).toMatchObject({ completed: staged.length, failed: 4 - staged.length });
  });

  it("in part: the series that are named", async () => {
    const [uid = ""] = series;
    const request = { studyInstanceUid: STUDY, seriesInstanceUids: [parseSeriesInstanceUid(uid)] };
    // A service that gives more than it was asked for.
    const service: Service = [[/\/series\/[\d.]+$/, { headers: MULTIPART, body: multipartOf(files) }]];
    const { result, staged } = await withArchive(service, (archive) => archive.retrieve(request, neverAborted()));
    expect(staged.length).toBe(2);
    expect(result).toMatchObject({ completed: 2, failed: 2 });
  });
});

it("a service at a wrong address is not there", async () => {
  const { result } = await withArchive([], (archive) => archive.echo(neverAborted()));
  expect(result).toMatchObject({ code: "HTTP_NOT_FOUND" });
});
