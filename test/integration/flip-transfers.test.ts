import { mkdir, readdir, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { sweepImages } from "../../src/compat/flip/image-retention.ts";
import {
  AlreadyExistsError,
  createFlipImaging,
  FileNotFoundError,
  type FlipImaging,
  PathTraversalError,
} from "../../src/flip.ts";
import { envelopes, type FlipSite, HUB_PROJECT, PROJECT, startFlipSite } from "../peers/flip-site.ts";
import { syntheticStudy } from "../peers/synthetic-studies.ts";
import { archiveSession } from "../peers/xnat/arrivals.ts";
import { type Experiment, newHolder, newProject, resourceOf, storedFile } from "../peers/xnat/state.ts";
import { usualSwitches } from "../peers/xnat/switches.ts";

const STUDY = syntheticStudy({ seed: 6_500, modality: "CT", rows: 4, columns: 4, accessionNumber: "ACC1" });
const SEALED = envelopes.seal(HUB_PROJECT, "project_id");
const IMAGE = Buffer.from("image");

let site: FlipSite;
let flip: FlipImaging;
let session: Experiment;

beforeAll(async () => {
  site = await startFlipSite({ studies: [STUDY] });
  flip = createFlipImaging(site.environment);
});
afterAll(async () => {
  await flip[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});

/** A CT session ACC1 with one scan that has a DICOM file. */
beforeEach(async () => {
  const { state, switches } = site.xnat;
  Object.assign(switches, usualSwitches());
  const project = newProject(PROJECT, { secondaryId: HUB_PROJECT });
  state.projects.set(PROJECT, project);
  const facts = { label: "ACC1", subject: "S1", uid: "1.2.3", date: "", xsiType: "xnat:ctSessionData" };
  session = archiveSession(state, project, facts);
  const scan = {
    ...newHolder(),
    id: "1",
    xsiType: "xnat:ctScanData",
    uid: "1.2.3.1",
    modality: "CT",
    seriesDescription: "",
  };
  session.scans.set("1", scan);
  resourceOf(scan, "DICOM", state).files.set("1.dcm", storedFile(IMAGE));
  await rm(site.images, { recursive: true, force: true });
  await place("net-1/upload/a.nii", "a");
  await place("net-1/upload/sub/b.nii", "b");
});

async function place(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(site.images, path)), { recursive: true });
  await writeFile(join(site.images, path), text);
}

const detailOf = (json: unknown): unknown => Reflect.get(Object(json), "detail");

describe("imaging", () => {
  it("pings the PACS that XNAT has registered, for callers that do not know its id", async () => {
    await using fresh = await startFlipSite({ studies: [STUDY] });
    const { pacs } = fresh.xnat.state;
    pacs.splice(0, 1, ...pacs.map((each) => ({ ...each, id: 7 })));
    const { status, json } = await fresh.call("GET", "/imaging/ping_pacs");
    expect([status, json]).toEqual([200, expect.objectContaining({ pacsId: 7, successful: true, enabled: true })]);
    expect((await fresh.call("GET", "/imaging/ping_pacs?pacs_id=1")).status).toBe(404);
    expect((await fresh.call("GET", "/imaging/ping_pacs", undefined, {})).status).toBe(401);
  });

  it("pings, queries and queues in FLIP's form", async () => {
    expect((await site.call("GET", "/imaging/ping_pacs/1")).json).toMatchObject({ pacsId: 1, successful: true });
    const none = await site.call("GET", "/imaging/ping_pacs/9");
    expect([none.status, none.json]).toEqual([404, { detail: "404: PACS with ID '9' not found." }]);
    const query = "/imaging/query_by_accession_number?accession_number=";
    expect((await site.call("GET", `${query}ACC1`)).json).toMatchObject([
      { studyInstanceUid: STUDY.studyInstanceUid, accessionNumber: "ACC1", patient: { id: STUDY.patientId } },
    ]);
    expect((await site.call("GET", `${query}NONE`)).json).toEqual([]);
    const queue = (studyInstanceUids: readonly string[], more: object = {}) =>
      site.call("POST", "/imaging/queue_image_import_request", {
        projectId: PROJECT,
        studies: studyInstanceUids.map((studyInstanceUid) => ({ studyInstanceUid, accessionNumber: "ACC1" })),
        ...more,
      });
    const one = await queue([STUDY.studyInstanceUid, STUDY.studyInstanceUid]);
    expect([one.status, one.json]).toEqual([
      200,
      [expect.objectContaining({ status: "QUEUED", accessionNumber: "ACC1" })],
    ]);
    expect(Object.keys(Object(Reflect.get(Object(one.json), 0)))).toHaveLength(7);
    // Whatever PACS a caller names, it is the one that was queried.
    expect((await queue([STUDY.studyInstanceUid], { pacsId: 9 })).json).toMatchObject([{ pacsId: 1 }]);
    const missing = await queue(["1.2.3.4"]);
    expect([missing.status, detailOf(missing.json)]).toEqual([
      404,
      expect.stringContaining("No studies found on PACS"),
    ]);
    expect((await queue([STUDY.studyInstanceUid, "1.2.3.4"])).status).toBe(500);
    expect((await queue([STUDY.studyInstanceUid], { projectId: "other" })).status).toBe(404);
    site.xnat.switches.pacsAnswers = false;
    expect((await queue([STUDY.studyInstanceUid])).status).toBe(500);
    expect((await site.call("GET", `${query}ACC1`)).status).toBe(500);
  });
});

describe("download", () => {
  const download = (query = "?resource_type=DICOM", net = "net-1", body: object = {}) =>
    site.call("POST", `/download/images/${net}${query}`, {
      encrypted_central_hub_project_id: SEALED,
      accession_id: "ACC1",
      ...body,
    });

  it("unpacks a session once, and again when it must", async () => {
    const folder = join(site.images, "net-1", HUB_PROJECT, "ACC1");
    const { status, json } = await download();
    expect([status, json]).toEqual([200, { path: folder }]);
    const file = join(folder, "DICOM", "files", "1.dcm");
    expect(await readFile(file)).toEqual(IMAGE);
    expect((await readdir(dirname(folder))).sort()).toEqual(["ACC1"]);
    const start = site.xnat.requests.length;
    await download();
    expect(site.xnat.requests.length).toBe(start);
    await writeFile(file, "old");
    expect((await download("?resource_type=DICOM&force_refresh=true")).status).toBe(200);
    expect(await readFile(file)).toEqual(IMAGE);
    // What could not be fetched anew is not taken for whole.
    site.xnat.switches.drops = (_, path) => path.includes("/files");
    expect((await download("?resource_type=DICOM&force_refresh=true")).status).toBe(500);
    expect((await download()).status).toBe(500);
    site.xnat.switches.drops = () => false;
    expect((await download()).status).toBe(200);
    expect((await download("?resource_type=ALL")).status).toBe(200);
    expect((await readdir(folder)).filter((name) => name.startsWith("."))).toEqual([
      ".flip_complete-scan-ALL",
      ".flip_complete-scan-DICOM",
    ]);
  });

  it("answers with FLIP's codes and words", async () => {
    const cases: readonly (readonly [Awaited<ReturnType<typeof download>>, number, string])[] = [
      [await download("?resource_type=NIFTI"), 404, "Resource not found: 404: "],
      [await download(""), 404, "Resource not found: 404: No NIFTI data"],
      [await download("", "net-1", { accession_id: "ACC9" }), 404, "Resource not found: 404: "],
      [await download("", "%2e%2e%2Fescape"), 400, "Invalid download request: Path traversal detected in net ID"],
      [
        await download("", "net-1", { encrypted_central_hub_project_id: envelopes.seal("x", "another") }),
        400,
        "Central Hub project id failed authentication",
      ],
      [
        await download("", "net-1", { encrypted_central_hub_project_id: "###" }),
        400,
        "Central Hub project id is not a valid envelope: Payload is not a FLIP encryption envelope",
      ],
    ];
    for (const [{ status, json }, expected, words] of cases)
      expect([status, detailOf(json)]).toEqual([expected, expect.stringContaining(words)]);
    await download("?assessor_type=assessor&resource_type=SEG");
    expect(site.xnat.requests.at(-1)).toMatch(
      /\/experiments\/ACC1\/assessors\/ALL\/resources\/SEG\/files\?format=zip$/,
    );
    await rm(site.images, { recursive: true });
    await writeFile(site.images, "no folder");
    const failed = await download();
    expect([failed.status, detailOf(failed.json)]).toEqual([
      500,
      expect.stringContaining("Trust-side storage error: "),
    ]);
    await rm(site.images);
  });

  it("is swept when nobody used it for long, but not what training wrote", async () => {
    await download();
    const folder = join(site.images, "net-1", HUB_PROJECT, "ACC1");
    expect(await sweepImages(site.images, 1_000, Date.now())).toBe(0);
    const outdate = () => utimes(join(folder, ".flip_complete-scan-DICOM"), 1, 1);
    await outdate();
    // A training asks for its images in every round.
    const start = site.xnat.requests.length;
    await download();
    expect(site.xnat.requests.length).toBe(start);
    expect(await sweepImages(site.images, 60_000, Date.now())).toBe(0);
    await outdate();
    expect(await sweepImages(site.images, 60_000, Date.now())).toBe(1);
    expect(await readdir(join(site.images, "net-1", HUB_PROJECT))).toEqual([]);
    expect(await readdir(join(site.images, "net-1", "upload"))).toEqual(["a.nii", "sub"]);
  });
});

describe("upload", () => {
  const upload = (files: readonly string[], body: object = {}, net = "net-1") =>
    site.call("PUT", `/upload/images/${net}`, {
      encrypted_central_hub_project_id: SEALED,
      accession_id: "ACC1",
      scan_id: "1",
      resource_id: "NIFTI",
      files,
      ...body,
    });
  const stored = (name: string, scan = "1"): string | undefined =>
    session.scans.get(scan)?.resources.get("NIFTI")?.files.get(name)?.bytes?.toString();

  it("puts files into a scan of whatever type, and answers their addresses (W11)", async () => {
    const { status, json } = await upload(["a.nii", "sub/b.nii"]);
    const base = `${site.xnat.url}/data/projects/${PROJECT}/subjects/`;
    expect([status, json]).toEqual([
      200,
      [
        expect.stringMatching(/\/experiments\/ACC1\/scans\/1\/resources\/NIFTI\/files\/a\.nii\?inbody=true$/),
        expect.stringMatching(/\/files\/b\.nii\?inbody=true$/),
      ],
    ]);
    expect(String(Reflect.get(Object(json), 0)).startsWith(base)).toBe(true);
    expect([stored("a.nii"), stored("b.nii")]).toEqual(["a", "b"]);
    expect((await upload([], { scan_id: "new" })).json).toEqual([]);
    expect(session.scans.get("new")?.xsiType).toBe("xnat:ctScanData");
  });

  it("replaces a file when it may, and else sends nothing (W11)", async () => {
    await upload(["a.nii"]);
    await place("net-1/upload/a.nii", "newer");
    const refused = await upload(["sub/b.nii", "a.nii"]);
    expect([refused.status, detailOf(refused.json)]).toEqual([
      500,
      "Failed to upload files: File already exists: a.nii",
    ]);
    expect([stored("a.nii"), stored("b.nii")]).toEqual(["a", undefined]);
    expect((await upload(["a.nii"], { exist_ok: true })).status).toBe(200);
    expect(stored("a.nii")).toBe("newer");
  });

  it("asks XNAT nothing when a name leads out of the net's folder, or nowhere", async () => {
    await symlink("/etc/hostname", join(site.images, "net-1/upload/link"));
    await place("net-1/upload/other/a.nii", "x");
    const start = site.xnat.requests.length;
    const cases = [
      [await upload(["../../x"]), 400, "Invalid upload request: Path traversal detected in file path: ../../x"],
      [await upload(["link"]), 400, "Invalid upload request: Path traversal detected in file path: link"],
      [await upload(["a.nii"], {}, "..%2Fescape"), 400, "Invalid upload request: Path traversal detected in net ID"],
      [await upload(["none.nii"]), 500, "Failed to upload files: File not found: "],
      [await upload(["a.nii", "other/a.nii"]), 400, "Invalid upload request: Two files have the same name"],
    ] as const;
    for (const [{ status, json }, expected, words] of cases)
      expect([status, detailOf(json)]).toEqual([expected, expect.stringContaining(words)]);
    expect(site.xnat.requests.length).toBe(start);
  });

  it("calls nothing uploaded that XNAT refused, or took and did not keep (W11)", async () => {
    expect((await upload(["a.nii"], { accession_id: "ACC9" })).status).toBe(404);
    // XNAT takes no body without a byte.
    await place("net-1/upload/empty.nii", "");
    const empty = await upload(["empty.nii"]);
    expect([empty.status, detailOf(empty.json)]).toEqual([
      500,
      "Failed to upload files: Error uploading file empty.nii: 400",
    ]);
    site.xnat.switches.mayWrite = false;
    const unproven = await upload(["a.nii"]);
    expect([unproven.status, detailOf(unproven.json)]).toEqual([
      500,
      expect.stringMatching(/^Failed to upload files: Error (?:uploading file a\.nii|creating resource): /),
    ]);
  });

  it("makes downloads of the session stale, in every net", async () => {
    const mark = (net: string) => `${net}/${HUB_PROJECT}/ACC1/.flip_complete-scan-NIFTI`;
    await place(mark("net-1"), "");
    await place(mark("net-2"), "");
    await place(`net-2/${HUB_PROJECT}/ACC2/.flip_complete-scan-NIFTI`, "");
    await upload(["a.nii"]);
    for (const net of ["net-1", "net-2"])
      expect(await readdir(join(site.images, net, HUB_PROJECT, "ACC1"))).toEqual([]);
    expect(await readdir(join(site.images, "net-2", HUB_PROJECT, "ACC2"))).toHaveLength(1);
  });
});

describe("the library", () => {
  it("uploads under the original's names, with errors of their own", async () => {
    const request = {
      centralHubProjectId: HUB_PROJECT,
      accessionId: "ACC1",
      netId: "net-1",
      scanId: "1",
      resourceId: "NIFTI",
      existOk: false,
    };
    const files = (...filesRelativePathsToUpload: readonly string[]) =>
      flip.uploadDataToXnat({ ...request, filesRelativePathsToUpload });
    const [url = ""] = await files("a.nii");
    expect(await flip.checkFileExistsInXnat(url)).toBe(true);
    expect(await flip.checkFileExistsInXnat(url.replace("a.nii", "none"))).toBe(false);
    await expect(files("a.nii")).rejects.toBeInstanceOf(AlreadyExistsError);
    await expect(files("../a")).rejects.toBeInstanceOf(PathTraversalError);
    await expect(files("none")).rejects.toBeInstanceOf(FileNotFoundError);
    const kept = await flip.uploadDataToXnat({
      ...request,
      filesRelativePathsToUpload: ["sub/b.nii"],
      keepFolders: true,
    });
    expect(kept).toEqual([expect.stringContaining("/files/sub/b.nii?")]);
  });

  it("creates scans and resources, with the session of the caller", async () => {
    const basic = Buffer.from(`${site.xnat.username}:${site.xnat.password}`).toString("base64");
    const login = await fetch(`${site.xnat.url}/data/JSESSION`, {
      method: "POST",
      headers: { Authorization: `Basic ${basic}` },
    });
    const headers = { Cookie: `JSESSIONID=${await login.text()}` };
    const before = site.xnat.logins.made;
    const place = { projectId: PROJECT, subjectId: "S1", experimentIdOrLabel: "ACC1", scanId: "2", headers };
    await using own = createFlipImaging(site.environment);
    await own.createXnatScan(place);
    await own.createXnatScan(place);
    expect(session.scans.get("2")?.xsiType).toBe("xnat:ctScanData");
    await own.createXnatResource({ ...place, resourceId: "SEG" });
    await expect(own.createXnatResource({ ...place, resourceId: "SEG" })).rejects.toBeInstanceOf(AlreadyExistsError);
    const filePath = join(site.images, "net-1/upload/a.nii");
    const file = { ...place, resourceId: "SEG", filePath };
    expect(await own.uploadFileToXnat(file)).toContain("/scans/2/resources/SEG/files/a.nii?inbody=true");
    await expect(own.uploadFileToXnat(file)).rejects.toBeInstanceOf(AlreadyExistsError);
    expect(await own.uploadFileToXnat({ ...file, existOk: true })).toContain("a.nii");
    expect(site.xnat.logins.made).toBe(before);
    await expect(own.createXnatScan({ ...place, headers: { Cookie: "JSESSIONID=over" } })).rejects.toMatchObject({
      status: 500,
    });
  });
});
