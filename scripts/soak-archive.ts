import type { DataElement, DataSet } from "../src/dicom/data-set.ts";
import { tags } from "../src/dicom/dictionary/tags.ts";
import type { Tag } from "../src/dicom/tag.ts";
import { dataSetOf, textElement, textOf } from "../src/dicom/values.ts";
import type { OutgoingInstance, ServiceHandlers } from "../src/network/dimse/service-types.ts";
import { type SyntheticInstance, type SyntheticStudy, syntheticStudy } from "../test/peers/synthetic-studies.ts";

const ROOT = "1.2.826.0.1.3680043.10.1561.";
/** Studies that are asked about at the moment. */
const KEPT = 64;

export function uidOfStudy(number: number): string {
  return `${ROOT}${number}`;
}

/** An archive of as many studies as are asked for, each made when it is: nothing of it grows. */
export function endlessArchive(
  shape: { readonly instances: number; readonly pixels: number },
  resolveDestination: NonNullable<ServiceHandlers["resolveDestination"]>,
): ServiceHandlers {
  const made = new Map<number, SyntheticStudy>();
  const studyOf = (identifier: DataSet): SyntheticStudy | undefined => {
    const number = Number((textOf(identifier, tags.StudyInstanceUID) ?? "").slice(ROOT.length));
    if (!Number.isSafeInteger(number) || number < 1) return undefined;
    const study = made.get(number) ?? make(number, shape);
    made.set(number, study);
    const [oldest] = made.keys();
    if (made.size > KEPT && oldest !== undefined) made.delete(oldest);
    return study;
  };
  return {
    async *find(identifier) {
      const study = studyOf(identifier);
      if (study === undefined) return;
      const isOfInstances = textOf(identifier, tags.QueryRetrieveLevel) === "IMAGE";
      for (const instance of isOfInstances ? study.instances : study.instances.slice(0, 1))
        yield answerOf(identifier, instance, study.instances.length);
    },
    select: async (identifier) => {
      const wanted = textOf(identifier, tags.SOPInstanceUID)?.split("\\");
      const instances = studyOf(identifier)?.instances ?? [];
      return instances.filter(({ sopInstanceUid }) => wanted?.includes(sopInstanceUid) ?? true).map(outgoing);
    },
    resolveDestination,
  };
}

function make(number: number, { instances, pixels }: { readonly instances: number; readonly pixels: number }) {
  return syntheticStudy({
    ...{ seed: number, modality: "CT", instancesPerSeries: instances, rows: pixels, columns: pixels },
    ...{ patientId: `P${number}`, accessionNumber: `A${number}` },
  });
}

function outgoing({ sopClassUid, sopInstanceUid, transferSyntaxUid, bytes }: SyntheticInstance): OutgoingInstance {
  return {
    ...{ sopClassUid, sopInstanceUid, transferSyntaxUid },
    async *open() {
      yield bytes;
    },
  };
}

function answerOf(identifier: DataSet, { dataSet }: SyntheticInstance, count: number): DataSet {
  const own: readonly Tag[] = [tags.NumberOfStudyRelatedInstances, tags.QueryRetrieveLevel];
  const elements = [...identifier.keys()]
    .filter((tag) => !own.includes(tag))
    .map((tag) => dataSet.get(tag))
    .filter((one): one is DataElement => one !== undefined);
  return dataSetOf([
    ...elements,
    textElement(tags.NumberOfStudyRelatedInstances, `${count}`),
    textElement(tags.QueryRetrieveLevel, textOf(identifier, tags.QueryRetrieveLevel) ?? "STUDY"),
  ]);
}
