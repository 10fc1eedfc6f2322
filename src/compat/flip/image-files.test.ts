import { mkdir, readdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { zipContents } from "../../network/zip/zip-stream.ts";
import { neverAborted } from "../../units/abort.ts";
import { isThere } from "../../units/durable-files.ts";
import { silentLogger } from "../../units/logger.ts";
import { createImageFiles, type ImageFiles } from "./image-files.ts";
import { sweepImages } from "./image-retention.ts";
import type { Xnat } from "./xnat.ts";

let stack: AsyncDisposableStack;
let folder: string;
let files: ImageFiles;

beforeEach(async () => {
  stack = new AsyncDisposableStack();
  folder = stack.use(await temporaryFolder()).path;
  files = createImageFiles(folder, silentLogger);
});
afterEach(() => stack.disposeAsync());

async function* only<T>(item: T): AsyncGenerator<T> {
  yield item;
}

/** An XNAT that has the project and its sessions, each with a file, and does something before it gives them. */
function xnatThat(beforeItGives: () => Promise<void>): Xnat {
  const found = { items: [{ data_fields: { subject_ID: "S1" } }] };
  return {
    url: "http://xnat",
    http: { request: () => Promise.reject(new Error("not asked")), async [Symbol.asyncDispose]() {} },
    json: () => Promise.resolve({ ResultSet: { Result: [{ ID: "P1", secondary_ID: "hub" }] } }),
    ask: () => Promise.resolve({ status: 200, text: JSON.stringify(found) }),
    async open() {
      await beforeItGives();
      const body = zipContents(only({ name: "ACC1/1.dcm", bytes: Buffer.from("image") }));
      return { status: 200, headers: new Map(), body, async [Symbol.asyncDispose]() {} };
    },
  };
}

function download(xnat: Xnat): Promise<string> {
  const session = { hubProjectId: "hub", accession: "ACC1", netId: "net-1" };
  const kind = { assessorType: "scan", resourceType: "DICOM", forceRefresh: false } as const;
  return files.download({ xnat, ...session, ...kind, signal: neverAborted() });
}

it("takes for whole what nothing was uploaded to meanwhile, and fetches again what something was", async () => {
  let fetched = 0;
  const xnat = xnatThat(async () => {
    fetched += 1;
    if (fetched === 1) await files.forget("hub", "ACC1");
    else await files.forget("hub", "ACC2");
  });
  expect(await isThere(join(await download(xnat), "1.dcm"))).toBe(true);
  await download(xnat);
  expect(fetched).toBe(2);
  await download(xnat);
  expect(fetched).toBe(2);
});

it("is not swept while a kind is fetched, however old another kind of the session is: what was there of it would be missing", async () => {
  const session = join(folder, "net-1", "hub", "ACC1");
  const old = join(session, ".flip_complete-scan-NIFTI");
  await mkdir(session, { recursive: true });
  await writeFile(old, "");
  await utimes(old, 1, 1);
  const sweep = () => sweepImages(folder, 3_600_000, Date.now());
  const swept: number[] = [];
  const xnat = xnatThat(async () => {
    swept.push(await sweep());
  });
  await download(xnat);
  expect(swept).toEqual([0]);
  expect((await readdir(session)).sort()).toEqual([".flip_complete-scan-DICOM", ".flip_complete-scan-NIFTI", "1.dcm"]);
});
