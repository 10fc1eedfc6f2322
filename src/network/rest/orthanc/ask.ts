import type { z } from "zod";
import { HttpError } from "../../http-client/http-error.ts";
import { readJson } from "../../http-client/read-body.ts";
import type { HttpClient, HttpRequest } from "../../http-client/types.ts";

/** One request and the JSON it is answered with. @throws HttpError HTTP_JSON_INVALID when that has another shape, and those of the exchange */
export async function ask<T>(client: HttpClient, schema: z.ZodType<T>, request: HttpRequest): Promise<T> {
  await using response = await client.request(request);
  const parsed = schema.safeParse(await readJson(response));
  if (!parsed.success) throw new HttpError("HTTP_JSON_INVALID", { what: "shape" }, { status: response.status });
  return parsed.data;
}

export function post(path: string, body: unknown, signal: AbortSignal): HttpRequest {
  return {
    method: "POST",
    path,
    body: JSON.stringify(body),
    headers: { "Content-Type": "application/json" },
    signal,
  };
}
