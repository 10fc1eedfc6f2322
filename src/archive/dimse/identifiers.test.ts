import { describe, expect, it } from "vitest";
import { tags } from "../../dicom/dictionary/tags.ts";
import { parseSeriesInstanceUid, parseSopInstanceUid, parseStudyInstanceUid } from "../../dicom/uid.ts";
import { textsOf } from "../../dicom/values.ts";
import { retrieveQueries } from "./identifiers.ts";

const STUDY = parseStudyInstanceUid("1.2.3");
const SERIES = parseSeriesInstanceUid("1.2.3.4");

describe("what is moved", () => {
  const levels = (request: Parameters<typeof retrieveQueries>[0]) =>
    [...retrieveQueries(request)].map(({ identifier }) => [
      textsOf(identifier, tags.QueryRetrieveLevel)[0],
      textsOf(identifier, tags.SOPInstanceUID).length,
    ]);

  it("is the study, unless series or instances are named", () => {
    expect(levels({ studyInstanceUid: STUDY })).toEqual([["STUDY", 0]]);
    expect(levels({ studyInstanceUid: STUDY, seriesInstanceUids: [SERIES] })).toEqual([["SERIES", 0]]);
  });

  it("names at most 100 instances in one request, all of one series", () => {
    const instances = Array.from({ length: 250 }, (_, index) => ({
      seriesInstanceUid: index < 120 ? SERIES : parseSeriesInstanceUid("1.2.3.5"),
      sopInstanceUid: parseSopInstanceUid(`1.2.3.4.${index}`),
      sopClassUid: undefined,
    }));
    expect(levels({ studyInstanceUid: STUDY, instances })).toEqual([
      ["IMAGE", 100],
      ["IMAGE", 20],
      ["IMAGE", 100],
      ["IMAGE", 30],
    ]);
  });
});
