import { tags } from "../../src/dicom/dictionary/tags.ts";
import { dataSetOf, textElement } from "../../src/dicom/values.ts";
import { encodeDataSet, encodeFileMeta } from "../../src/dicom/writer.ts";
import type { SyntheticModality } from "../peers/synthetic-modules.ts";
import { type SyntheticInstance, type SyntheticStudy, syntheticStudy } from "../peers/synthetic-studies.ts";

export interface SeriesPlan {
  readonly modality: SyntheticModality;
  readonly description: string;
  /** As the patient, number and date of all series of a study are the same, their seed is the study's. */
  readonly manufacturer?: string;
}

export interface PixlStudyPlan {
  readonly seed: number;
  readonly patientId: string;
  readonly accessionNumber: string;
  readonly series: readonly SeriesPlan[];
}

/** A study of several series of one image each, of whatever modalities. */
export function pixlStudy({ seed, patientId, accessionNumber, series }: PixlStudyPlan): SyntheticStudy {
  const studies = series.map(({ modality }) =>
    syntheticStudy({ seed, modality, patientId, accessionNumber, series: series.length }),
  );
  const [first] = studies;
  if (first === undefined) throw new Error("a study without series");
  const instances = series.flatMap(({ description, manufacturer = "Company" }, index) => {
    const instance = studies[index]?.instances[index];
    return instance === undefined ? [] : [labelled(instance, description, manufacturer)];
  });
  return { ...first, instances };
}

function labelled(instance: SyntheticInstance, description: string, manufacturer: string): SyntheticInstance {
  const { sopClassUid, sopInstanceUid, transferSyntaxUid } = instance;
  const dataSet = dataSetOf([
    ...instance.dataSet.values(),
    textElement(tags.SeriesDescription, description),
    textElement(tags.Manufacturer, manufacturer),
  ]);
  const bytes = Buffer.from(encodeDataSet(dataSet, transferSyntaxUid));
  const facts = { sopClassUid, sopInstanceUid, transferSyntaxUid };
  return {
    ...instance,
    dataSet,
    bytes,
    file: Buffer.concat([encodeFileMeta({ ...facts, sourceAeTitle: "VNA" }), bytes]),
  };
}
