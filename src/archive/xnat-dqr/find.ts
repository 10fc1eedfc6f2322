import type { DataSet } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import type { Tag } from "../../dicom/tag.ts";
import type { StudyInstanceUid } from "../../dicom/uid.ts";
import { dataSetOf, textElement, textOf, textsOf } from "../../dicom/values.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { HttpClient } from "../../network/http-client/types.ts";
import {
  type DqrQuery,
  type DqrSeries,
  type DqrStudy,
  querySeries,
  queryStudies,
} from "../../network/rest/xnat/dqr.ts";
import { exactMatch } from "../answers.ts";
import type { StudyListing, StudyMatch, StudyQuery } from "../archive.ts";

/** An archive that lists more than this for one question is asked the wrong question. */
const MAXIMUM_STUDIES = 1_000;

export async function findStudies(
  client: HttpClient,
  pacsId: number,
  query: StudyQuery,
  signal: AbortSignal,
): Promise<readonly StudyMatch[]> {
  const keys =
    query.by === "study-uid"
      ? { studyInstanceUid: query.studyInstanceUid }
      : {
          accessionNumber: query.accessionNumber,
          ...(query.patientId === undefined ? {} : { patientId: query.patientId }),
        };
  const matches = new Map<StudyInstanceUid, StudyMatch>();
  for (const study of await queryStudies(client, { pacsId, ...keys }, signal)) {
    const match = exactMatch(query, answerOf(study));
    if (match !== undefined) matches.set(match.studyInstanceUid, match);
  }
  if (matches.size > MAXIMUM_STUDIES) throw new GatewayError("FIND_LIMIT_REACHED", { by: "us" });
  return [...matches.values()];
}

/** What DQR tells of a study, as an answer to a query. Names come with a comma, where DICOM has a caret. */
function answerOf(study: DqrStudy): DataSet {
  const { patient, modalitiesInStudy } = study;
  return answerOfTexts([
    [tags.StudyInstanceUID, study.studyInstanceUid],
    [tags.AccessionNumber, study.accessionNumber],
    [tags.StudyID, study.studyId],
    [tags.StudyDescription, study.studyDescription],
    [tags.StudyDate, study.studyDate],
    [tags.ModalitiesInStudy, modalitiesInStudy?.join("\\")],
    [tags.PatientID, patient?.id],
    [tags.PatientName, patient?.name?.replace(/,\s*/, "^")],
    [tags.PatientSex, patient?.sex],
  ]);
}

type Texts = readonly (readonly [Tag, string | number | null | undefined])[];

function answerOfTexts(texts: Texts): DataSet {
  return dataSetOf(
    texts.flatMap(([tag, text]) => (text === undefined || text === null ? [] : [textElement(tag, `${text}`)])),
  );
}

/** The keys that DQR has. */
const QUERY_KEYS: readonly (readonly [Tag, keyof DqrQuery])[] = [
  [tags.StudyInstanceUID, "studyInstanceUid"],
  [tags.AccessionNumber, "accessionNumber"],
  [tags.PatientID, "patientId"],
  [tags.PatientName, "patientName"],
  [tags.StudyID, "studyId"],
  [tags.ModalitiesInStudy, "modality"],
];

/** Studies, and series within one study. DQR knows no instances. */
export async function* find(
  client: HttpClient,
  pacsId: number,
  identifier: DataSet,
  maximumAnswers: number,
  signal: AbortSignal,
): AsyncGenerator<DataSet> {
  const answers =
    textOf(identifier, tags.QueryRetrieveLevel) === "STUDY"
      ? await studyAnswers(client, pacsId, identifier, signal)
      : await seriesAnswers(client, pacsId, identifier, signal);
  for (const [index, answer] of answers.entries()) {
    if (index === maximumAnswers) throw new GatewayError("FIND_LIMIT_REACHED", { by: "us" });
    yield answer;
  }
}

async function studyAnswers(client: HttpClient, pacsId: number, identifier: DataSet, signal: AbortSignal) {
  const keys = QUERY_KEYS.flatMap(([tag, key]) => {
    const text = textsOf(identifier, tag).join("\\");
    return text === "" ? [] : [[key, text] as const];
  });
  const query = { pacsId, ...Object.fromEntries(keys), ...dateRange(identifier) };
  return (await queryStudies(client, query, signal)).map(answerOf);
}

/** What is matched here, as DQR gives all series of a study. */
const SERIES_KEYS = [tags.SeriesInstanceUID, tags.Modality, tags.SeriesNumber, tags.SeriesDescription];

async function seriesAnswers(client: HttpClient, pacsId: number, identifier: DataSet, signal: AbortSignal) {
  const studyInstanceUid = textOf(identifier, tags.StudyInstanceUID) ?? "";
  if (textOf(identifier, tags.QueryRetrieveLevel) !== "SERIES" || studyInstanceUid === "") {
    const problem = "an XNAT is searched for studies, and for the series of one study";
    throw new GatewayError("ARCHIVE_REFUSED_REQUEST", { problem });
  }
  const series = await querySeries(client, { pacsId, studyInstanceUid }, signal);
  const answers = series.map((one) => seriesAnswer(studyInstanceUid, one));
  return answers.filter((answer) =>
    SERIES_KEYS.every((tag) => {
      const wanted = textOf(identifier, tag) ?? "";
      return wanted === "" || wanted === textOf(answer, tag);
    }),
  );
}

function seriesAnswer(studyInstanceUid: string, series: DqrSeries): DataSet {
  const { seriesInstanceUid, modality, seriesNumber, seriesDescription, numberOfRelatedInstances } = series;
  return answerOfTexts([
    [tags.StudyInstanceUID, studyInstanceUid],
    [tags.SeriesInstanceUID, seriesInstanceUid],
    [tags.Modality, modality],
    [tags.SeriesNumber, seriesNumber],
    [tags.SeriesDescription, seriesDescription],
    [tags.NumberOfSeriesRelatedInstances, numberOfRelatedInstances],
  ]);
}

/** A date or a range of dates. PS3.4 C.2.2.2.5. */
function dateRange(identifier: DataSet): Pick<DqrQuery, "studyDateRange"> {
  const [start, end = start] = (textOf(identifier, tags.StudyDate) ?? "").split("-");
  return start === undefined || start === "" || end === undefined || end === ""
    ? {}
    : { studyDateRange: { start, end } };
}

/** Instances of each series, where the archive tells. */
export type SeriesCounts = ReadonlyMap<string, number | undefined>;

export async function seriesCounts(
  client: HttpClient,
  pacsId: number,
  studyInstanceUid: StudyInstanceUid,
  signal: AbortSignal,
): Promise<SeriesCounts> {
  const series = await querySeries(client, { pacsId, studyInstanceUid }, signal);
  return new Map(
    series.map(({ seriesInstanceUid, numberOfRelatedInstances }) => [
      seriesInstanceUid,
      numberOfRelatedInstances ?? undefined,
    ]),
  );
}

/** DQR asks for no UIDs of instances: the archive's counts are all there is. */
export function listingOf(counts: SeriesCounts): StudyListing {
  let count = 0;
  for (const instances of counts.values()) {
    if (instances === undefined) return { kind: "unknown" };
    count += instances;
  }
  return counts.size === 0 ? { kind: "unknown" } : { kind: "count", count };
}
