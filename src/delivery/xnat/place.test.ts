import { expect, it } from "vitest";
import { parseStudyInstanceUid } from "../../dicom/uid.ts";
import type { HttpClient } from "../../network/http-client/types.ts";
import { parsePseudonym } from "../../staging/deidentified-file.ts";
import { neverAborted } from "../../units/abort.ts";
import { heldInSessions } from "./place.ts";

/** A session of one scan with so many files. */
function xnatOf(files: number): HttpClient {
  const file = { Name: "1.dcm", Size: 1, URI: "/data/x/files/1.dcm" };
  const tables: readonly (readonly [string, readonly object[]])[] = [
    ["/files", Array.from({ length: files }, () => file)],
    ["/resources", [{ label: "DICOM" }]],
    ["/scans", [{ ID: "1" }]],
  ];
  return {
    async request({ path = "" }) {
      const [, Result] = tables.find(([end]) => path.endsWith(end)) ?? ["", []];
      const text = JSON.stringify({ ResultSet: { Result } });
      return {
        status: 200,
        headers: new Map([["content-type", "application/json"]]),
        body: (async function* () {
          yield Buffer.from(text);
        })(),
        async [Symbol.asyncDispose]() {},
      };
    },
    async [Symbol.asyncDispose]() {},
  };
}

it("looks through a session of more files than a call takes arguments", async () => {
  const place: Parameters<typeof heldInSessions>[0] = {
    options: {
      name: "research",
      client: xnatOf(140_000),
      into: "archive",
      upload: "dicom-zip",
      overwrite: "append",
      confirm: "digest",
      parallel: 1,
    },
    delivery: {
      project: "trial",
      pseudonym: parsePseudonym("P-0001"),
      studyInstanceUid: parseStudyInstanceUid("2.25.1"),
      files: [],
      report: {},
    },
  };
  const held = await heldInSessions(place, ["data/prearchive/projects/p/t/s"], neverAborted());
  expect(held.size).toBe(0);
});
