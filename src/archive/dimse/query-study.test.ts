import { describe, expect, it } from "vitest";
import { parseAeTitle } from "../../dicom/ae-title.ts";
import type { DataSet } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN } from "../../dicom/dictionary/transfer-syntaxes.ts";
import { parseDataSet } from "../../dicom/reader.ts";
import { parseStudyInstanceUid } from "../../dicom/uid.ts";
import { dataSetOf, textElement, textOf } from "../../dicom/values.ts";
import { encodeDataSet } from "../../dicom/writer.ts";
import { openAssociation } from "../../network/dimse/association.ts";
import { startScriptedProvider } from "../../network/dimse/testing/scripted-provider.ts";
import { findContexts } from "./contexts.ts";
import { findStudies, listStudy } from "./query-study.ts";

const study = parseStudyInstanceUid("1.2.3");
const signal = new AbortController().signal;

function answer(keys: Partial<Record<keyof typeof tags, string>>): DataSet {
  return dataSetOf(Object.entries(keys).map(([name, value]) => textElement(tags[name as keyof typeof tags], value)));
}

const series = answer({ StudyInstanceUID: "1.2.3", SeriesInstanceUID: "1.2.3.4" });
const image = answer({ StudyInstanceUID: "1.2.3", SeriesInstanceUID: "1.2.3.4", SOPInstanceUID: "1.2.3.4.5" });
const ofStudyKeys = { StudyInstanceUID: "1.2.3" };
const ofSeriesKeys = { ...ofStudyKeys, SeriesInstanceUID: "1.2.3.4" };
const emptySeries = answer({
  ...ofStudyKeys,
  SeriesInstanceUID: "1.2.3.5",
  NumberOfSeriesRelatedInstances: "120",
});
const ofStudy = (count?: string): DataSet =>
  answer({ StudyInstanceUID: "1.2.3", ...(count !== undefined && { NumberOfStudyRelatedInstances: count }) });

/** Matches and final status by level. */
type Answers = Readonly<Record<string, { readonly matches: readonly DataSet[]; readonly status: number }>>;

async function withArchive<T>(
  answers: Answers,
  ask: (association: Awaited<ReturnType<typeof openAssociation>>) => Promise<T>,
) {
  await using archive = await startScriptedProvider({
    async onRequest({ session, message, dataSet = new Uint8Array(0) }) {
      const level = textOf(parseDataSet(dataSet, EXPLICIT_VR_LITTLE_ENDIAN), tags.QueryRetrieveLevel) ?? "";
      const { matches = [], status = 0xc000 } = answers[level] ?? {};
      for (const match of matches) {
        await session.respond(message, { status: 0xff00 }, encodeDataSet(match, EXPLICIT_VR_LITTLE_ENDIAN));
      }
      await session.respond(message, { status });
    },
  });
  const address = { aeTitle: parseAeTitle("ARCHIVE"), host: "127.0.0.1", port: archive.port };
  const callingAeTitle = parseAeTitle("RADFERRY");
  await using association = await openAssociation({ address, callingAeTitle, contexts: findContexts() });
  return await ask(association);
}

describe("what a study holds", () => {
  const whole = { matches: [series], status: 0x0000 };
  it.each<readonly [string, Answers, unknown]>([
    [
      "is its instances",
      { SERIES: whole, IMAGE: { matches: [image], status: 0x0000 } },
      { kind: "instances", instances: [expect.objectContaining({ sopInstanceUid: "1.2.3.4.5" })] },
    ],
    [
      "is a count when the list of instances is cut short",
      {
        SERIES: whole,
        IMAGE: { matches: [image], status: 0xb001 },
        STUDY: { matches: [ofStudy("2")], status: 0x0000 },
      },
      { kind: "count", count: 2 },
    ],
    [
      "is a count when the image level is refused, and the first one when there are several",
      { SERIES: whole, STUDY: { matches: [ofStudy("2"), ofStudy("7")], status: 0x0000 } },
      { kind: "count", count: 2 },
    ],
    [
      "is unknown when there is no count either",
      { SERIES: whole, STUDY: { matches: [ofStudy()], status: 0x0000 } },
      { kind: "unknown" },
    ],
    [
      "is more than its instances when a series is told with a count and none of it is listed",
      {
        SERIES: { matches: [series, emptySeries], status: 0x0000 },
        IMAGE: { matches: [image], status: 0x0000 },
      },
      { kind: "instances", instances: [expect.objectContaining({ sopInstanceUid: "1.2.3.4.5" })], unlisted: 120 },
    ],
    [
      "is more than its instances when the names of others are none: an instance's, and a series'",
      {
        SERIES: { matches: [series, answer({ ...ofStudyKeys, SeriesInstanceUID: "1.2.x" })], status: 0x0000 },
        IMAGE: { matches: [image, answer({ ...ofSeriesKeys, SOPInstanceUID: `1.${"2".repeat(70)}` })], status: 0x0000 },
      },
      { kind: "instances", instances: [expect.objectContaining({ sopInstanceUid: "1.2.3.4.5" })], unlisted: 2 },
    ],
    [
      "is its instances when answers of other series and studies, or of nothing, are among them",
      {
        SERIES: { matches: [series, answer({ StudyInstanceUID: "1.2.4", SeriesInstanceUID: "1.2.x" })], status: 0 },
        IMAGE: {
          matches: [
            image,
            answer({ ...ofSeriesKeys, SOPInstanceUID: "" }),
            answer({ ...ofSeriesKeys, SeriesInstanceUID: "1.2.3.9", SOPInstanceUID: "1.2.x" }),
          ],
          status: 0x0000,
        },
      },
      { kind: "instances", instances: [expect.objectContaining({ sopInstanceUid: "1.2.3.4.5" })] },
    ],
  ])("%s", async (_, answers, listing) => {
    expect(await withArchive(answers, (association) => listStudy(association, study, signal))).toEqual(listing);
  });

  it("is not known when the archive lacks resources: it is asked again later", async () => {
    const answers = { SERIES: { matches: [], status: 0xa700 } };
    await expect(withArchive(answers, (association) => listStudy(association, study, signal))).rejects.toMatchObject({
      code: "DIMSE_REFUSED_OUT_OF_RESOURCES",
      class: "transient",
    });
  });
});

it("finds no study for sure when the archive stops before its list ends", async () => {
  const answers = {
    STUDY: { matches: [answer({ StudyInstanceUID: "1.2.9", AccessionNumber: "A1" })], status: 0xb001 },
  };
  const query = { by: "accession-number", accessionNumber: "A1", patientId: undefined } as const;
  await expect(withArchive(answers, (association) => findStudies(association, query, signal))).rejects.toMatchObject({
    code: "FIND_LIMIT_REACHED",
  });
});
