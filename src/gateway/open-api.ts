import { rm } from "node:fs/promises";
import { join } from "node:path";
import { readFlipSettings } from "../compat/flip/settings.ts";
import { loadTlsServer } from "../config/peer-credentials.ts";
import type { Settings } from "../config/settings.ts";
import { createEventHub } from "../http/events.ts";
import type { FlipApi } from "../http/flip-api.ts";
import { type ApiServer, type ApiServerOptions, startApiServer } from "../http/server.ts";
import { type ApiLimits, type ApiServices, USUAL_LIMITS } from "../http/services.ts";
import type { KeptMetrics } from "../observe/metrics.ts";
import { hashOfSecret, newSecret } from "../operations/tokens.ts";
import type { Actor } from "../units/actor.ts";
import type { AuditTrail } from "../units/audit.ts";
import type { Disk } from "../units/disk.ts";
import type { FaceParts, OpenFaces } from "./faces.ts";
import { createHealth, createStateGauges } from "./observe-state.ts";
import { openFlipFunctions } from "./open-flip.ts";
import { oidcLogIn } from "./open-oidc.ts";

const FIRST_TOKEN_DAYS = 30;
const DAY_MS = 86_400_000;
/** The gateway itself, where it looks at how it is. */
export const ITSELF: Actor = { name: "gateway", kind: "service", role: "viewer" };

export interface ApiParts extends Omit<FaceParts, "host" | "port"> {
  readonly audit: AuditTrail;
  readonly disk: Disk;
  readonly metrics: KeptMetrics;
  readonly faces: OpenFaces;
  readonly takeParts: ApiServices["takeParts"];
  readonly apiLimits: Partial<ApiLimits>;
}

export interface OpenApi {
  readonly server: ApiServer;
  /** Of an admin, when nobody had one yet: to be shown this once. */
  makeFirstToken(): Promise<string | undefined>;
}

/** @throws GatewayError API_PORT_IN_USE, STORE_… */
export async function openApi(parts: ApiParts, opened: AsyncDisposableStack): Promise<OpenApi> {
  const { settings, store, operationsFor, metrics, clock, logger, version, disk } = parts;
  const limits = { ...USUAL_LIMITS, ...parts.apiLimits };
  const operations = operationsFor(ITSELF);
  const staging = { path: settings.staging.path, reserveBytes: settings.staging.reserveGigabytes * 1e9 };
  const events = opened.use(createEventHub({ operationsFor, clock, logger, limit: limits.streams }));
  const facts = { operations, store, clock, disk, staging, version, followers: () => events.followers };
  const gauges = createStateGauges(metrics, facts);
  const uploadFolder = join(settings.home, "uploads");
  // Cohorts that were on their way when the process died say whom they are about.
  await rm(uploadFolder, { recursive: true, force: true });
  const services = {
    ...parts,
    flip: await flipOf(parts, opened),
    oidc: oidcLogIn(settings, clock),
    events,
    uploadFolder,
    metrics: async () => {
      await gauges();
      return await metrics.text();
    },
    meter: metrics,
    health: createHealth(facts),
    limits,
  };
  const { host, port } = settings.http;
  const server = opened.use(await startApiServer({ host, port, tls: await tlsOf(settings), services }));
  return { server, makeFirstToken: () => firstTokenOf(parts) };
}

/** @throws GatewayError CERTIFICATE_…, SECRET_FILE_… */
async function tlsOf({ http }: Settings): Promise<ApiServerOptions["tls"]> {
  if (http.tls === undefined) return undefined;
  const { certificate: cert, key } = await loadTlsServer({ ...http.tls, clientAuthoritiesFile: undefined });
  return { cert, key };
}

/** The face's own where it is switched on; else by FLIP's names, where the service was given them. */
async function flipOf(parts: ApiParts, opened: AsyncDisposableStack): Promise<FlipApi | undefined> {
  const { faces, environment, store, clock, random, logger } = parts;
  if (faces.flip !== undefined) return faces.flip.functions;
  if (!environment.XNAT_SERVICE_USER || !environment.AES_KEY_BASE64) return undefined;
  return opened.use(await openFlipFunctions({ settings: readFlipSettings(environment), store, clock, random, logger }));
}

/** Somebody has to be the first. */
async function firstTokenOf(parts: ApiParts): Promise<string | undefined> {
  const { store, clock } = parts;
  if ((await store.listTokens()).length > 0) return undefined;
  const secret = newSecret(parts);
  const expiresAtMs = clock.nowMs() + FIRST_TOKEN_DAYS * DAY_MS;
  const token = { kind: "token", name: "first-admin", role: "admin", projects: undefined, expiresAtMs } as const;
  const detail = { token: token.name, role: token.role, days: FIRST_TOKEN_DAYS };
  const audit = { event: "token-created", actor: ITSELF, outcome: "success", detail } as const;
  const id = await store.addToken({ ...token, hash: hashOfSecret(secret) }, audit, clock.nowMs());
  return id === undefined ? undefined : secret;
}
