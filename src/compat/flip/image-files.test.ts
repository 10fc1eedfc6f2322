import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { zipContents } from "../../network/zip/zip-stream.ts";
import { neverAborted } from "../../units/abort.ts";
import { isThere } from "../../units/durable-files.ts";
import { silentLogger } from "../../units/logger.ts";
import { createImageFiles, type ImageFiles } from "./image-files.ts";
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
