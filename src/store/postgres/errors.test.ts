import pg from "pg";
import { expect, it } from "vitest";
import { asStoreError, isSpoilt } from "./errors.ts";

function answered(sqlState: string): unknown {
  const error = new pg.DatabaseError("what the server says may hold values", 0, "error");
  error.code = sqlState;
  return asStoreError(error);
}

// https://www.postgresql.org/docs/15/errcodes-appendix.html
it.each([
  ["25P03", "idle in a transaction for too long, as a machine is that was paused"],
  ["25P04", "a transaction that took too long"],
  ["57P01", "the server goes down"],
])("%s (%s) is tried again, over another connection", (sqlState) => {
  const error = answered(sqlState);
  expect(error).toMatchObject({ code: "STORE_UNAVAILABLE", class: "transient", details: { sqlState } });
  expect(isSpoilt(error)).toBe(true);
});

it("our own mistakes are not tried again", () => {
  const error = answered("42601");
  expect(error).toMatchObject({ code: "INTERNAL", class: "permanent" });
  expect(isSpoilt(error)).toBe(false);
});
