import type { FastifyRequest } from "fastify";
import { type FaceServer, startFaceServer } from "../../fastapi/server.ts";
import { isSecretInHeader } from "../../header-secret.ts";
import { HttpError } from "../errors.ts";
import type { RouteContext } from "./route.ts";
import { routes } from "./routes.ts";
import { schemas } from "./schemas.ts";

/** Room for a project with far more users or files than any has. */
const MAXIMUM_BODY_BYTES = 16 * 1024 * 1024;

export interface FlipServerOptions extends Omit<RouteContext, "xnat" | "signal"> {
  readonly host: string;
  readonly port: number;
  readonly version: string;
  /** Names of background work that ended or fails. */
  readonly deadTasks: () => readonly string[];
}

/** Answers as FLIP's imaging-api does. @throws GatewayError FLIP_PORT_IN_USE */
export async function startFlipServer(options: FlipServerOptions): Promise<FaceServer> {
  const { services, host, port, version, deadTasks } = options;
  const { isProduction, serviceKey } = services.settings;
  const health = (): unknown => {
    const dead = [...deadTasks()].sort();
    return schemas.Health.parse({ status: dead.length === 0 ? "ok" : "degraded", version, dead_tasks: dead });
  };
  return await startFaceServer<RouteContext>({
    name: "flip",
    title: "Imaging API",
    version: "0.1.0",
    host,
    port,
    portCode: "FLIP_PORT_IN_USE",
    routes,
    schemas,
    context: (signal) => ({ ...options, xnat: services.sessions.service, signal }),
    unlisted: { "/health": health },
    showsPages: !isProduction,
    needsJsonType: false,
    maximumBodyBytes: MAXIMUM_BODY_BYTES,
    refusalOf: (request) => refusalOf(request, serviceKey),
    logger: services.logger,
  });
}

/** @returns undefined when the key is right */
function refusalOf(
  { headers }: FastifyRequest,
  { header, value }: { readonly header: string; readonly value: string },
): HttpError | undefined {
  const given = headers[header.toLowerCase()];
  if (typeof given !== "string" || given === "")
    return new HttpError(401, "Not authenticated: trust-internal service key is missing.");
  if (value === "") return new HttpError(401, "Not authenticated: trust-internal service key is not configured.");
  return isSecretInHeader(given, value)
    ? undefined
    : new HttpError(401, "Not authenticated: trust-internal service key is invalid.");
}
