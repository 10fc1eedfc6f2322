import { GatewayError } from "../../../errors/gateway-error.ts";

/** A step of PIXL's schema, by the identifier that alembic keeps in `alembic_version`. */
export interface Revision {
  readonly revision: string;
  /** Undefined: the first. */
  readonly before: string | undefined;
  readonly date: string;
  readonly summary: string;
  readonly upgrade: string;
  readonly downgrade: string;
}

/** PIXL's schema, in its order. Constraint names are those PostgreSQL gives by itself, as in PIXL. */
export const REVISIONS: readonly Revision[] = [
  {
    revision: "bcaef54e2bfe",
    before: undefined,
    date: "2024-02-12",
    summary: "create tables extract and image",
    upgrade: `
      CREATE TABLE pixl_pipeline.extract (extract_id SERIAL PRIMARY KEY, slug VARCHAR NOT NULL);
      CREATE TABLE pixl_pipeline.image (
        image_id SERIAL PRIMARY KEY, accession_number VARCHAR NOT NULL, study_date DATE NOT NULL, mrn VARCHAR NOT NULL,
        hashed_identifier VARCHAR, exported_at TIMESTAMP WITH TIME ZONE,
        extract_id INTEGER NOT NULL REFERENCES pixl_pipeline.extract (extract_id)
      )`,
    downgrade: "DROP TABLE pixl_pipeline.image; DROP TABLE pixl_pipeline.extract",
  },
  {
    revision: "cb5ee12a6e20",
    before: "bcaef54e2bfe",
    date: "2024-05-01",
    summary: "rename hashed_identifier to pseudo_study_uid",
    upgrade: "ALTER TABLE pixl_pipeline.image RENAME hashed_identifier TO pseudo_study_uid",
    downgrade: "ALTER TABLE pixl_pipeline.image RENAME pseudo_study_uid TO hashed_identifier",
  },
  {
    revision: "83dcb3812628",
    before: "cb5ee12a6e20",
    date: "2024-08-01",
    summary: "add study_uid to image",
    upgrade: "ALTER TABLE pixl_pipeline.image ADD COLUMN study_uid VARCHAR",
    downgrade: "ALTER TABLE pixl_pipeline.image DROP COLUMN study_uid",
  },
  {
    revision: "d947cc715eb1",
    before: "83dcb3812628",
    date: "2024-08-21",
    summary: "add pseudo_patient_id to image",
    upgrade: "ALTER TABLE pixl_pipeline.image ADD COLUMN pseudo_patient_id VARCHAR(255)",
    downgrade: "ALTER TABLE pixl_pipeline.image DROP COLUMN pseudo_patient_id",
  },
];

export const HEAD = "d947cc715eb1";
/** alembic's word for a database without any revision. */
export const BASE = "base";

/** How many steps lead to a revision; undefined: to none. @throws GatewayError PIXL_DATABASE_REVISION_UNKNOWN */
export function placeOf(revision: string | undefined): number {
  if (revision === undefined) return 0;
  const index = REVISIONS.findIndex((each) => each.revision === revision);
  if (index === -1) throw new GatewayError("PIXL_DATABASE_REVISION_UNKNOWN", { revision: revision.slice(0, 32) });
  return index + 1;
}
