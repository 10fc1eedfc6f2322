import type { StudyContents } from "../../archive/contents.ts";
import type { ArchiveVolume } from "../../store/study-reports.ts";
import type { WeightBasis } from "./documents.ts";

/** A CT slice of 512 by 512 pixels of 16 bits with its header: the commonest instance, where nothing was ever weighed. */
const ASSUMED_BYTES = 540_000;

/** What instances weigh, by what the ledger's instances weighed. */
export interface Weights {
  /** Bytes of a study's instances of an archive. */
  of(archive: string, contents: Pick<StudyContents, "byModality">): number;
  /** What was gone by so far. */
  basis(): readonly WeightBasis[];
}

export function createWeights(volumes: readonly ArchiveVolume[]): Weights {
  const used = new Map<string, WeightBasis>();
  const basisOf = (archive: string, modality: string): WeightBasis => {
    const key = `${archive} ${modality}`;
    const known = used.get(key) ?? { archive, modality, ...meanOf(candidates(volumes, archive, modality)) };
    used.set(key, known);
    return known;
  };
  return {
    of: (archive, { byModality }) =>
      [...byModality].reduce(
        (sum, [modality, instances]) => sum + instances * basisOf(archive, modality).bytesPerInstance,
        0,
      ),
    basis: () =>
      [...used.values()].sort((a, b) => (`${a.archive} ${a.modality}` < `${b.archive} ${b.modality}` ? -1 : 1)),
  };
}

/** The nearest that was weighed: of the archive and modality, of the modality, of the archive, or any. */
function candidates(volumes: readonly ArchiveVolume[], archive: string, modality: string): readonly ArchiveVolume[] {
  const isOfModality = (each: ArchiveVolume): boolean => modality !== "" && each.modality === modality;
  const isOfArchive = (each: ArchiveVolume): boolean => each.archive === archive;
  const ways = [
    (each: ArchiveVolume) => isOfModality(each) && isOfArchive(each),
    isOfModality,
    ...(modality === "" ? [isOfArchive, () => true] : []),
  ];
  return ways.map((way) => volumes.filter(way)).find((found) => found.some(({ instances }) => instances > 0)) ?? [];
}

function meanOf(volumes: readonly ArchiveVolume[]): Pick<WeightBasis, "bytesPerInstance" | "measuredInstances"> {
  const instances = volumes.reduce((sum, each) => sum + each.instances, 0);
  const sizeBytes = volumes.reduce((sum, each) => sum + each.sizeBytes, 0);
  if (instances === 0) return { bytesPerInstance: ASSUMED_BYTES, measuredInstances: 0 };
  return { bytesPerInstance: Math.round(sizeBytes / instances), measuredInstances: instances };
}
