import type { DicomAddress } from "../../src/dicom/ae-title.ts";
import type { DataElement, DataSet } from "../../src/dicom/data-set.ts";
import { tags } from "../../src/dicom/dictionary/tags.ts";
import type { Tag } from "../../src/dicom/tag.ts";
import { dataSetOf, textElement, textOf, uidOf } from "../../src/dicom/values.ts";
import type { ServiceHandlers, StoreHandler } from "../../src/network/dimse/service-types.ts";
import { outgoingSample, type SampleObject } from "./sample-objects.ts";

/** Unique key of each level. PS3.4 C.6.1.1. */
const LEVEL_KEYS: Readonly<Record<string, Tag>> = {
  PATIENT: tags.PatientID,
  STUDY: tags.StudyInstanceUID,
  SERIES: tags.SeriesInstanceUID,
  IMAGE: tags.SOPInstanceUID,
};

/** Handlers of an archive over a few objects in memory; single value matching only. */
export function memoryArchive(
  objects: readonly SampleObject[],
  resolveDestination?: (aeTitle: string) => DicomAddress | undefined,
): ServiceHandlers {
  return {
    async *find(identifier) {
      const level = textOf(identifier, tags.QueryRetrieveLevel) ?? "STUDY";
      const seen = new Set<string>();
      for (const { dataSet } of objects.filter((object) => matches(object, identifier))) {
        const key = uidOf(dataSet, LEVEL_KEYS[level] ?? tags.StudyInstanceUID) ?? "";
        if (seen.has(key)) continue;
        seen.add(key);
        yield answerTo(identifier, dataSet, level);
      }
    },
    select: async (identifier) => objects.filter((object) => matches(object, identifier)).map(outgoingSample),
    ...(resolveDestination && { resolveDestination }),
  };
}

function matches({ dataSet }: SampleObject, identifier: DataSet): boolean {
  return [...identifier.keys()]
    .filter((tag) => tag !== tags.QueryRetrieveLevel && tag !== tags.SpecificCharacterSet)
    .every((tag) => {
      const wanted = textOf(identifier, tag);
      return wanted === undefined || wanted.split("\\").includes(textOf(dataSet, tag) ?? "");
    });
}

function answerTo(identifier: DataSet, dataSet: DataSet, level: string): DataSet {
  const elements = [...identifier.keys()]
    .map((tag) => dataSet.get(tag))
    .filter((one): one is DataElement => one !== undefined);
  return dataSetOf([...elements, textElement(tags.QueryRetrieveLevel, level, "CS")]);
}

/** A store handler that keeps whole data sets in memory, by SOP Instance UID. */
export function memoryStore(): { readonly received: Map<string, Buffer>; readonly handler: StoreHandler } {
  const received = new Map<string, Buffer>();
  const handler: StoreHandler = async ({ sopInstanceUid }) => {
    const chunks: Uint8Array[] = [];
    return {
      write: (chunk) => {
        chunks.push(Buffer.from(chunk));
      },
      close: async () => {
        received.set(sopInstanceUid, Buffer.concat(chunks));
        return 0x0000;
      },
      abort: async () => {},
    };
  };
  return { received, handler };
}
