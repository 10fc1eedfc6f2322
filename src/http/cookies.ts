import type { FastifyRequest } from "fastify";

/** RFC 6265 5.4; undefined: none of that name, or an empty one. */
export function cookieOf({ headers }: Pick<FastifyRequest, "headers">, wanted: string): string | undefined {
  for (const pair of (headers.cookie ?? "").split(";")) {
    const [name, value] = pair.trim().split("=");
    if (name === wanted && value) return value;
  }
  return undefined;
}
