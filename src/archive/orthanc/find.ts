import type { DataElement, DataSet } from "../../dicom/data-set.ts";
import { lookupElement, tagOfKeyword } from "../../dicom/dictionary/dictionary.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import type { Tag } from "../../dicom/tag.ts";
import { isFieldUid, trimUid } from "../../dicom/uid.ts";
import { dataSetOf, textElement, textOf, textsOf } from "../../dicom/values.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { HttpClient } from "../../network/http-client/types.ts";
import * as orthanc from "../../network/rest/orthanc/resources.ts";

/** Keywords and what is looked for in them. */
type Keys = Readonly<Record<string, string>>;

/** Series of a study at most: more than these are nobody's study. */
const MAXIMUM_SERIES = 100_000;

/** Answers at a level, of what Orthanc gives without reading every file: its main DICOM tags, and the UIDs above. */
type Finder = (client: HttpClient, keys: Keys, limit: number, signal: AbortSignal) => Promise<readonly DataSet[]>;

const FINDERS: ReadonlyMap<string | undefined, Finder> = new Map<string, Finder>([
  ["STUDY", studies],
  ["SERIES", series],
  ["IMAGE", instances],
]);

/** @throws GatewayError ARCHIVE_REFUSED_REQUEST at another level, and below studies without one; FIND_LIMIT_REACHED */
export async function* findInOrthanc(
  client: HttpClient,
  identifier: DataSet,
  maximumAnswers: number,
  signal: AbortSignal,
): AsyncGenerator<DataSet> {
  const finder = FINDERS.get(textOf(identifier, tags.QueryRetrieveLevel));
  if (finder === undefined) {
    throw new GatewayError("ARCHIVE_REFUSED_REQUEST", { problem: "an Orthanc is not searched at this level" });
  }
  const answers = await finder(client, keysOf(identifier), maximumAnswers + 1, signal);
  for (const [index, answer] of answers.entries()) {
    if (index === maximumAnswers) throw new GatewayError("FIND_LIMIT_REACHED", { by: "us" });
    yield answer;
  }
}

/** Keys without a value match everything: asking for them would have Orthanc read files. */
function keysOf(identifier: DataSet): Keys {
  const keys = [...identifier.keys()]
    .filter((tag) => tag !== tags.QueryRetrieveLevel && tag !== tags.SpecificCharacterSet)
    .map((tag) => [lookupElement(tag)?.keyword ?? "", textsOf(identifier, tag).join("\\")] as const);
  return Object.fromEntries(keys.filter(([keyword, text]) => keyword !== "" && text !== ""));
}

async function studies(client: HttpClient, keys: Keys, limit: number, signal: AbortSignal) {
  return (await orthanc.findOrthancStudies(client, keys, { limit }, signal)).map(studyAnswer);
}

/** Main DICOM tags as an answer to a query. */
export function studyAnswer({ MainDicomTags, PatientMainDicomTags }: orthanc.OrthancStudy): DataSet {
  return answerOf({ ...PatientMainDicomTags, ...MainDicomTags });
}

async function series(client: HttpClient, keys: Keys, limit: number, signal: AbortSignal) {
  const StudyInstanceUID = oneStudy(keys);
  const found = await orthanc.findOrthancSeries(client, keys, { limit }, signal);
  return found.map(({ MainDicomTags, Instances }) =>
    answerOf({ ...MainDicomTags, StudyInstanceUID }, [
      textElement(tags.NumberOfSeriesRelatedInstances, `${Instances.length}`),
    ]),
  );
}

async function instances(client: HttpClient, keys: Keys, limit: number, signal: AbortSignal) {
  const StudyInstanceUID = oneStudy(keys);
  const above = { StudyInstanceUID, ...(keys.SeriesInstanceUID && { SeriesInstanceUID: keys.SeriesInstanceUID }) };
  const parents = await orthanc.findOrthancSeries(client, above, { limit: MAXIMUM_SERIES }, signal);
  const uids = new Map(parents.map(({ ID, MainDicomTags }) => [ID, MainDicomTags.SeriesInstanceUID ?? ""]));
  const found = await orthanc.findOrthancInstances(client, keys, { limit }, signal);
  return found.map(({ MainDicomTags, ParentSeries }) =>
    answerOf({ ...MainDicomTags, StudyInstanceUID, SeriesInstanceUID: uids.get(ParentSeries) ?? "" }),
  );
}

/** Unique keys of the levels above have one value each. PS3.4 C.4.1.2.1. */
function oneStudy({ StudyInstanceUID = "" }: Keys): string {
  const uid = trimUid(StudyInstanceUID);
  if (isFieldUid(uid)) return uid;
  throw new GatewayError("ARCHIVE_REFUSED_REQUEST", {
    problem: "below the level STUDY a search names the one study that it looks within",
  });
}

function answerOf(texts: Readonly<Record<string, string>>, more: readonly DataElement[] = []): DataSet {
  const elements = Object.entries(texts).flatMap(([keyword, text]) => {
    const tag: Tag | undefined = tagOfKeyword(keyword);
    return tag === undefined ? [] : [textElement(tag, text)];
  });
  return dataSetOf([...elements, ...more]);
}
