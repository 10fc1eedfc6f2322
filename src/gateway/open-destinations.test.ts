import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { loadSettings } from "../config/load-settings.ts";
import { httpClientOf } from "./open-destinations.ts";

const SETTINGS = `
archives:
  - { name: pacs, kind: dicomweb, url: "http://127.0.0.1/dicom-web", answerTimeoutSeconds: 30 }
  - { name: vna, kind: orthanc, url: "http://127.0.0.1" }
destinations:
  - { name: store, kind: dicomweb, url: "http://127.0.0.1/dicom-web", answerTimeoutSeconds: 1200 }
  - { name: viewer, kind: orthanc, url: "http://127.0.0.1" }
`;

it("each peer that speaks HTTP has a time of its own in which an answer must begin, of five minutes unless told", async () => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, "radferry.yaml"), SETTINGS);
  const { settings } = await loadSettings({ environment: {}, cwd: folder.path });
  const { archives, destinations } = settings;
  const timeoutsMs = [...archives, ...destinations].map((peer) => "answerTimeoutMs" in peer && peer.answerTimeoutMs);
  expect(timeoutsMs).toEqual([30_000, 300_000, 1_200_000, 300_000]);
});

it("a peer that takes a request and does not answer it is waited for as long as its settings say", async () => {
  await using stack = new AsyncDisposableStack();
  const silent = createServer((socket) => stack.defer(() => void socket.destroy())).listen(0, "127.0.0.1");
  stack.defer(() => void silent.close());
  await once(silent, "listening");
  const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const client = stack.use(await httpClientOf({ url, answerTimeoutMs: 20 }));
  await expect(client.request({ path: "studies" })).rejects.toMatchObject({ code: "HTTP_HEADERS_TIMED_OUT" });
});
