import type { FastifyRequest } from "fastify";
import type { GatewayError } from "../../../errors/gateway-error.ts";
import type { Logger } from "../../../units/logger.ts";
import { AnswerError } from "../../fastapi/answer-error.ts";
import { type FaceServer, startFaceServer } from "../../fastapi/server.ts";
import { isSecretInHeader } from "../../header-secret.ts";
import { tokenRefused } from "./errors.ts";
import { MOST_MESSAGES } from "./posted-messages.ts";
import { type PixlContext, routes, schemas } from "./routes.ts";

/** The longest list of messages as PIXL writes them, each below one kilobyte. */
const MAXIMUM_BODY_BYTES = MOST_MESSAGES * 1024;

export interface PixlServerOptions extends PixlContext {
  readonly host: string;
  readonly port: number;
  readonly version: string;
  /** Undefined: messages are taken from this machine alone. */
  readonly token: string | undefined;
  readonly logger: Logger;
}

/** Answers as PIXL's imaging API does. @throws GatewayError PIXL_PORT_IN_USE */
export async function startPixlServer(options: PixlServerOptions): Promise<FaceServer> {
  const { host, port, version, token, logger } = options;
  return await startFaceServer<PixlContext>({
    name: "pixl",
    title: "imaging-api",
    description: "Imaging extraction service",
    version,
    host,
    port,
    portCode: "PIXL_PORT_IN_USE",
    routes,
    schemas,
    context: () => options,
    showsPages: true,
    needsJsonType: true,
    maximumBodyBytes: MAXIMUM_BODY_BYTES,
    refusalOf: (request, { isOpen }) => (isOpen ? undefined : refusalOf(request, token)),
    answerFor: unavailable,
    logger,
  });
}

const LOOPBACK = /^(?:::ffff:)?127\.|^::1$/;
/** What stands in a request that somebody on this machine only passes on: a web page, or a proxy. */
const PASSED_ON = ["origin", "forwarded", "x-forwarded-for"];

/** @returns undefined when the request may go on */
function refusalOf({ ip, headers }: FastifyRequest, token: string | undefined): AnswerError | undefined {
  const [, given] = /^bearer +(\S+)$/i.exec(headers.authorization ?? "") ?? [];
  if (given !== undefined) {
    return token !== undefined && isSecretInHeader(given, token)
      ? undefined
      : tokenRefused("Not authenticated: wrong token");
  }
  const isOurs = LOOPBACK.test(ip) && PASSED_ON.every((name) => headers[name] === undefined);
  return isOurs ? undefined : tokenRefused("Not authenticated: a bearer token is needed");
}

/** What may be sent again later. */
function unavailable({ code, class: failureClass }: GatewayError): AnswerError | undefined {
  return failureClass === "permanent" ? undefined : new AnswerError(503, "Service Unavailable", { code });
}
