/** Columns of a cohort file that the gateway understands. All others are the submitter's. */
export type KnownColumn =
  | "study_instance_uid"
  | "accession_number"
  | "patient_id"
  | "series_instance_uids"
  | "priority"
  | "participant_id"
  | "project";

/** Every spelling of a known column: our own, then the one of PIXL's extract files. */
const SPELLINGS: Readonly<Record<KnownColumn, readonly string[]>> = {
  study_instance_uid: ["study_instance_uid", "study_uid"],
  accession_number: ["accession_number"],
  patient_id: ["patient_id", "mrn"],
  series_instance_uids: ["series_instance_uids", "series_instance_uid", "series_uid"],
  priority: ["priority"],
  participant_id: ["participant_id", "pseudo_patient_id"],
  project: ["project", "project_name"],
};

const KNOWN = new Map<string, KnownColumn>();
for (const column of Object.keys(SPELLINGS) as KnownColumn[]) {
  for (const spelling of SPELLINGS[column]) KNOWN.set(comparable(spelling), column);
}

/** `Study Instance UID`, `STUDY_INSTANCE_UID` and `StudyInstanceUID` are one name. */
export function comparable(name: string): string {
  return name.toLowerCase().replace(/[\s_]+/g, "");
}

function knownColumn(name: string): KnownColumn | undefined {
  return KNOWN.get(comparable(name));
}

export interface KnownPlace {
  readonly index: number;
  /** As the submitter wrote it. */
  readonly name: string;
}

/** Where the known columns are; `twice` has those that several columns claim to be. */
export function findKnownColumns(columns: readonly string[]): {
  readonly places: ReadonlyMap<KnownColumn, KnownPlace>;
  readonly twice: readonly KnownColumn[];
} {
  const places = new Map<KnownColumn, KnownPlace>();
  const twice: KnownColumn[] = [];
  for (const [index, name] of columns.entries()) {
    const known = knownColumn(name);
    if (known === undefined) continue;
    if (places.has(known)) twice.push(known);
    else places.set(known, { index, name: name.trim() });
  }
  return { places, twice };
}
