import { expect, it } from "vitest";
import { factsText } from "./fact-text.ts";

it("tells moments as times and durations with their unit; statuses and the rest stay", () => {
  const facts = { archive: "vna", untilMs: 1_795_392_000_000, cause: "TIMED_OUT", status: "A702H" };
  expect(factsText(facts)).toBe("archive vna, until 2026-11-23T00:00:00.000Z, cause TIMED_OUT, status A702H");
  expect(factsText({ timeoutMs: 120_000, retryAfterMs: 1_540, skewMs: 900, attempts: 3, ok: true })).toBe(
    "timeout 120 s, retryAfter 1.5 s, skew 900 ms, attempts 3, ok true",
  );
  expect(factsText({ openedAtMs: 0, untilMs: Number.MAX_SAFE_INTEGER })).toBe(
    "openedAt 1970-01-01T00:00:00.000Z, until unknown",
  );
});
