import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { deliveryOf } from "../../../test/support/small-delivery.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import type { HttpClient } from "../../network/http-client/types.ts";
import { resourcePath } from "../../network/rest/xnat/files.ts";
import { xnatPath } from "../../network/rest/xnat/paths.ts";
import { declareDeidentified } from "../../staging/deidentified-file.ts";
import { neverAborted } from "../../units/abort.ts";
import { heldAmong } from "./match-files.ts";

const MEBIBYTE = 2 ** 20;

/** An XNAT that gives the beginning of a file: of a long one no more is asked for. */
function xnatWith(head: Buffer): HttpClient {
  return {
    request: async () => ({
      status: 200,
      headers: new Map(),
      body: (async function* () {
        yield Buffer.concat([head, Buffer.alloc(MEBIBYTE)]);
        throw new Error("all of it was fetched");
      })(),
      async [Symbol.asyncDispose]() {},
    }),
    async [Symbol.asyncDispose]() {},
  };
}

it.each([
  ["holds", "a little shorter than", 40 * MEBIBYTE - 60_000, 1],
  ["does not hold", "cut short of", 39 * MEBIBYTE, 0],
])("%s a long instance of which a file lies there that is %s ours", async (_, __, sizeBytes, held) => {
  await using folder = await temporaryFolder();
  const { files } = await deliveryOf(folder.path, 1);
  const head = await readFile(files[0]?.path ?? "");
  const ours = files.map((file) => declareDeidentified({ ...file, sizeBytes: 40 * MEBIBYTE }));
  const resource = resourcePath(xnatPath("data/experiments", "E1"), "DICOM");
  const stored = [{ path: "1.dcm", sizeBytes, md5: undefined, resource }];
  const question = { client: xnatWith(head), confirm: "uids", signal: neverAborted() } as const;
  expect((await heldAmong(question, ours, stored)).size).toBe(held);
});
