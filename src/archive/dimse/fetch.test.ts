import { describe, expect, it } from "vitest";
import { tags } from "../../dicom/dictionary/tags.ts";
import { parseSeriesInstanceUid, parseSopInstanceUid, parseStudyInstanceUid } from "../../dicom/uid.ts";
import { textsOf } from "../../dicom/values.ts";
import type { ListedInstance } from "../archive.ts";
import { type Fetch, fetchQueries } from "./fetch.ts";
import { checkRetrieveStatus } from "./retrieve-status.ts";

const studyInstanceUid = parseStudyInstanceUid("1.2.3");

function instancesNumbered(count: number): readonly ListedInstance[] {
  return Array.from({ length: count }, (_, index) => ({
    seriesInstanceUid: parseSeriesInstanceUid("1.2.3.4"),
    sopInstanceUid: parseSopInstanceUid(`1.2.3.4.${index}`),
    sopClassUid: undefined,
  }));
}

/** An archive that gives up any query with one of the bad instances in it. Writes down what it was asked for. */
function archiveThatCannotSend(bad: readonly string[], asked: string[][] = []): Fetch {
  return async (identifier) => {
    const uids = [...textsOf(identifier, tags.SOPInstanceUID)];
    asked.push(uids);
    const isUnable = uids.some((uid) => bad.includes(uid));
    return {
      status: isUnable ? 0xc001 : 0x0000,
      completed: isUnable ? 0 : uids.length,
      failed: undefined,
      remaining: undefined,
      warning: undefined,
      failedSopInstanceUids: [],
    };
  };
}

describe("instances that are asked for together", () => {
  it("are asked for one by one when the archive gives up at one of them", async () => {
    const asked: string[][] = [];
    const fetch = archiveThatCannotSend(["1.2.3.4.1"], asked);
    const outcome = await fetchQueries(fetch, { studyInstanceUid, instances: instancesNumbered(4) }, new Set());
    expect(outcome.completed).toBe(3);
    expect(asked.map(({ length }) => length)).toEqual([4, 1, 1, 1, 1]);
  });

  it("are not asked for again where they came before the archive gave up", async () => {
    const asked: string[][] = [];
    const instances = instancesNumbered(4);
    const arrived = new Set(instances.slice(0, 2).map(({ sopInstanceUid }) => sopInstanceUid));
    await fetchQueries(archiveThatCannotSend(["1.2.3.4.3"], asked), { studyInstanceUid, instances }, arrived);
    expect(asked.map(({ length }) => length)).toEqual([4, 1, 1]);
  });

  it("are given up when the archive sends none of them", async () => {
    const asked: string[][] = [];
    const instances = instancesNumbered(50);
    const fetch = archiveThatCannotSend(
      instances.map(({ sopInstanceUid }) => sopInstanceUid),
      asked,
    );
    await expect(fetchQueries(fetch, { studyInstanceUid, instances }, new Set())).rejects.toThrow(
      expect.objectContaining({ code: "ARCHIVE_UNABLE" }),
    );
    expect(asked).toHaveLength(6);
  });
});

describe("a final status", () => {
  it.each([
    [0x0000, undefined],
    [0xb000, undefined],
    [0x0107, undefined],
    [0x0116, undefined],
    [0x0213, "ARCHIVE_OUT_OF_RESOURCES"],
    [0xa701, "ARCHIVE_OUT_OF_RESOURCES"],
    [0xa801, "MOVE_DESTINATION_UNKNOWN"],
    [0xa900, "ARCHIVE_REFUSED_REQUEST"],
    [0x0122, "ARCHIVE_REFUSED_REQUEST"],
    [0xc001, "ARCHIVE_UNABLE"],
    [0xfe00, "ARCHIVE_UNABLE"],
    [0x1234, "ARCHIVE_UNABLE"],
  ])("of %i is %s", (status, code) => {
    const check = (): void => checkRetrieveStatus({ status, failed: 0 });
    if (code === undefined) expect(check).not.toThrow();
    else expect(check).toThrow(expect.objectContaining({ code }));
  });

  it("of A702H with failed instances is judged by what arrived", () => {
    expect(() => checkRetrieveStatus({ status: 0xa702, failed: 3 })).not.toThrow();
    expect(() => checkRetrieveStatus({ status: 0xa702, failed: 0 })).toThrow();
  });
});
