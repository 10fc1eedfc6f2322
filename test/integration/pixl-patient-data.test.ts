import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parquetMetadata, parquetReadObjects } from "hyparquet";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { upgrade } from "../../src/compat/pixl/database/migrate.ts";
import { systemClock } from "../../src/units/clock.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { type CliResult, runCli } from "../support/cli.ts";
import { startHttpServer } from "../support/http-server.ts";
import { writeOmopExtract } from "../support/omop-extract.ts";
import { openPixlHome } from "../support/pixl-service.ts";

const PROCEDURES = [
  { id: 11, mrn: "001", accession: "A1", studyUid: "1.2.1" },
  { id: 12, mrn: "002", accession: "A2" },
  { id: 13, mrn: "003", accession: "A3" },
  { id: 14, mrn: "001", accession: "A1", studyUid: "1.2.9" },
  // Two procedures under one order, as of chest and abdomen, are one study.
  { id: 15, mrn: "001", accession: "A1", studyUid: "1.2.1" },
  // Nobody here would ask an archive for it; PIXL's own command line does.
  { id: 16, mrn: "004", accession: "LONGER-THAN-DICOM-ALLOWS" },
];

describe.skipIf(!requirePeer("initdb"))("pixl export-patient-data", () => {
  let home: Awaited<ReturnType<typeof openPixlHome>>;
  let status = 200;
  const asked: unknown[] = [];
  const opened = new AsyncDisposableStack();
  let environment: Readonly<Record<string, string>>;
  beforeAll(async () => {
    home = opened.use(await openPixlHome());
    await upgrade(home.database);
    const api = opened.use(
      await startHttpServer(async (request, response) => {
        const pieces: Buffer[] = [];
        for await (const piece of request) pieces.push(piece);
        asked.push([request.method, request.url, JSON.parse(Buffer.concat(pieces).toString())]);
        response.writeHead(status, { "content-type": "application/json" }).end("null");
      }),
    );
    const exports = join(home.folder, "exports");
    await mkdir(exports);
    const { hostname, port } = new URL(api.url);
    environment = {
      ...home.environment,
      PIXL_EXPORT_API_HOST: hostname,
      PIXL_EXPORT_API_PORT: port,
      HOST_EXPORT_ROOT_DIR: exports,
    };
  });
  afterAll(() => opened.disposeAsync());
  beforeEach(async () => {
    status = 200;
    asked.length = 0;
    await home.database.query("TRUNCATE pixl_pipeline.extract CASCADE");
    await home.database.query(
      "INSERT INTO pixl_pipeline.extract (extract_id, slug) VALUES (1, 'lung-trial'), (2, 'other')",
    );
    const image = (
      accession: string,
      mrn: string,
      uid: string | null,
      pseudo: string | null,
      isExported: boolean,
      project = 1,
    ) =>
      home.database.query(
        `INSERT INTO pixl_pipeline.image (accession_number, study_date, mrn, study_uid, pseudo_study_uid, exported_at, extract_id)
         VALUES ($1, '2022-11-22', $2, $3, $4, $5, $6)`,
        [accession, mrn, uid, pseudo, isExported ? new Date() : null, project],
      );
    await image("A1", "001", "1.2.1", "2.25.1", true);
    await image("A1", "001", "1.2.9", "2.25.9", true);
    await image("A2", "002", null, "2.25.2", true);
    await image("LONGER-THAN-DICOM-ALLOWS", "004", null, "2.25.5", true);
    await image("A3", "003", null, "2.25.3", false);
    await image("A3", "003", null, "2.25.4", true, 2);
  });

  const run = (args: readonly string[], given: Readonly<Record<string, string>> = {}): Promise<CliResult> =>
    runCli(["pixl", ...args, "--json"], {
      environment: { ...environment, ...given },
      workingFolder: home.folder,
      clock: systemClock,
    });

  it.each([false, true])(
    "links every exported study of the project with its procedures; batched: %s",
    async (batched) => {
      const name = `extract-${batched}`;
      await writeOmopExtract(join(home.folder, name), PROCEDURES, { batched, project: "Lung Trial" });
      const { exitCode, stdout } = await run(["export-patient-data", name]);
      const { file, ...report } = JSON.parse(stdout);
      expect([exitCode, report]).toEqual([0, { project: "lung-trial", linked: 5 }]);
      const below = "lung-trial/all_extracts/2023-12-07t14-08-58/radiology";
      expect(file).toBe(join(home.folder, "exports", below, "IMAGE_LINKER.parquet"));
      expect(await readdir(join(home.folder, "exports", below))).toEqual(["IMAGE_LINKER.parquet"]);
      const bytes = await readFile(file);
      const table = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
      const columns = parquetMetadata(table)
        .schema.slice(1)
        .map((column) => [column.name, column.type]);
      expect(columns).toEqual([
        ["procedure_occurrence_id", "INT64"],
        ["pseudo_study_uid", "BYTE_ARRAY"],
      ]);
      expect(await parquetReadObjects({ file: table })).toEqual([
        { procedure_occurrence_id: 11n, pseudo_study_uid: "2.25.1" },
        { procedure_occurrence_id: 12n, pseudo_study_uid: "2.25.2" },
        { procedure_occurrence_id: 14n, pseudo_study_uid: "2.25.9" },
        { procedure_occurrence_id: 15n, pseudo_study_uid: "2.25.1" },
        { procedure_occurrence_id: 16n, pseudo_study_uid: "2.25.5" },
      ]);
      const body = { project_name: "lung-trial", extract_datetime: "2023-12-07T14:08:58" };
      expect(asked).toEqual([["POST", "/export-patient-data", body]]);
    },
  );

  it("says when the export API will not, and when it does not know where exports lie", async () => {
    await writeOmopExtract(join(home.folder, "refused"), PROCEDURES, { project: "Lung Trial" });
    status = 400;
    const refused = await run(["export-patient-data", "refused"]);
    expect([refused.exitCode, JSON.parse(refused.stdout)]).toMatchObject([
      1,
      { error: { code: "PIXL_EXPORT_REFUSED", details: { status: 400 } } },
    ]);
    const nowhere = await run(["export-patient-data", "refused"], { HOST_EXPORT_ROOT_DIR: "" });
    expect([nowhere.exitCode, JSON.parse(nowhere.stdout)]).toMatchObject([2, { error: { code: "USAGE_INVALID" } }]);
  });

  it("checks that every name of a sample is set, in the environment or in .env", async () => {
    await writeFile(join(home.folder, ".env.sample"), "PIXL_DB_HOST=\nPIXL_ROOT=\nFTP_PORT=\nDEBUG=True\n");
    await writeFile(join(home.folder, ".env"), "FTP_PORT=\n");
    const checked = await run(["check-env"], { PIXL_ROOT: home.folder });
    expect([checked.exitCode, JSON.parse(checked.stdout)]).toEqual([0, { ok: false, missing: ["DEBUG"] }]);
    expect((await run(["check-env", "--error"], { PIXL_ROOT: home.folder })).exitCode).toBe(1);
    expect((await run(["check-env", "--error"], { PIXL_ROOT: home.folder, DEBUG: "" })).exitCode).toBe(0);
  });
});
