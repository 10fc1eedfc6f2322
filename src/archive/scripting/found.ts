import type { DataSet } from "../../dicom/data-set.ts";
import { tagOfKeyword } from "../../dicom/dictionary/dictionary.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import type { Tag } from "../../dicom/tag.ts";
import {
  isFieldUid,
  type SeriesInstanceUid,
  type SopInstanceUid,
  type StudyInstanceUid,
  trimUid,
} from "../../dicom/uid.ts";
import { textOf } from "../../dicom/values.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { identifierFromKeys } from "../find-keys.ts";

/** What a level's answer says, by keyword. */
interface Found {
  /** The whole answer. */
  readonly attributes: DataSet;
  /** The first value of an attribute; undefined when the archive did not send it. @throws GatewayError QUERY_KEY_UNKNOWN */
  text(keyword: string): string | undefined;
}

export interface FoundStudy extends Found {
  readonly level: "STUDY";
  readonly studyInstanceUid: StudyInstanceUid;
  /** Asks the archive when it is first gone through. */
  series(): AsyncIterable<FoundSeries>;
  /** Of all series. */
  instances(): AsyncIterable<FoundInstance>;
}

export interface FoundSeries extends Found {
  readonly level: "SERIES";
  readonly studyInstanceUid: StudyInstanceUid;
  readonly seriesInstanceUid: SeriesInstanceUid;
  instances(): AsyncIterable<FoundInstance>;
}

export interface FoundInstance extends Found {
  readonly level: "IMAGE";
  readonly studyInstanceUid: StudyInstanceUid;
  readonly seriesInstanceUid: SeriesInstanceUid;
  readonly sopInstanceUid: SopInstanceUid;
}

/** Asks an archive at a level. Answers of other studies or series than were asked for are dropped. */
export type Ask = (identifier: DataSet) => AsyncIterable<DataSet>;

export async function* foundStudies(ask: Ask, identifier: DataSet): AsyncGenerator<FoundStudy> {
  for await (const attributes of ask(identifier)) {
    const studyInstanceUid = uidIn(attributes, tags.StudyInstanceUID) as StudyInstanceUid | undefined;
    if (studyInstanceUid === undefined) continue;
    const study: FoundStudy = {
      level: "STUDY",
      ...found(attributes),
      studyInstanceUid,
      series: () => seriesOf(ask, studyInstanceUid),
      async *instances() {
        for await (const series of study.series()) yield* series.instances();
      },
    };
    yield study;
  }
}

async function* seriesOf(ask: Ask, studyInstanceUid: StudyInstanceUid): AsyncGenerator<FoundSeries> {
  const identifier = identifierFromKeys("SERIES", [`StudyInstanceUID=${studyInstanceUid}`]);
  for await (const attributes of ask(identifier)) {
    const seriesInstanceUid = uidIn(attributes, tags.SeriesInstanceUID) as SeriesInstanceUid | undefined;
    const isOther = (uidIn(attributes, tags.StudyInstanceUID) ?? studyInstanceUid) !== studyInstanceUid;
    if (seriesInstanceUid === undefined || isOther) continue;
    yield {
      level: "SERIES",
      ...found(attributes),
      studyInstanceUid,
      seriesInstanceUid,
      instances: () => instancesOf(ask, studyInstanceUid, seriesInstanceUid),
    };
  }
}

async function* instancesOf(
  ask: Ask,
  studyInstanceUid: StudyInstanceUid,
  seriesInstanceUid: SeriesInstanceUid,
): AsyncGenerator<FoundInstance> {
  const keys = [`StudyInstanceUID=${studyInstanceUid}`, `SeriesInstanceUID=${seriesInstanceUid}`];
  for await (const attributes of ask(identifierFromKeys("IMAGE", keys))) {
    const sopInstanceUid = uidIn(attributes, tags.SOPInstanceUID) as SopInstanceUid | undefined;
    const isOther = (uidIn(attributes, tags.SeriesInstanceUID) ?? seriesInstanceUid) !== seriesInstanceUid;
    if (sopInstanceUid === undefined || isOther) continue;
    yield { level: "IMAGE", ...found(attributes), studyInstanceUid, seriesInstanceUid, sopInstanceUid };
  }
}

function found(attributes: DataSet): Found {
  return {
    attributes,
    text(keyword) {
      const tag = tagOfKeyword(keyword);
      if (tag === undefined) throw new GatewayError("QUERY_KEY_UNKNOWN", { keyword });
      return textOf(attributes, tag);
    },
  };
}

function uidIn(attributes: DataSet, tag: Tag): string | undefined {
  const uid = trimUid(textOf(attributes, tag) ?? "");
  return isFieldUid(uid) ? uid : undefined;
}
