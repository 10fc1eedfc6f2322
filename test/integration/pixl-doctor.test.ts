import { Connection } from "rabbitmq-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { upgrade } from "../../src/compat/pixl/database/migrate.ts";
import { HEAD } from "../../src/compat/pixl/database/revisions.ts";
import { systemClock } from "../../src/units/clock.ts";
import { freePort } from "../peers/free-port.ts";
import { introduceModality, type OrthancServer, startOrthanc } from "../peers/orthanc.ts";
import { type RabbitMqServer, startRabbitMq } from "../peers/rabbitmq.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { runCli } from "../support/cli.ts";
import { openPixlHome } from "../support/pixl-service.ts";

const LOGIN = { username: "orthanc", password: "practice makes perfect" } as const;
const AUTHENTICATED = { AuthenticationEnabled: true, RegisteredUsers: { [LOGIN.username]: LOGIN.password } } as const;

interface Check {
  readonly check: string;
  readonly ok: boolean;
  readonly code?: string;
}

const hasPeers = [requirePeer("Orthanc"), requirePeer("rabbitmq-server"), requirePeer("initdb")].every(Boolean);

describe.skipIf(!hasPeers)("pixl doctor", () => {
  let rabbit: RabbitMqServer;
  let home: Awaited<ReturnType<typeof openPixlHome>>;
  let orthancs: { readonly vna: OrthancServer; readonly raw: OrthancServer; readonly anon: OrthancServer };
  let environment: Readonly<Record<string, string>>;
  const opened = new AsyncDisposableStack();
  beforeAll(async () => {
    const orthanc = async (aeTitle: string) =>
      opened.use(await startOrthanc({ aeTitle, configuration: AUTHENTICATED }));
    const [vna, raw, anon] = await Promise.all(["PRIMARYQR", "PIXLRAW", "PIXLANON"].map(orthanc));
    if (vna === undefined || raw === undefined || anon === undefined) throw new Error("no Orthanc");
    orthancs = { vna, raw, anon };
    rabbit = opened.use(await startRabbitMq());
    home = opened.use(await openPixlHome());
    await introduceModality(raw, "UCPRIMARYQR", vna, LOGIN);
    await introduceModality(raw, "PIXL-Anon", anon, LOGIN);
    const url = ({ httpPort }: OrthancServer): string => `http://127.0.0.1:${httpPort}`;
    environment = {
      ...home.environment,
      RABBITMQ_PORT: `${rabbit.port}`,
      PRIMARY_DICOM_SOURCE_MODALITY: "UCPRIMARYQR",
      PRIMARY_DICOM_SOURCE_AE_TITLE: "PRIMARYQR",
      SECONDARY_DICOM_SOURCE_MODALITY: "UCSECONDARYQR",
      ORTHANC_RAW_URL: url(raw),
      ORTHANC_RAW_USERNAME: LOGIN.username,
      ORTHANC_RAW_PASSWORD: LOGIN.password,
      ORTHANC_RAW_AE_TITLE: "PIXLRAW",
      ORTHANC_ANON_URL: url(anon),
      ORTHANC_ANON_USERNAME: LOGIN.username,
      ORTHANC_ANON_PASSWORD: LOGIN.password,
      ORTHANC_ANON_AE_TITLE: "PIXLANON",
      PIXL_MAX_MESSAGES_IN_FLIGHT: "5",
      RADFERRY_PIXL_HANDOVER: "c-store",
    };
    await upgrade(home.database);
  });
  afterAll(() => opened.disposeAsync());

  const doctor = async (given: Readonly<Record<string, string>> = {}) => {
    const world = { environment: { ...environment, ...given }, workingFolder: home.folder, clock: systemClock };
    const { exitCode, stdout } = await runCli(["pixl", "doctor", "--json"], world);
    const { ok, checks }: { readonly ok: boolean; readonly checks: readonly Check[] } = JSON.parse(stdout);
    return { exitCode, ok, checks, failed: checks.filter((each) => !each.ok).map(({ check, code }) => [check, code]) };
  };

  it("finds everything in order on a site that is", async () => {
    const { exitCode, ok, checks } = await doctor();
    expect(checks).toMatchObject([
      { check: "clock is sane" },
      { check: "queue imaging-primary is declared as PIXL does", message: "0 messages ready" },
      { check: "queue imaging-secondary is declared as PIXL does" },
      { check: "queue imaging-parked is declared as PIXL does" },
      { check: "database is at its head", message: HEAD },
      { check: "orthanc-raw answers", message: expect.stringContaining("Orthanc 1.") },
      { check: "orthanc-anon answers" },
      { check: "orthanc-raw knows the primary archive as UCPRIMARYQR" },
      { check: "UCPRIMARYQR answers orthanc-raw's C-ECHO" },
      { check: "orthanc-raw knows orthanc-anon as PIXL-Anon" },
      { check: "PIXL-Anon answers orthanc-raw's C-ECHO" },
      { check: "hours of the secondary archive" },
    ]);
    expect([exitCode, ok]).toEqual([0, true]);
  });

  it("names everything that is not, and goes on", async () => {
    await introduceModality(orthancs.raw, "NOBODY", { aeTitle: "NOBODY", port: await freePort() }, LOGIN);
    const administrator = new Connection({ port: rabbit.port });
    await administrator.queueDelete({ queue: "imaging-secondary" });
    await administrator.queueDeclare({ queue: "imaging-secondary", durable: true });
    await administrator.close();
    await home.database.query("UPDATE pixl_pipeline.alembic_version SET version_num = '83dcb3812628'");
    const { exitCode, ok, failed } = await doctor({
      SKIP_ALEMBIC: "true",
      ORTHANC_RAW_AE_TITLE: "ELSE",
      ORTHANC_ANON_PASSWORD: "wrong",
      PRIMARY_DICOM_SOURCE_MODALITY: "NOBODY",
      SECONDARY_DICOM_SOURCE_AE_TITLE: "SECONDARYQR",
    });
    expect(failed).toEqual([
      ["queue imaging-secondary is declared as PIXL does", "PIXL_BROKER_REFUSED"],
      ["database is at its head", "PIXL_DATABASE_BEHIND"],
      ["orthanc-raw answers", "PIXL_AE_TITLE_DIFFERS"],
      ["orthanc-anon answers", "HTTP_UNAUTHORISED"],
      ["NOBODY answers orthanc-raw's C-ECHO", "ORTHANC_MODALITY_FAILED"],
      ["orthanc-raw knows the secondary archive as UCSECONDARYQR", "ORTHANC_MODALITY_UNKNOWN"],
    ]);
    expect([exitCode, ok]).toEqual([1, false]);
  });
});
