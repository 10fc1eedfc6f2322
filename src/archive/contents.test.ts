import { expect, it } from "vitest";
import type { DataSet } from "../dicom/data-set.ts";
import { tags } from "../dicom/dictionary/tags.ts";
import { parseSeriesInstanceUid, parseSopInstanceUid, parseStudyInstanceUid } from "../dicom/uid.ts";
import { dataSetOfTexts, textOf } from "../dicom/values.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { neverAborted } from "../units/abort.ts";
import type { StudyListing } from "./archive.ts";
import { contentsOf } from "./contents.ts";

const STUDY = parseStudyInstanceUid("1.2.3");
const LISTED: StudyListing = {
  kind: "instances",
  instances: ["1.2.3.1", "1.2.3.1", "1.2.3.2"].map((series, index) => ({
    seriesInstanceUid: parseSeriesInstanceUid(series),
    sopInstanceUid: parseSopInstanceUid(`1.2.3.9.${index}`),
    sopClassUid: undefined,
  })),
};

function series(uid: string, modality: string, count: string): DataSet {
  return dataSetOfTexts([
    [tags.SeriesInstanceUID, uid],
    [tags.Modality, modality],
    [tags.NumberOfSeriesRelatedInstances, count],
  ]);
}

/** An archive by its answers; `undefined` is a question that it refuses. Which were asked is noted. */
function archiveOf(answers: {
  readonly series?: readonly DataSet[];
  readonly count?: string;
  readonly listing?: StudyListing;
  readonly isDown?: boolean;
}) {
  const asked: string[] = [];
  return {
    asked,
    async *find(identifier: DataSet) {
      const level = textOf(identifier, tags.QueryRetrieveLevel) ?? "";
      asked.push(level);
      if (answers.isDown === true) throw new GatewayError("TIMED_OUT");
      if (level === "SERIES" && answers.series === undefined) throw new GatewayError("DIMSE_FAILED");
      if (level === "SERIES") yield* answers.series ?? [];
      else if (answers.count !== undefined) yield dataSetOfTexts([[tags.NumberOfStudyRelatedInstances, answers.count]]);
    },
    async listStudy() {
      asked.push("IMAGE");
      return answers.listing ?? { kind: "unknown" as const };
    },
  };
}

it("goes by the counts of the series, of those that are wanted", async () => {
  const archive = archiveOf({ series: [series("1.2.3.1", "CT", "2"), series("1.2.3.2", "SR", "1")] });
  expect(await contentsOf(archive, STUDY, undefined, neverAborted())).toEqual({
    series: 2,
    instances: 3,
    byModality: new Map([
      ["CT", 2],
      ["SR", 1],
    ]),
  });
  expect(await contentsOf(archive, STUDY, ["1.2.3.2"], neverAborted())).toMatchObject({ series: 1, instances: 1 });
  expect(archive.asked).toEqual(["SERIES", "SERIES"]);
});

it("goes by the count of the study where series have none", async () => {
  const archive = archiveOf({ series: [series("1.2.3.1", "CT", ""), series("1.2.3.2", "CT", "")], count: "3" });
  const contents = await contentsOf(archive, STUDY, undefined, neverAborted());
  expect(contents).toEqual({ series: 2, instances: 3, byModality: new Map([["CT", 3]]) });
  expect(archive.asked).toEqual(["SERIES", "STUDY"]);
});

it("lists the instances where nothing is counted", async () => {
  const archive = archiveOf({ series: [series("1.2.3.1", "CT", ""), series("1.2.3.2", "SR", "")], listing: LISTED });
  const one = await contentsOf(archive, STUDY, ["1.2.3.1"], neverAborted());
  expect(one).toEqual({ series: 1, instances: 2, byModality: new Map([["CT", 2]]) });
  expect(await contentsOf(archiveOf({ listing: LISTED }), STUDY, undefined, neverAborted())).toMatchObject({
    series: 2,
    instances: 3,
  });
});

it("says what nobody tells, and passes on what is no answer", async () => {
  const silent = archiveOf({});
  expect(await contentsOf(silent, STUDY, undefined, neverAborted())).toMatchObject({ instances: undefined });
  expect(silent.asked).toEqual(["SERIES", "STUDY", "IMAGE"]);
  await expect(contentsOf(archiveOf({ isDown: true }), STUDY, undefined, neverAborted())).rejects.toMatchObject({
    code: "TIMED_OUT",
  });
});
