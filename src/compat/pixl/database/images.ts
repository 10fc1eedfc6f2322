import type { Database } from "./connection.ts";

/** A study of a project, as PIXL's database tells studies apart. */
export interface ImageRow {
  readonly mrn: string;
  readonly accessionNumber: string;
  readonly studyUid: string;
  /** `YYYY-MM-DD` */
  readonly studyDate: string;
  /** Empty: a pseudonym is made when the study is de-identified. */
  readonly participantId: string;
}

/** Two populations at once would add rows twice: nothing in the schema forbids it. */
const LOCK = "LOCK TABLE pixl_pipeline.extract IN SHARE ROW EXCLUSIVE MODE";

const WANTED = `
  SELECT * FROM unnest($2::varchar[], $3::varchar[], $4::varchar[], $5::date[], $6::varchar[])
    WITH ORDINALITY AS wanted (mrn, accession_number, study_uid, study_date, participant_id, place)`;
const SAME = `
  image.extract_id = $1 AND image.mrn = wanted.mrn AND image.accession_number = wanted.accession_number
    AND coalesce(image.study_uid, '') = wanted.study_uid`;

const INSERT_MISSING = `
  INSERT INTO pixl_pipeline.image (accession_number, study_date, mrn, study_uid, extract_id, pseudo_patient_id)
  SELECT DISTINCT ON (mrn, accession_number, study_uid)
         accession_number, study_date, mrn, study_uid, $1::integer, nullif(participant_id, '')
    FROM (${WANTED}) AS wanted
   WHERE NOT EXISTS (SELECT 1 FROM pixl_pipeline.image WHERE ${SAME})
   ORDER BY mrn, accession_number, study_uid, place`;

/** Where several rows stand for a study, one export is enough. */
const NOT_EXPORTED = `
  SELECT place FROM (${WANTED}) AS wanted
   WHERE NOT EXISTS (SELECT 1 FROM pixl_pipeline.image WHERE ${SAME} AND image.exported_at IS NOT NULL)
   ORDER BY place`;

/** Adds what is missing of a project's studies. @returns those that were not exported yet, by their places in the list */
export function addImages(database: Database, slug: string, rows: readonly ImageRow[]): Promise<readonly number[]> {
  return database.transaction(async () => {
    await database.query(LOCK);
    const parameters = [
      await extractIdOf(database, slug),
      rows.map(({ mrn }) => mrn),
      rows.map(({ accessionNumber }) => accessionNumber),
      rows.map(({ studyUid }) => studyUid),
      rows.map(({ studyDate }) => studyDate),
      rows.map(({ participantId }) => participantId),
    ];
    await database.query(INSERT_MISSING, parameters);
    const places = await database.query(NOT_EXPORTED, parameters);
    return places.map(({ place }) => Number(place) - 1);
  });
}

async function extractIdOf(database: Database, slug: string): Promise<number> {
  const find = "SELECT extract_id FROM pixl_pipeline.extract WHERE slug = $1 ORDER BY extract_id LIMIT 1";
  const add = "INSERT INTO pixl_pipeline.extract (slug) VALUES ($1) RETURNING extract_id";
  const [row] = await database.query(find, [slug]);
  const [found] = row === undefined ? await database.query(add, [slug]) : [row];
  return Number(found?.extract_id);
}

/** Studies of these projects that were exported. */
export async function countExported(database: Database, slugs: readonly string[]): Promise<number> {
  const [row] = await database.query(
    `SELECT count(*) AS count FROM pixl_pipeline.image JOIN pixl_pipeline.extract USING (extract_id)
      WHERE slug = ANY ($1) AND exported_at IS NOT NULL`,
    [slugs],
  );
  return Number(row?.count ?? 0);
}

/** A study that was exported, and what it is called since. */
export interface ExportedImage {
  readonly mrn: string;
  readonly accessionNumber: string;
  /** Empty: not known. */
  readonly studyUid: string;
  readonly pseudoStudyUid: string;
}

/** The exported studies of a project that have a pseudonymous UID. */
export async function exportedImages(database: Database, slug: string): Promise<readonly ExportedImage[]> {
  const rows = await database.query(
    `SELECT mrn, accession_number, coalesce(study_uid, '') AS study_uid, pseudo_study_uid
       FROM pixl_pipeline.image JOIN pixl_pipeline.extract USING (extract_id)
      WHERE slug = $1 AND exported_at IS NOT NULL AND pseudo_study_uid IS NOT NULL ORDER BY image_id`,
    [slug],
  );
  return rows.map((row) => ({
    mrn: String(row.mrn),
    accessionNumber: String(row.accession_number),
    studyUid: String(row.study_uid),
    pseudoStudyUid: String(row.pseudo_study_uid),
  }));
}
