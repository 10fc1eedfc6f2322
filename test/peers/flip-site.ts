import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createEnvelopes } from "../../src/compat/flip/envelope.ts";
import { readFlipSettings } from "../../src/compat/flip/settings.ts";
import { type FlipFace, openFlipFace } from "../../src/gateway/open-flip.ts";
import { createLogger } from "../../src/observe/logger.ts";
import { type PracticeDataAccess, startDataAccess } from "./data-access-api.ts";
import type { PacsContent } from "./xnat/dqr-query.ts";
import { type PracticeXnat, startXnat } from "./xnat/start-xnat.ts";
import { newProject } from "./xnat/state.ts";

const SERVICE_KEY = "the trust's own key";
export const KEY_HEADERS = { "X-Trust-Internal-Service-Key": SERVICE_KEY };
const AES_KEY = Uint8Array.from({ length: 32 }, (_, index) => index);
/** As XNAT and as the hub call the project that is there from the start. */
export const PROJECT = "trial";
export const HUB_PROJECT = "0b1d6ee6-6b1f-4a4e-9c5a-7f1f7f3c9a01";
export const QUERY = "SELECT accession_id FROM omop.image_occurrence WHERE person_id = 4711";
export const ENCODED_QUERY = Buffer.from(QUERY).toString("base64url");

export const envelopes = createEnvelopes({ currentKeyId: "shared", keys: new Map([["shared", AES_KEY]]) });

export interface FlipAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Undefined when it is no JSON. */
  readonly json: unknown;
}

/** A trust: an XNAT, a data-access API and the face between, with a home and a folder for images of their own. */
export interface FlipSite extends AsyncDisposable {
  readonly xnat: PracticeXnat;
  readonly dataAccess: PracticeDataAccess;
  readonly environment: Readonly<Record<string, string>>;
  readonly images: string;
  readonly home: string;
  readonly url: string;
  /** Everything that was logged. */
  log(): string;
  call(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<FlipAnswer>;
  stopFace(): Promise<void>;
  /** Over the same home, as after a restart. */
  startFace(): Promise<void>;
}

export interface FlipSiteOptions {
  readonly studies?: PacsContent;
  /** The cohort. @default the studies' accession numbers */
  readonly accessions?: readonly unknown[];
  readonly workEveryMs?: number;
  readonly environment?: Readonly<Record<string, string>>;
}

export async function startFlipSite(options: FlipSiteOptions = {}): Promise<FlipSite> {
  const { studies = [], workEveryMs = 0 } = options;
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "radferry-flip-"));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const [home, images] = [join(folder, "home"), join(folder, "images")];
  const xnat = opened.use(await startXnat({ studies, workEveryMs }));
  xnat.state.projects.set(PROJECT, newProject(PROJECT, { secondaryId: HUB_PROJECT, name: "Trial" }));
  const accessions = options.accessions ?? studies.map(({ accessionNumber }) => accessionNumber);
  const dataAccess = opened.use(await startDataAccess(accessions));
  const environment = {
    XNAT_URL: xnat.url,
    XNAT_PORT: "8104",
    XNAT_SERVICE_USER: xnat.username,
    XNAT_SERVICE_PASSWORD: xnat.password,
    DATA_ACCESS_API_URL: dataAccess.url,
    BASE_IMAGES_DOWNLOAD_DIR: images,
    AES_KEY_BASE64: Buffer.from(AES_KEY).toString("base64"),
    TRUST_INTERNAL_SERVICE_KEY: SERVICE_KEY,
    ...options.environment,
  };
  const lines: string[] = [];
  const logger = createLogger({ level: "debug", destination: { write: (line) => lines.push(line) } });
  const settings = readFlipSettings(environment);
  const retry = { attempts: 200, firstDelayMs: 20, maximumDelayMs: 40 };
  const open = () =>
    openFlipFace({ settings, home, host: "127.0.0.1", port: 0, version: "1.2.3", logger, retry, settleMs: 500 });
  let face: FlipFace | undefined = await open();
  opened.defer(async () => face?.[Symbol.asyncDispose]());
  const closing = opened.move();
  const urlNow = (): string => `http://127.0.0.1:${face?.port ?? 0}`;
  return {
    xnat,
    dataAccess,
    environment,
    images,
    home,
    get url() {
      return urlNow();
    },
    log: () => lines.join(""),
    async call(method, path, body, headers = KEY_HEADERS) {
      const init = body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) };
      const response = await fetch(`${urlNow()}${path}`, { method, headers, redirect: "manual", ...init });
      const text = await response.text();
      return { status: response.status, headers: response.headers, text, json: jsonOf(text) };
    },
    async stopFace() {
      await face?.[Symbol.asyncDispose]();
      face = undefined;
    },
    async startFace() {
      face = await open();
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

function jsonOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}
