import { noAuthentication } from "../../network/http-client/authentication.ts";
import { openHttpClient } from "../../network/http-client/http-client.ts";
import { type Clock, systemClock } from "../../units/clock.ts";
import { type Logger, silentLogger } from "../../units/logger.ts";
import { type Random, systemRandom } from "../../units/random.ts";
import { createSemaphore, type Semaphore } from "../../units/semaphore.ts";
import { createDataAccess } from "./data-access.ts";
import { createEnvelopes, type Envelopes, SHARED_KEY_ID } from "./envelope.ts";
import { createSubjectNames } from "./imports.ts";
import { createPacsChoice } from "./pacs.ts";
import type { RetrievalServices } from "./retrieval.ts";
import type { FlipSettings } from "./settings.ts";
import { openXnatSessions, type XnatSessions } from "./xnat.ts";

/** All that FLIP's functions work with, however they are called. */
export interface FlipServices extends RetrievalServices, AsyncDisposable {
  readonly sessions: XnatSessions;
  readonly envelopes: Envelopes;
  readonly random: Random;
  /** One retrieval of a project at a time: what the first one queues, the next one sees. */
  alone<T>(projectId: string, signal: AbortSignal, work: () => Promise<T>): Promise<T>;
}

export interface FlipWorld {
  readonly clock?: Clock | undefined;
  readonly logger?: Logger | undefined;
  readonly random?: Random | undefined;
}

/** Imports and listings at once. */
const OTHER_CONNECTIONS = 24;

/** @throws GatewayError SETTING_INVALID */
export function openFlipServices(settings: FlipSettings, world: FlipWorld = {}): FlipServices {
  const { clock = systemClock, logger = silentLogger, random = systemRandom } = world;
  const { keyring, serviceKey, xnat, dataAccessUrl } = settings;
  const envelopes = createEnvelopes(keyring, random);
  // Queries that a slow PACS holds up leave connections for everybody else.
  const sessions = openXnatSessions({ ...xnat, connections: settings.pacsQueries.atOnce + OTHER_CONNECTIONS });
  const http = openHttpClient({
    baseUrl: dataAccessUrl,
    authentication: noAuthentication,
    timeouts: { connectMs: 5_000, headersMs: 120_000 },
  });
  const turns = new Map<string, Semaphore>();
  return {
    settings,
    sessions,
    envelopes,
    random,
    clock,
    logger,
    dataAccess: createDataAccess({ http, serviceKey, envelopes, logger }),
    pacs: createPacsChoice(xnat.pacsId, logger),
    pacsTurns: createSemaphore(settings.pacsQueries.atOnce),
    subjectNames: createSubjectNames(keyring.keys.get(SHARED_KEY_ID) ?? new Uint8Array()),
    async alone(projectId, signal, work) {
      const turn = turns.get(projectId) ?? createSemaphore(1);
      turns.set(projectId, turn);
      try {
        using _ = await turn.acquire(signal);
        return await work();
      } finally {
        if (turn.inUse === 0 && turn.waiting === 0) turns.delete(projectId);
      }
    },
    async [Symbol.asyncDispose]() {
      await sessions[Symbol.asyncDispose]();
      await http[Symbol.asyncDispose]();
    },
  };
}
