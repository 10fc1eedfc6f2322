import { createRequire } from "node:module";
import type * as undici from "undici";

/** The parts of undici that are used, by themselves: all of it is twice the memory and the time to start. */
const part = createRequire(import.meta.url);

export const Pool: typeof undici.Pool = part("undici/lib/dispatcher/pool.js");
export const { HTTPParserError }: Pick<typeof undici.errors, "HTTPParserError"> = part("undici/lib/core/errors.js");
