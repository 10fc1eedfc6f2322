import type { Archive } from "../../../archive/archive.ts";
import { type ConditionStore, governArchive } from "../../../archive/availability/govern-archive.ts";
import { createPace } from "../../../archive/availability/pace.ts";
import { createKeptInOrthanc } from "../../../archive/orthanc/kept-in-orthanc.ts";
import { basicAuthentication } from "../../../network/http-client/authentication.ts";
import { openHttpClient } from "../../../network/http-client/http-client.ts";
import type { HttpClient } from "../../../network/http-client/types.ts";
import { createStudyLocks, type StudyLocks } from "../../../pipeline/study-locks.ts";
import type { BreakerPolicy } from "../../../store/archive-condition.ts";
import { type Clock, systemClock } from "../../../units/clock.ts";
import { type Logger, silentLogger } from "../../../units/logger.ts";
import { type Random, systemRandom } from "../../../units/random.ts";
import type { OrthancSettings, PixlSettings } from "../settings.ts";
import type { ArchiveName } from "./errors.ts";
import { alwaysOpen, createHours, type Hours } from "./hours.ts";
import type { Source } from "./locate.ts";
import { createReferences, type Reference } from "./references.ts";

/** What messages are processed with. */
export interface Processing extends AsyncDisposable {
  readonly settings: PixlSettings;
  readonly sources: Readonly<Record<ArchiveName, Source & { readonly hours: Hours }>>;
  readonly raw: HttpClient;
  readonly anon: HttpClient;
  /** Of messages that want one study, one retrieves it and the others find it there. */
  readonly studyLocks: StudyLocks;
  readonly reference: Reference;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface ProcessingWorld {
  /** Present: archives that fail in a row are left alone for a while, over restarts too. */
  readonly store?: ConditionStore;
  /** How long for. @default 2 s after five failures, then up to 15 s */
  readonly breaker?: BreakerPolicy;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
}

/** Short rests, as an Orthanc or a PACS that was restarted is back within seconds; and short probes: while one is under way all others rest. */
const BREAKER: BreakerPolicy = { failures: 5, firstRestMs: 2_000, longestRestMs: 15_000, probeMs: 10_000 };
const CONNECT_MS = 10_000;
/** Besides what moves: queries and looks at jobs. */
const CONNECTIONS_FOR_EACH = 2;

/** Connects when it is first used. @throws GatewayError SETTING_INVALID */
export function openProcessing(settings: PixlSettings, world: ProcessingWorld = {}): Processing {
  const { clock = systemClock, random = systemRandom, logger = silentLogger } = world;
  const { timeZone, secondaryWindows: windows, maximumInFlight, queryTimeoutMs } = settings;
  const client = (orthanc: OrthancSettings): HttpClient =>
    openHttpClient(
      {
        baseUrl: orthanc.url,
        authentication: basicAuthentication(orthanc.username, () => Promise.resolve(orthanc.password)),
        timeouts: { connectMs: Math.min(CONNECT_MS, queryTimeoutMs), headersMs: queryTimeoutMs },
        connections: 2 * maximumInFlight * CONNECTIONS_FOR_EACH,
      },
      clock,
    );
  const [raw, anon] = [client(settings.raw), client(settings.anon)];
  const sourceOf = (name: ArchiveName): Source => {
    const { modality } = settings[name];
    const archive = createKeptInOrthanc({
      // Beside those of a site's own settings in one store.
      name: `pixl-${name}`,
      client: raw,
      modality,
      targetAet: settings.raw.aeTitle,
      associations: maximumInFlight,
      timeouts: { searchMs: queryTimeoutMs, listMs: settings.transferTimeoutMs },
      clock,
    });
    return { modality, archive: governed(archive, world, clock) };
  };
  return {
    settings,
    sources: {
      primary: { ...sourceOf("primary"), hours: alwaysOpen },
      secondary: { ...sourceOf("secondary"), hours: createHours({ windows, timeZone }) },
    },
    raw,
    anon,
    studyLocks: createStudyLocks(),
    reference: createReferences(random),
    clock,
    logger,
    async [Symbol.asyncDispose]() {
      await Promise.all([raw[Symbol.asyncDispose](), anon[Symbol.asyncDispose]()]);
    },
  };
}

function governed(archive: Archive, { store, breaker = BREAKER }: ProcessingWorld, clock: Clock): Archive {
  if (store === undefined) return archive;
  return governArchive(archive, { policy: UNLIMITED, store, clock, pace: createPace(clock), breaker });
}

/** Hours are looked at before a message is begun; rates are those of the token buckets. */
const UNLIMITED = {
  windows: undefined,
  timeZone: undefined,
  studiesPerMinute: undefined,
  bytesPerSecond: undefined,
} as const;
