import { z } from "zod";
import { HttpError } from "../../http-client/http-error.ts";
import { readJson, readText } from "../../http-client/read-body.ts";
import type { HttpClient, HttpRequest } from "../../http-client/types.ts";

/** Answers that are read as text are addresses and short words. */
const TEXT_BYTES = 1024 * 1024;

/** @throws HttpError XNAT_ANSWER_UNEXPECTED when it has another shape, HTTP_CONTENT_UNEXPECTED for a page, and those of the exchange */
export async function askJson<T>(client: HttpClient, schema: z.ZodType<T>, request: HttpRequest): Promise<T> {
  await using response = await client.request(request);
  const parsed = schema.safeParse(await readJson(response));
  if (!parsed.success) throw new HttpError("XNAT_ANSWER_UNEXPECTED", { what: "shape" }, { status: response.status });
  return parsed.data;
}

/** Status and text; for answers that say little. */
export async function askText(client: HttpClient, request: HttpRequest) {
  await using response = await client.request(request);
  return { status: response.status, headers: response.headers, text: await readText(response, TEXT_BYTES) };
}

/** Rows of a table of /data; nothing at all counts as none. */
export async function askTable<T>(client: HttpClient, row: z.ZodType<T>, request: HttpRequest): Promise<readonly T[]> {
  const schema = z.object({ ResultSet: z.object({ Result: z.array(row) }) }).optional();
  const query = [...(request.query ?? []), ["format", "json"] as const];
  return (await askJson(client, schema, { ...request, query }))?.ResultSet.Result ?? [];
}

export function postJson(path: string, body: unknown, signal: AbortSignal): HttpRequest {
  const headers = { "Content-Type": "application/json" };
  return { method: "POST", path, body: JSON.stringify(body), headers, signal };
}

/** Which statuses the caller looks at, beside success. */
export function alsoAccepts(...statuses: readonly number[]) {
  return (status: number): boolean => (status >= 200 && status < 300) || statuses.includes(status);
}

/** Numbers come as texts in tables. */
export const countText = z.union([z.string(), z.number()]).transform((value, context) => {
  const count = Number(value);
  if (value !== "" && Number.isSafeInteger(count) && count >= 0) return count;
  context.addIssue({ code: "custom", message: "no count" });
  return z.NEVER;
});
