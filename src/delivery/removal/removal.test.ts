import { expect, it } from "vitest";
import { PSEUDONYM, SERIES, STUDY } from "../../../test/support/small-delivery.ts";
import { parseSopInstanceUid } from "../../dicom/uid.ts";
import { neverAborted } from "../../units/abort.ts";
import { inspectionByUids } from "../inspection/inspection.ts";
import { type Remains, removeStudy } from "./removal.ts";

const signal = neverAborted();
const file = { seriesInstanceUid: SERIES, sopInstanceUid: parseSopInstanceUid("2.25.3.1"), sizeBytes: 1, sha256: "ab" };
const study = { project: "trial", pseudonym: PSEUDONYM, studyInstanceUid: STUDY, files: [file] };

it.each<readonly [string, readonly Remains[], unknown]>([
  ["absent", [{ ours: 0, others: 0 }], { kind: "absent" }],
  [
    "removed",
    [
      { ours: 2, others: 0 },
      { ours: 0, others: 0 },
    ],
    { kind: "removed" },
  ],
  [
    "a person's",
    [
      { ours: 2, others: 3 },
      { ours: 0, others: 3 },
    ],
    { kind: "person", code: "REMOVAL_OTHERS_LEFT", left: 3 },
  ],
])("calls %s what is, once it has looked again", async (_, remains, end) => {
  const looks = [...remains];
  const removal = { remains: async () => looks.shift() ?? { ours: 0, others: 0 }, remove: async () => undefined };
  expect(await removeStudy({ destination: { name: "store", removal } }, study, signal)).toEqual(end);
  expect(looks).toEqual([]);
});

it("believes no destination that still has some of what it says it removed", async () => {
  const looks = [2, 1];
  const removal = { remains: async () => ({ ours: looks.shift() ?? 0, others: 0 }), remove: async () => undefined };
  const removing = removeStudy({ destination: { name: "store", removal } }, study, signal);
  await expect(removing).rejects.toMatchObject({ code: "REMOVAL_UNCONFIRMED", details: { remaining: 1 } });
});

it("calls gone what a person removed, where it is known what that was and it can be looked for", async () => {
  const listing =
    (...uids: readonly string[]) =>
    async () =>
      inspectionByUids(new Set(uids));
  const person = (left: number) => ({ kind: "person", code: "REMOVAL_NOT_OFFERED", left });
  const look = (inspect: ReturnType<typeof listing> | undefined, files = study.files) =>
    removeStudy({ destination: { name: "store" }, inspect }, { ...study, files }, signal);
  expect(await look(listing())).toEqual({ kind: "absent" });
  expect(await look(listing(file.sopInstanceUid))).toEqual(person(1));
  expect(await look(undefined)).toEqual(person(1));
  expect(await look(listing(), [])).toEqual(person(0));
});
