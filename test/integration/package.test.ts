import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { generateProjectKey } from "../../src/deid/pseudonyms/project-key.ts";
import { toDicomJson } from "../../src/dicom/json.ts";
import { startRad69Responder } from "../../src/network/ihe/responder/responder.ts";
import { someInstances, sourceOf } from "../../src/network/ihe/testing/instances.ts";
import { MULTIPART, multipartOf, startWebServer } from "../peers/dicomweb-server.ts";
import { HUB_PROJECT, PROJECT, QUERY, startFlipSite } from "../peers/flip-site.ts";
import { startImagingApi } from "../peers/pixl-imaging-api.ts";
import { startRabbitMq } from "../peers/rabbitmq.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { openScannerSite } from "../peers/scanhub-site.ts";
import { syntheticStudy } from "../peers/synthetic-studies.ts";
import { archiveSession } from "../peers/xnat/arrivals.ts";
import { type InstalledPackage, installPackage } from "../support/installed-package.ts";
import { openPixlSite, store } from "../support/pixl-site.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { ROOT } from "../tidy/repository.ts";

const MINUTES_MS = 60_000;
let installed: InstalledPackage;
let complaints: string;

beforeAll(async () => {
  installed = await installPackage();
  complaints = await installed.compile();
}, 5 * MINUTES_MS);
afterAll(() => installed[Symbol.asyncDispose]());

describe("the package", () => {
  it("holds the program and the library, and nothing of how they are made", async () => {
    expect(installed.paths).toEqual(
      expect.arrayContaining([
        "package.json",
        "README.md",
        "LICENSE",
        "bin/radferry",
        "dist/index.js",
        "web/dist/index.html",
        "dist/flip.d.ts",
      ]),
    );
    expect(
      installed.paths.filter((path) => /\.test\.|testing|^src|\.tsx?$/.test(path.replace(/\.d\.ts$/, ""))),
    ).toEqual([]);
    expect(installed.manifestAfter).toBe(await readFile(join(ROOT, "package.json"), "utf8"));
  });

  it("is published as publint would have it", async () => {
    const { messages } = await publint({ pack: { tarball: await bytesOf(installed.tarball) }, strict: true });
    expect(messages).toEqual([]);
  });

  it("has types that every compiler of modules finds and believes", async () => {
    const analysis = await checkPackage(createPackageFromTarballData(new Uint8Array(await bytesOf(installed.tarball))));
    if (analysis.types === false) throw new Error("it has no types");
    expect(Object.keys(analysis.entrypoints)).toContain("./flip");
    // Modules alone: what programs of the older kind would find is of no account.
    const problems = analysis.problems.filter(
      (problem) => !("resolutionKind" in problem && /^node10$|^node16-cjs$/.test(problem.resolutionKind)),
    );
    expect(problems).toEqual([]);
  });

  it("runs by its name", async () => {
    const { version } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
    expect(await installed.npx("--version")).toBe(version);
    expect(await installed.npx("config", "sample")).toContain("archives:");
  });
});

async function bytesOf(path: string): Promise<ArrayBuffer> {
  const bytes = await readFile(path);
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
}

const FAMILY = [true, true, true, true];

describe("programs that import it", () => {
  it("are compiled under the strictest rules", () => {
    expect(complaints).toBe("");
  });

  it("retrieve and upload by FLIP's functions", async () => {
    const studies = [syntheticStudy({ seed: 9_001, modality: "CT", rows: 4, columns: 4, accessionNumber: "ACC1" })];
    await using site = await startFlipSite({ studies });
    const { xnat, images, environment } = site;
    const project = xnat.state.projects.get(PROJECT);
    if (project === undefined) throw new Error("no project");
    const facts = { label: "SESSION", subject: "S1", uid: "1.2.3", date: "", xsiType: "xnat:ctSessionData" };
    archiveSession(xnat.state, project, facts);
    const image = join(images, "net-1/upload/a.nii");
    await mkdir(join(image, ".."), { recursive: true });
    await writeFile(image, "image");
    const given = { ...environment, PROJECT, HUB_PROJECT, QUERY, IMAGE: image, COOKIE: await cookieOf(xnat) };
    expect(await installed.call("flip", given)).toEqual({
      isQueued: true,
      isQueuedAgain: true,
      lists: [[], [], [], ["ACC1"], []],
      isThere: true,
      urls: 1,
      refusals: [
        { error: "AlreadyExistsError", code: "FLIP_ALREADY_EXISTS" },
        { error: "PathTraversalError", code: "FLIP_PATH_UNSAFE" },
        { error: "FileNotFoundError", code: "FLIP_FILE_NOT_FOUND" },
        { error: "AlreadyExistsError", code: "FLIP_ALREADY_EXISTS" },
      ],
      httpStatus: 404,
      hasDetail: true,
      areGateways: FAMILY,
    });
  });

  it.skipIf(![requirePeer("Orthanc"), requirePeer("rabbitmq-server")].every(Boolean))(
    "work off messages by PIXL's functions",
    async () => {
      const study = syntheticStudy({ seed: 9_002, modality: "CT", rows: 4, columns: 4 });
      await using broker = await startRabbitMq();
      await using api = await startImagingApi();
      await using site = await openPixlSite();
      await store(site.vna, study.instances);
      const given = {
        ...site.environment(),
        MRN: study.patientId,
        ACCESSION: study.accessionNumber,
        STUDY: study.studyInstanceUid,
        API: `http://127.0.0.1:${api.port}`,
        BROKER_PORT: `${broker.port}`,
      };
      expect(await installed.call("pixl", given)).toEqual({
        isSame: true,
        rate: 5,
        published: 1,
        report: { studies: 1, instances: 1, retrieved: 1, isHandedOver: true },
        refusals: [
          { error: "StudyNotInPrimaryArchiveError", code: "PIXL_STUDY_NOT_IN_PRIMARY" },
          { error: "GatewayError", code: "PIXL_MESSAGE_FIELD_MISSING" },
          { error: "GatewayError", code: "PIXL_API_REFUSED" },
        ],
        areGateways: FAMILY,
      });
      expect(site.anon.imports).toHaveLength(1);
    },
    MINUTES_MS,
  );

  it("work with tasks by ScanHub's functions", async () => {
    await using site = await openScannerSite();
    const { id } = await site.addTask();
    expect(await installed.call("scanhub", { TASK: id, TOKEN: site.token, EXAM: site.exam })).toEqual({
      sequence: "gre",
      files: ["a.mrd"],
      status: "FINISHED",
      refused: {
        op: "get_task",
        status: 404,
        detail: "Task not found",
        upstreamStatus: 401,
        retryable: false,
        isGateways: true,
      },
      uris: ["task", "result", "sequence"].map((name) => `http://exam-manager:8000/api/v1/exam/${name}`),
    });
  });

  it("retrieve by dicomtrolley's functions", async () => {
    const held = someInstances(2, 2);
    await using responder = await startRad69Responder({ source: sourceOf(held) });
    const references = held.map(({ studyInstanceUid, seriesInstanceUid, sopInstanceUid }) => ({
      studyInstanceUid,
      seriesInstanceUid,
      sopInstanceUid,
    }));
    const given = { RAD69_URL: responder.url, HELD: JSON.stringify(references) };
    expect(await installed.call("rad69", given)).toEqual({
      counts: [4, 4, 4, 4, 4, 1, 4, 4],
      elements: held[0]?.dataSet.size,
      piles: [2, 2],
      refusals: [
        { error: "XdsMissingDocumentError", code: "RAD69_DOCUMENT_MISSING" },
        { error: "NonInstanceParameterError", code: "RAD69_NOT_INSTANCES" },
        { error: "XdsMissingDocumentError", code: "RAD69_DOCUMENT_MISSING" },
        { error: "DicomTrolleyError", code: "RAD69_FAULT_SENDER" },
      ],
      family: FAMILY,
    });
  });

  it("use every subject of the gateway's own", async () => {
    const [instance] = syntheticStudy({ seed: 9_003, modality: "CT", rows: 16, columns: 16 }).instances;
    if (instance === undefined) throw new Error("no instance");
    await using folder = await temporaryFolder();
    const file = join(folder.path, "in.dcm");
    await writeFile(file, instance.file);
    const key = join(folder.path, "trial.key");
    await generateProjectKey(key);
    await using server = await startWebServer(({ method, path }) => {
      if (method === "POST") return { body: storedAnswer(instance) };
      if (path === "/studies") return { body: [toDicomJson(instance.dataSet)] };
      return { headers: MULTIPART, body: multipartOf([instance.file]) };
    });
    const given = { FILE: file, FOLDER: folder.path, KEY: key, WEB: server.url };
    expect(await installed.call("subjects", given)).toEqual({
      dicom: { isSame: true, attributes: true },
      archive: { verdicts: ["complete"], folders: 2 },
      dicomweb: { found: 1, receivedBytes: true, stored: 1 },
      deid: { pseudonym: "P-1", preview: "deidentified", delivered: 1, explained: "object" },
      delivery: { destination: "research", instances: 1, proof: "sha256", confirmedAtMs: 0 },
      acquisition: { isSame: true, status: "COMPLETED" },
    });
  });
});

/** Referenced SOP Sequence of one item. PS3.18 I.2. */
function storedAnswer({
  sopClassUid,
  sopInstanceUid,
}: {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
}) {
  const item = { "00081150": { vr: "UI", Value: [sopClassUid] }, "00081155": { vr: "UI", Value: [sopInstanceUid] } };
  return { "00081199": { vr: "SQ", Value: [item] } };
}

async function cookieOf(xnat: { readonly url: string; readonly username: string; readonly password: string }) {
  const basic = Buffer.from(`${xnat.username}:${xnat.password}`).toString("base64");
  const headers = { Authorization: `Basic ${basic}` };
  const login = await fetch(`${xnat.url}/data/JSESSION`, { method: "POST", headers });
  return `JSESSIONID=${await login.text()}`;
}
