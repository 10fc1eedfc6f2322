import { errors, Pool as WholePool } from "undici";
import { expect, it } from "vitest";
import { HTTPParserError, Pool } from "./undici-parts.ts";

it("are those that undici gives as a whole", () => {
  expect(Pool).toBe(WholePool);
  expect(HTTPParserError).toBe(errors.HTTPParserError);
});
