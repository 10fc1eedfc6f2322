import { parseAeTitle, parseDicomAddress } from "../../dicom/ae-title.ts";
import { startDimseServer } from "../../network/dimse/server.ts";
import type { StoreHandler } from "../../network/dimse/service-types.ts";
import { openHttpClient } from "../../network/http-client/http-client.ts";
import type { HttpClientOptions } from "../../network/http-client/types.ts";
import type { TlsClientOptions } from "../../network/upper-layer/tls.ts";
import { type Clock, systemClock } from "../../units/clock.ts";
import { type Logger, silentLogger } from "../../units/logger.ts";
import { type Random, systemRandom } from "../../units/random.ts";
import type { Archive } from "../archive.ts";
import { createPace } from "../availability/pace.ts";
import { createDicomWebArchive } from "../dicomweb/dicomweb-archive.ts";
import { createDimseArchive } from "../dimse/dimse-archive.ts";
import { receiveIntoStaging } from "../dimse/receive-instance.ts";
import { createExpectations } from "../expectations.ts";
import type { InstanceTaker } from "../http/staging-store.ts";
import { createOrthancArchive } from "../orthanc/orthanc-archive.ts";
import { createRad69Archive } from "../rad69/rad69-archive.ts";
import { createRefusals } from "../refusals.ts";
import { type FolderStorageOptions, openFolderStorage } from "./folder-storage.ts";
import { createScriptArchive, type ScriptArchive } from "./script-archive.ts";

interface DimseEndpoint {
  readonly kind: "dimse";
  /** AET@host:port */
  readonly address: string;
  /** @default RADFERRY */
  readonly callingAeTitle?: string;
  /** `move` needs `listen`, and the archive must know it. @default get */
  readonly retrieve?: "get" | "move";
  readonly listen?: { readonly host: string; readonly port: number };
  readonly tls?: TlsClientOptions;
}

interface DicomWebEndpoint extends Pick<HttpClientOptions, "authentication" | "tls" | "timeouts"> {
  readonly kind: "dicomweb";
  readonly url: string;
}

interface OrthancEndpoint extends Pick<HttpClientOptions, "authentication" | "tls" | "timeouts"> {
  readonly kind: "orthanc";
  readonly url: string;
  /** The Orthanc's name for an archive behind it, which it fetches from. Absent: what it holds itself. */
  readonly modality?: string;
}

type HttpEndpoint = DicomWebEndpoint | OrthancEndpoint;

interface Rad69Endpoint extends Pick<HttpClientOptions, "authentication" | "tls" | "timeouts"> {
  readonly kind: "rad69";
  readonly url: string;
  readonly repositoryUniqueId?: string;
  /** RAD-69 cannot search: what is searched in its place. */
  readonly search: DimseEndpoint | HttpEndpoint;
}

export type ArchiveEndpoint = DimseEndpoint | HttpEndpoint | Rad69Endpoint;

export interface OpenArchiveOptions {
  readonly endpoint: ArchiveEndpoint;
  /** Where retrieved files go. */
  readonly storage: FolderStorageOptions;
  /** Requests or associations at once. @default 4 */
  readonly parallel?: number;
  /** The same question is asked once in so many milliseconds. Absent: always. */
  readonly cacheExpiryMs?: number;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
}

/** No answer and no instance for this long ends a retrieval; so long nothing, and nothing more will come. */
const [SILENCE_MS, QUIET_MS] = [120_000, 3_000];
const USUAL_PARALLEL = 4;
const USUAL_AE_TITLE = "RADFERRY";

interface Parts {
  readonly taker: InstanceTaker;
  readonly store: StoreHandler;
  readonly parallel: number;
  readonly logger: Logger;
  readonly opened: AsyncDisposableStack;
}

/**
 * An archive for scripts: search it, and retrieve into a folder.
 * @throws GatewayError FOLDER_NOT_WRITABLE, SETTING_INVALID for a URL, CONNECTION_FAILED when `listen` cannot be listened at; RangeError for an address
 */
export async function openArchive(options: OpenArchiveOptions): Promise<ScriptArchive> {
  const { clock = systemClock, random = systemRandom, logger = silentLogger, parallel = USUAL_PARALLEL } = options;
  await using opened = new AsyncDisposableStack();
  const storage = await openFolderStorage(options.storage);
  const expectations = createExpectations(clock);
  const refusals = createRefusals();
  const taker = { staging: storage, expectations, refusals, pace: createPace(clock), clock, random };
  const store = receiveIntoStaging({ staging: storage, expectations, refusals, logger });
  const archive = await openEndpoint(options.endpoint, { taker, store, parallel, logger, opened });
  const script = createScriptArchive({ archive, storage, cacheExpiryMs: options.cacheExpiryMs, clock });
  const closing = opened.move();
  return { ...script, [Symbol.asyncDispose]: () => closing.disposeAsync() };
}

async function openEndpoint(endpoint: ArchiveEndpoint, parts: Parts): Promise<Archive> {
  const archive = endpoint.kind === "dimse" ? await openDimse(endpoint, parts) : await openByHttp(endpoint, parts);
  return parts.opened.use(archive);
}

async function openByHttp(endpoint: HttpEndpoint | Rad69Endpoint, parts: Parts): Promise<Archive> {
  const { url, authentication, tls, timeouts } = endpoint;
  const { taker, parallel: associations } = parts;
  const client = openHttpClient({ baseUrl: url, connections: associations, authentication, tls, timeouts });
  const common = { name: endpoint.kind, associations, taker };
  switch (endpoint.kind) {
    case "dicomweb":
      return createDicomWebArchive({ ...common, client });
    case "orthanc":
      return createOrthancArchive({ ...common, client, modality: endpoint.modality });
    case "rad69": {
      const { repositoryUniqueId, search } = endpoint;
      const searched = await openEndpoint(search, parts);
      return createRad69Archive({ ...common, client: { http: client, url, repositoryUniqueId }, searched });
    }
  }
}

async function openDimse(endpoint: DimseEndpoint, { taker, store, parallel, logger, opened }: Parts): Promise<Archive> {
  const { address, callingAeTitle = USUAL_AE_TITLE, retrieve = "get", listen, tls } = endpoint;
  const aeTitle = parseAeTitle(callingAeTitle);
  if (listen !== undefined) opened.use(await startDimseServer({ ...listen, aeTitle, handlers: { store }, logger }));
  return createDimseArchive({
    name: "dimse",
    address: parseDicomAddress(address),
    retrieve,
    associations: parallel,
    callingAeTitle: aeTitle,
    ...(tls === undefined ? {} : { connection: async () => ({ tls }) }),
    expectations: taker.expectations,
    store,
    quietMs: QUIET_MS,
    silenceMs: SILENCE_MS,
    clock: taker.clock,
    logger,
  });
}
