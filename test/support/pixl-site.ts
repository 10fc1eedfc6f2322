import { openProcessing, type Processing, type ProcessingWorld } from "../../src/compat/pixl/processing/processing.ts";
import { readPixlSettings } from "../../src/compat/pixl/settings.ts";
import { concurrently } from "../../src/units/concurrently.ts";
import type { LogFields, Logger } from "../../src/units/logger.ts";
import { emptyOrthanc, introduceModality, type OrthancServer, startOrthanc } from "../peers/orthanc.ts";
import { ANON_LOGIN, type PixlAnon, startPixlAnon } from "../peers/pixl-anon.ts";
import type { SyntheticStudy } from "../peers/synthetic-studies.ts";

/** PIXL's archives and its Orthancs on this machine. */
export interface PixlSite extends AsyncDisposable {
  readonly vna: OrthancServer;
  readonly pacs: OrthancServer;
  readonly raw: OrthancServer;
  readonly anon: PixlAnon;
  /** What the imaging API is set up with. */
  environment(): Readonly<Record<string, string>>;
  /** Empties all of them. */
  clear(): Promise<void>;
}

const RAW_LOGIN = { username: "orthanc_raw_username", password: "orthanc_raw_password" } as const;
const RAW_HEADERS = {
  authorization: `Basic ${Buffer.from(`${RAW_LOGIN.username}:${RAW_LOGIN.password}`).toString("base64")}`,
};

export async function openPixlSite(): Promise<PixlSite> {
  await using opened = new AsyncDisposableStack();
  // It is told of the archives when they run, and knows them after a restart too.
  const raw = opened.use(
    await startOrthanc({ aeTitle: "PIXLRAW", configuration: { DicomModalitiesInDatabase: true } }),
  );
  const moveDestinations = [{ aeTitle: raw.aeTitle, port: raw.port }];
  const [vna, pacs] = await Promise.all([
    startOrthanc({ aeTitle: "PRIMARYQR", moveDestinations }),
    startOrthanc({ aeTitle: "SECONDARYQR", moveDestinations }),
  ]);
  opened.use(vna);
  opened.use(pacs);
  const anon = opened.use(await startPixlAnon());
  await introduceModality(raw, "UCPRIMARYQR", vna);
  await introduceModality(raw, "UCSECONDARYQR", pacs);
  const closing = opened.move();
  return {
    vna,
    pacs,
    raw,
    anon,
    environment: () => ({
      PRIMARY_DICOM_SOURCE_MODALITY: "UCPRIMARYQR",
      PRIMARY_DICOM_SOURCE_AE_TITLE: vna.aeTitle,
      SECONDARY_DICOM_SOURCE_MODALITY: "UCSECONDARYQR",
      SECONDARY_DICOM_SOURCE_AE_TITLE: pacs.aeTitle,
      ORTHANC_RAW_URL: urlOf(raw),
      ORTHANC_RAW_USERNAME: RAW_LOGIN.username,
      ORTHANC_RAW_PASSWORD: RAW_LOGIN.password,
      ORTHANC_RAW_AE_TITLE: raw.aeTitle,
      ORTHANC_ANON_URL: anon.url,
      ORTHANC_ANON_USERNAME: ANON_LOGIN.username,
      ORTHANC_ANON_PASSWORD: ANON_LOGIN.password,
      ORTHANC_ANON_AE_TITLE: "PIXLANON",
      ORTHANC_AUTOROUTE_RAW_TO_ANON: "true",
      PIXL_MAX_MESSAGES_IN_FLIGHT: "5",
      TZ: "Europe/London",
    }),
    async clear() {
      for (const orthanc of [vna, pacs, raw]) await emptyOrthanc(orthanc);
      anon.imports.length = 0;
      anon.status = undefined;
      anon.hold = undefined;
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** Processing with the site's own environment, but for what is given. */
export function openSiteProcessing(
  site: PixlSite,
  given: Readonly<Record<string, string>> = {},
  world: ProcessingWorld = {},
): Processing {
  return openProcessing(readPixlSettings({ ...site.environment(), ...given }), world);
}

function urlOf({ httpPort }: OrthancServer): string {
  return `http://127.0.0.1:${httpPort}`;
}

async function askOrthanc(orthanc: OrthancServer, path: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(`${urlOf(orthanc)}/${path}`, { ...init, headers: RAW_HEADERS });
  if (!response.ok) throw new Error(`Orthanc answered ${response.status}`);
  return response;
}

const AT_ONCE = 8;

/** Stores instances in an Orthanc. */
export async function store(orthanc: OrthancServer, instances: SyntheticStudy["instances"]): Promise<void> {
  await concurrently(instances, AT_ONCE, async ({ file }) => {
    await (await askOrthanc(orthanc, "instances", { method: "POST", body: new Uint8Array(file) })).arrayBuffer();
  });
}

interface OrthancResource {
  readonly ID: string;
  readonly LastUpdate?: string;
  readonly MainDicomTags: Readonly<Record<string, string>>;
  readonly PatientMainDicomTags?: Readonly<Record<string, string>>;
}

export async function find(
  orthanc: OrthancServer,
  level: "Study" | "Series" | "Instance",
  query: Readonly<Record<string, string>> = {},
): Promise<readonly OrthancResource[]> {
  const body = JSON.stringify({ Level: level, Expand: true, Query: query });
  return JSON.parse(await (await askOrthanc(orthanc, "tools/find", { method: "POST", body })).text());
}

/** SOP Instance UIDs that an Orthanc holds of a study, sorted. */
export async function instancesIn(orthanc: OrthancServer, studyInstanceUid: string): Promise<readonly string[]> {
  const found = await find(orthanc, "Instance", { StudyInstanceUID: studyInstanceUid });
  return found.map(({ MainDicomTags }) => MainDicomTags.SOPInstanceUID ?? "").sort();
}

/** The paths that orthanc-raw is asked from now on. */
export function pathsAsked({ raw }: Processing): readonly string[] {
  const paths: string[] = [];
  const request = raw.request;
  raw.request = (asked) => {
    paths.push(asked.path ?? "");
    return request(asked);
  };
  return paths;
}

export interface LogLine {
  readonly level: keyof Logger;
  readonly event: string;
  readonly fields: LogFields;
}

/** A logger that keeps its lines. */
export function createLinesLogger(): { readonly logger: Logger; readonly lines: readonly LogLine[] } {
  const lines: LogLine[] = [];
  const at =
    (level: keyof Logger) =>
    (event: string, fields: LogFields = {}): void =>
      void lines.push({ level, event, fields });
  return { logger: { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") }, lines };
}
