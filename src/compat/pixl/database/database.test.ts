import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type PostgresServer, startPostgres } from "../../../../test/peers/postgres.ts";
import { requirePeer } from "../../../../test/peers/require-peer.ts";
import { type Database, openDatabase } from "./connection.ts";
import { addImages, countExported, type ImageRow } from "./images.ts";
import { currentRevision, downgrade, upgrade } from "./migrate.ts";
import { HEAD, REVISIONS } from "./revisions.ts";

const ALL = REVISIONS.map(({ revision }) => revision);
const image = (accessionNumber: string, facts: Partial<ImageRow> = {}): ImageRow => ({
  mrn: "1",
  accessionNumber,
  studyUid: "",
  studyDate: "2022-11-22",
  participantId: "",
  ...facts,
});

async function columnsOf(database: Database): Promise<readonly string[]> {
  const rows = await database.query(
    `SELECT table_name || '.' || column_name || ' ' || data_type || CASE is_nullable WHEN 'NO' THEN ' needed' ELSE '' END AS text
       FROM information_schema.columns WHERE table_schema = 'pixl_pipeline' ORDER BY table_name, ordinal_position`,
  );
  return rows.map(({ text }) => String(text));
}

describe.skipIf(!requirePeer("initdb"))("PIXL's database in PostgreSQL", () => {
  let server: PostgresServer;
  const open = () =>
    openDatabase({ host: "127.0.0.1", port: server.port, database: server.user, user: server.user, password: "" });
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server[Symbol.asyncDispose]());
  beforeEach(async () => {
    await using database = await open();
    await database.query("DROP SCHEMA IF EXISTS pixl_pipeline CASCADE");
  });

  it("is made in an empty one as alembic makes it", async () => {
    await using database = await open();
    expect(await currentRevision(database)).toBeUndefined();
    expect(await upgrade(database)).toEqual({ from: undefined, to: HEAD, steps: ALL });
    expect(await columnsOf(database)).toEqual([
      "alembic_version.version_num character varying needed",
      "extract.extract_id integer needed",
      "extract.slug character varying needed",
      "image.image_id integer needed",
      "image.accession_number character varying needed",
      "image.study_date date needed",
      "image.mrn character varying needed",
      "image.pseudo_study_uid character varying",
      "image.exported_at timestamp with time zone",
      "image.extract_id integer needed",
      "image.study_uid character varying",
      "image.pseudo_patient_id character varying",
    ]);
    const constraints = await database.query(
      "SELECT conname FROM pg_constraint WHERE connamespace = 'pixl_pipeline'::regnamespace AND contype IN ('p', 'f') ORDER BY 1",
    );
    const names = ["alembic_version_pkc", "extract_pkey", "image_extract_id_fkey", "image_pkey"];
    expect(constraints.map(({ conname }) => conname)).toEqual(names);
    expect(await upgrade(database)).toEqual({ from: HEAD, to: HEAD, steps: [] });
  });

  it("goes on from where PIXL left it, with the rows it holds", async () => {
    await using database = await open();
    await upgrade(database, "cb5ee12a6e20");
    await database.query("INSERT INTO pixl_pipeline.extract (slug) VALUES ('p')");
    await database.query(
      "INSERT INTO pixl_pipeline.image (accession_number, study_date, mrn, extract_id, pseudo_study_uid) VALUES ('A', '2022-11-22', '1', 1, '2.25.1')",
    );
    expect((await upgrade(database)).steps).toEqual(["83dcb3812628", HEAD]);
    expect(await database.query("SELECT mrn, pseudo_study_uid, study_uid FROM pixl_pipeline.image")).toEqual([
      { mrn: "1", pseudo_study_uid: "2.25.1", study_uid: null },
    ]);
    expect(await addImages(database, "p", [image("A")])).toEqual([0]);
    expect(await database.query("SELECT count(*)::integer AS count FROM pixl_pipeline.image")).toEqual([{ count: 1 }]);
  });

  it("steps back, by one, to a revision, to nothing", async () => {
    await using database = await open();
    await upgrade(database);
    expect(await downgrade(database, "-1")).toEqual({ from: HEAD, to: "83dcb3812628", steps: [HEAD] });
    expect((await downgrade(database, "bcaef54e2bfe")).to).toBe("bcaef54e2bfe");
    expect(await columnsOf(database)).toContain("image.hashed_identifier character varying");
    expect(await downgrade(database, "base")).toEqual({ from: "bcaef54e2bfe", to: undefined, steps: ["bcaef54e2bfe"] });
    expect(await columnsOf(database)).toEqual(["alembic_version.version_num character varying needed"]);
    expect((await upgrade(database)).to).toBe(HEAD);
  });

  it("is left as it was when a migration fails", async () => {
    await using database = await open();
    await upgrade(database, "cb5ee12a6e20");
    // The last step fails: its column is there already.
    await database.query("ALTER TABLE pixl_pipeline.image ADD COLUMN pseudo_patient_id VARCHAR(255)");
    const before = await columnsOf(database);
    await expect(upgrade(database)).rejects.toMatchObject({
      code: "PIXL_DATABASE_REFUSED",
      details: { reason: "42701" },
    });
    expect(await columnsOf(database)).toEqual(before);
    expect(await currentRevision(database)).toBe("cb5ee12a6e20");
  });

  it("is left alone when a newer PIXL has migrated it", async () => {
    await using database = await open();
    await upgrade(database);
    await database.query("UPDATE pixl_pipeline.alembic_version SET version_num = '4226124af0db'");
    await expect(upgrade(database)).rejects.toMatchObject({ code: "PIXL_DATABASE_REVISION_UNKNOWN" });
    expect(await currentRevision(database)).toBe("4226124af0db");
  });

  it("is migrated once when two do it at the same time", async () => {
    await using one = await open();
    await using other = await open();
    const reports = await Promise.all([upgrade(one), upgrade(other)]);
    expect(reports.map(({ steps }) => steps.length).sort()).toEqual([0, ALL.length]);
  });

  it("takes each study of a project once, and tells which were not exported", async () => {
    await using database = await open();
    await upgrade(database);
    const rows = [image("A"), image("B", { participantId: "P-1" }), image("A"), image("A", { studyUid: "1.2" })];
    expect(await addImages(database, "p", rows)).toEqual([0, 1, 2, 3]);
    await database.query("UPDATE pixl_pipeline.image SET exported_at = now() WHERE accession_number = 'B'");
    expect(await addImages(database, "p", rows)).toEqual([0, 2, 3]);
    expect(await addImages(database, "other", [image("B")])).toEqual([0]);
    expect(await countExported(database, ["p", "other"])).toBe(1);
    const kept = await database.query(
      "SELECT accession_number, pseudo_patient_id FROM pixl_pipeline.image ORDER BY image_id",
    );
    expect(kept.map((row) => [row.accession_number, row.pseudo_patient_id])).toEqual([
      ["A", null],
      ["A", null],
      ["B", "P-1"],
      ["B", null],
    ]);
  });

  it("tells studies apart by MRN, accession number and UID together", async () => {
    await using database = await open();
    await upgrade(database);
    const exported = image("A");
    await addImages(database, "p", [exported]);
    await database.query("UPDATE pixl_pipeline.image SET exported_at = now()");
    const others = [image("A", { mrn: "2" }), image("A", { studyUid: "1.2" }), image("B")];
    expect(await addImages(database, "p", [exported, ...others])).toEqual([1, 2, 3]);
    const [count] = await database.query("SELECT count(*)::integer AS count FROM pixl_pipeline.image");
    expect(count).toEqual({ count: 4 });
  });

  it("has each study once though two ask for it at the same time", async () => {
    await using one = await open();
    await using other = await open();
    await upgrade(one);
    const rows = Array.from({ length: 1_000 }, (_, index) => image(`A${index}`));
    await Promise.all([addImages(one, "p", rows), addImages(other, "p", rows)]);
    const counts =
      "SELECT count(*)::integer AS images, count(DISTINCT extract_id)::integer AS extracts FROM pixl_pipeline.image";
    expect(await one.query(counts)).toEqual([{ images: 1_000, extracts: 1 }]);
  });

  it("cannot be reached where there are too many connections: it may be in a moment", async () => {
    await using database = await open();
    await database.query("CREATE ROLE late LOGIN CONNECTION LIMIT 0");
    const options = { host: "127.0.0.1", port: server.port, database: server.user, user: "late", password: "" };
    await expect(openDatabase(options)).rejects.toMatchObject({
      code: "PIXL_DATABASE_UNAVAILABLE",
      details: { reason: "53300" },
    });
  });

  it("says when nobody listens, and quotes nothing", async () => {
    const options = { host: "127.0.0.1", port: 1, database: "d", user: "u", password: "SECRET" };
    await expect(openDatabase(options)).rejects.toMatchObject({
      code: "PIXL_DATABASE_UNAVAILABLE",
      details: { reason: "ECONNREFUSED" },
    });
  });
});
