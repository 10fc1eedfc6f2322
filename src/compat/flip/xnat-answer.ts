import { z } from "zod";
import { HttpError as TransportError } from "../../network/http-client/http-error.ts";

/** A text that XNAT may leave out or give as null: empty then. */
export const textOrEmpty = z
  .string()
  .nullish()
  .transform((value) => value ?? "");

/** A text that XNAT may leave out: null then. */
export const textOrNull = z
  .string()
  .nullish()
  .transform((value) => value ?? null);

/** An answer of XNAT's that must be JSON of this shape. @throws HttpError HTTP_JSON_INVALID */
export function parseAnswer<T extends z.ZodType>(schema: T, text: string, status: number): z.infer<T> {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw new TransportError("HTTP_JSON_INVALID", { what: "shape" }, { status });
  }
}
