import type { TakeParts } from "../archive/intake/take-parts.ts";
import type { ErrorCode } from "../errors/registry.ts";
import type { OperationsContext } from "../operations/context.ts";
import type { Operations } from "../operations/operations.ts";
import type { Actor } from "../units/actor.ts";
import type { Logger } from "../units/logger.ts";
import type { Metrics } from "../units/metrics.ts";
import { MINIMUM_RATE, type MinimumRate } from "../units/minimum-rate.ts";
import type { EventHub } from "./events.ts";
import type { FlipApi } from "./flip-api.ts";
import type { OidcLogIn } from "./oidc/log-in.ts";

/** What the API works with. */
export interface ApiServices extends Pick<OperationsContext, "store" | "audit" | "clock" | "random" | "disk"> {
  readonly operationsFor: (actor: Actor) => Operations;
  /** Undefined where FLIP's settings are not there. */
  readonly flip: FlipApi | undefined;
  /** Undefined: people log in with a token. */
  readonly oidc: OidcLogIn | undefined;
  /** Takes studies that are sent to us; undefined where the settings take nothing in. */
  readonly takeParts: TakeParts | undefined;
  readonly events: EventHub;
  readonly logger: Logger;
  /** Where uploads grow before they are read. */
  readonly uploadFolder: string;
  readonly version: string;
  /** In the words of a scraper. */
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
  readonly meter: Metrics;
  readonly health: () => Promise<HealthFacts>;
  readonly limits: ApiLimits;
}

/** How the gateway is; none of it names anybody or anything. */
export interface HealthFacts {
  readonly isReady: boolean;
  readonly checks: {
    /** Whether it answers, and can be written. */
    readonly store: HealthCheck;
    /** Whether staging has room. */
    readonly disk: HealthCheck;
    readonly archives: { readonly ok: boolean; readonly open: number; readonly configured: number };
  };
}

/** `code` where it is not as it should be, and one is known. */
export interface HealthCheck {
  readonly ok: boolean;
  readonly code?: ErrorCode;
}

export interface ApiLimits {
  readonly bodyBytes: number;
  readonly uploadBytes: number;
  /** Of one token. */
  readonly requestsPerSecond: number;
  readonly burst: number;
  /** Wrong tokens of one address in a minute, before it is told to wait. */
  readonly failuresPerMinute: number;
  /** A request is to be whole by then. */
  readonly requestMs: number;
  /** Of one instance, and of all in one request, that are stored by STOW-RS. */
  readonly storeInstanceBytes: number;
  readonly storeBytes: number;
  readonly storeParts: number;
  /** So many requests to store at once. */
  readonly stores: number;
  /** A request to store is to be whole by then. */
  readonly storeMs: number;
  /** Of the body of any request. */
  readonly slowest: MinimumRate;
  /** Nothing moves for so long: the connection is cut. */
  readonly idleMs: number;
  readonly connections: number;
  readonly streams: number;
}

export const USUAL_LIMITS: ApiLimits = {
  bodyBytes: 1 << 20,
  uploadBytes: 64 << 20,
  requestsPerSecond: 50,
  burst: 400,
  failuresPerMinute: 20,
  requestMs: 120_000,
  storeInstanceBytes: 16 * 2 ** 30,
  storeBytes: 256 * 2 ** 30,
  storeParts: 100_000,
  stores: 100,
  storeMs: 4 * 3_600_000,
  slowest: MINIMUM_RATE,
  idleMs: 60_000,
  connections: 1_000,
  streams: 200,
};
