import { expect, it } from "vitest";
import { parseSopInstanceUid } from "../dicom/uid.ts";
import type { DeidentifiedFile } from "../staging/deidentified-file.ts";
import type { JobChange } from "../store/records.ts";
import { unpackJson } from "../units/packed-json.ts";
import type { StepContext } from "./step.ts";
import { toldBefore, transcodingNoter } from "./transcoded.ts";

const one = (uid: string) => ({
  sopInstanceUid: parseSopInstanceUid(uid),
  transferSyntaxUid: "1.2.840.10008.1.2.1",
  sizeBytes: 10,
  sha256: "ab",
});

/** A job whose report is what was written last. */
function jobWithReport() {
  const written: JobChange[] = [];
  const packed = () => written.flatMap(({ report }) => (report instanceof Uint8Array ? [report] : [])).at(-1);
  const context = {
    job: { id: "job-1" },
    services: {
      store: {
        studyReport: async () => {
          const bytes = packed();
          return bytes && { atMs: 0, packed: bytes };
        },
      },
    },
    write: async (change: JobChange) => void written.push(change),
  } as unknown as StepContext;
  const files = ["2.25.1", "2.25.2"].map((uid) => ({ sopInstanceUid: uid }) as unknown as DeidentifiedFile);
  return { context, written, files, report: async () => unpackJson(packed() ?? new Uint8Array()) };
}

it("tells in the study's report what each destination got in another form, over all tries", async () => {
  const { context, written, files, report } = jobWithReport();
  expect(await toldBefore(context, files)).toEqual([]);
  const first = transcodingNoter(context, { profile: "basic" }, []);
  await first("pacs")([one("2.25.1")]);
  const before = await toldBefore(context, files);
  const second = transcodingNoter(context, { profile: "basic" }, before);
  await second("vna")([one("2.25.1"), one("2.25.2")]);
  await second("pacs")([one("2.25.1")]);
  expect(await report()).toEqual({
    profile: "basic",
    transcoded: [
      { destination: "pacs", ...one("2.25.1") },
      { destination: "vna", ...one("2.25.1") },
      { destination: "vna", ...one("2.25.2") },
    ],
  });
  expect(written.flatMap(({ events = [] }) => events).map(({ detail }) => detail)).toEqual([
    { destination: "pacs", instances: 1 },
    { destination: "vna", instances: 2 },
    { destination: "pacs", instances: 1 },
  ]);
});

it("tells nothing of instances that the study has no more", async () => {
  const { context, files } = jobWithReport();
  await transcodingNoter(context, {}, [])("pacs")([one("2.25.1"), one("2.25.3")]);
  expect((await toldBefore(context, files)).map(({ sopInstanceUid }) => sopInstanceUid)).toEqual(["2.25.1"]);
});
