import type { ServerResponse } from "node:http";
import { Writable } from "node:stream";
import { expect, it } from "vitest";
import { startHttpServer } from "../../../test/support/http-server.ts";
import { abortAfter } from "../../units/abort.ts";
import { type ObjectStore, openObjectStore } from "./s3-client.ts";

const PIECE = Buffer.alloc(64 * 1024, "x");
const nowhere = () => new Writable({ write: (_piece, _, done) => done() });

/** Never ends by itself. */
function endless(response: ServerResponse, status: number): void {
  response.writeHead(status, { "content-type": "application/xml" });
  const goOn = (): void => {
    while (!response.destroyed && response.write(PIECE));
  };
  response.on("drain", goOn);
  goOn();
}

/** What one thing that is asked of a store comes to, that answers so. */
async function asked(
  answer: (response: ServerResponse) => void,
  ask: (store: ObjectStore, signal: AbortSignal) => Promise<unknown>,
): Promise<unknown> {
  await using server = await startHttpServer((_, response) => answer(response));
  const login = { bucket: "lake", accessKeyId: "key", secretAccessKey: "secret" };
  using store = openObjectStore({ endpoint: server.url, region: "eu", ...login, usesPathStyle: true, tls: {} });
  using limit = abortAfter(20_000);
  return await ask(store, limit).catch((thrown: unknown) => thrown);
}

const refused = (what: string) => expect.objectContaining({ code: "S3_REFUSED", details: { what } });

it("reads no more of an object than is expected", async () => {
  const get = (store: ObjectStore, signal: AbortSignal) => store.get({ key: "k", mostBytes: 1_000 }, nowhere(), signal);
  expect(await asked((response) => endless(response, 200), get)).toEqual(refused("size"));
  expect(await asked((response) => response.end(PIECE.subarray(0, 1_000)), get)).toBeUndefined();
});

it.each([
  ["a listing", 200, (store: ObjectStore, signal: AbortSignal) => store.keys("p", signal)],
  ["an error", 403, (store: ObjectStore, signal: AbortSignal) => store.remove({ key: "k" }, signal)],
  [
    "an error in the place of an object",
    500,
    (store: ObjectStore, signal: AbortSignal) => store.get({ key: "k", mostBytes: 1_000 }, nowhere(), signal),
  ],
] as const)("gives up %s that has no end, and holds no more of it", async (_, status, ask) => {
  expect(await asked((response) => endless(response, status), ask)).toEqual(refused("length"));
});

it.each([
  ["goes on for ever with nothing in it", "<NextContinuationToken>t</NextContinuationToken>"],
  ["goes on, and does not say where", ""],
])("takes no listing for whole that %s", async (_, next) => {
  const page = `<ListBucketResult><IsTruncated>true</IsTruncated>${next}</ListBucketResult>`;
  const keys = (store: ObjectStore, signal: AbortSignal) => store.keys("p", signal);
  expect(await asked((response) => response.end(page), keys)).toEqual(refused("listing"));
});
