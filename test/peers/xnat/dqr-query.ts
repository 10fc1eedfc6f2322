import { tags } from "../../../src/dicom/dictionary/tags.ts";
import { textOf } from "../../../src/dicom/values.ts";
import type { SyntheticStudy } from "../synthetic-studies.ts";
import { type Answer, json, noContent, readObject, textAnswer, type XnatRequest } from "./http.ts";

/** What the PACS behind DQR holds. */
export type PacsContent = readonly SyntheticStudy[];

/** `/xapi/dqr/query/…` */
export async function answerDqrQuery(request: XnatRequest, content: PacsContent): Promise<Answer | undefined> {
  const path = request.segments.join("/");
  if (request.method !== "POST" || !path.startsWith("xapi/dqr/query/")) return undefined;
  const body = await readObject(request);
  if (body === undefined) return textAnswer(500, "Could not read JSON");
  const refusal = pacsRefusal(request, body.pacsId);
  if (refusal !== undefined) return refusal;
  if (path.endsWith("/studies")) return queryStudies(request, body, content);
  return path.endsWith("/series") ? querySeries(request, body, content) : undefined;
}

/** 0 and nothing mean the default PACS. */
export function pacsRefusal({ state, switches }: XnatRequest, pacsId: unknown): Answer | undefined {
  const pacs =
    pacsId === undefined || pacsId === 0 || pacsId === "0"
      ? state.pacs[0]
      : state.pacs.find(({ id }) => `${id}` === `${pacsId}`);
  if (pacs === undefined) return textAnswer(404, `Unable to find PACS ${pacsId}`);
  if (!pacs.queryable) return textAnswer(500, "The PACS is not queryable");
  return switches.pacsAnswers ? undefined : textAnswer(500, "The PACS does not answer");
}

function queryStudies(
  { switches }: XnatRequest,
  body: Readonly<Record<string, unknown>>,
  content: PacsContent,
): Answer {
  const keys: readonly (readonly [string, keyof StudyTexts])[] = [
    ["studyInstanceUid", "studyInstanceUid"],
    ["accessionNumber", "accessionNumber"],
    ["patientId", "patientId"],
    ["patientName", "patientName"],
    ["studyId", "studyId"],
    ["modality", "modality"],
  ];
  const found = content.map(textsOfStudy).filter((study) =>
    keys.every(([key, name]) => {
      const wanted = body[key];
      return typeof wanted !== "string" || wanted === "" || isMatch(study[name], wanted, switches.foldsCase);
    }),
  );
  if (found.length === 0) return switches.noMatches === "204" ? noContent() : json([]);
  return json(found.map((study) => documentOf(study, switches.blankAttributes)));
}

interface StudyTexts {
  readonly studyInstanceUid: string;
  readonly studyId: string;
  readonly studyDescription: string;
  readonly accessionNumber: string;
  readonly studyDate: string;
  readonly modality: string;
  readonly referringPhysicianName: string;
  readonly patientId: string;
  readonly patientName: string;
  readonly sex: string;
}

export function textsOfStudy({ studyInstanceUid, accessionNumber, patientId, instances }: SyntheticStudy): StudyTexts {
  const dataSet = instances[0]?.dataSet;
  const text = (tag: typeof tags.StudyID): string => (dataSet === undefined ? "" : (textOf(dataSet, tag) ?? ""));
  return {
    studyInstanceUid,
    accessionNumber,
    patientId,
    studyId: text(tags.StudyID),
    studyDescription: text(tags.StudyDescription),
    studyDate: text(tags.StudyDate),
    modality: text(tags.Modality),
    referringPhysicianName: text(tags.ReferringPhysicianName),
    patientName: text(tags.PatientName),
    sex: text(tags.PatientSex),
  };
}

function documentOf(study: StudyTexts, blank: ReadonlySet<string>) {
  const { patientId, patientName, sex, modality, ...own } = study;
  const [family = "", given = ""] = patientName.split("^");
  const filled = (fields: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(fields).filter(([name, value]) => value !== "" && !blank.has(name)));
  return {
    ...filled(own),
    modalitiesInStudy: [modality],
    patient: { ...filled({ id: patientId, name: `${family}, ${given}`, sex }) },
  };
}

function querySeries(
  { switches }: XnatRequest,
  { studyInstanceUids }: Readonly<Record<string, unknown>>,
  content: PacsContent,
): Answer {
  const wanted: readonly unknown[] = Array.isArray(studyInstanceUids) ? studyInstanceUids : [];
  const entries = wanted.map((uid) => {
    const study = content.find(({ studyInstanceUid }) => studyInstanceUid === uid);
    const isListed = study !== undefined && !switches.withoutSeries.has(study.studyInstanceUid);
    const results = isListed ? seriesOf(study, switches.countsInstances) : [];
    return [`${uid}`, { hasLimitedResultSetSize: false, studyDateRangeLimitResults: {}, results }] as const;
  });
  return json(Object.fromEntries(entries));
}

function seriesOf(study: SyntheticStudy, countsInstances: boolean) {
  const uids = [...new Set(study.instances.map(({ seriesInstanceUid }) => seriesInstanceUid))];
  return uids.map((seriesInstanceUid) => {
    const instances = study.instances.filter((each) => each.seriesInstanceUid === seriesInstanceUid);
    const text = (tag: typeof tags.Modality): string => {
      const dataSet = instances[0]?.dataSet;
      return dataSet === undefined ? "" : (textOf(dataSet, tag) ?? "");
    };
    return {
      seriesInstanceUid,
      seriesNumber: Number(text(tags.SeriesNumber)),
      modality: text(tags.Modality),
      seriesDescription: text(tags.SeriesDescription),
      accessionNumber: study.accessionNumber,
      patientId: study.patientId,
      ...(countsInstances ? { numberOfRelatedInstances: instances.length } : {}),
    };
  });
}

/** `*` and `?` are wildcards, as the PACS takes them. */
function isMatch(text: string, wanted: string, foldsCase: boolean): boolean {
  const pattern = wanted
    .replaceAll(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${pattern}$`, foldsCase ? "i" : "").test(text);
}
