import { expect, it } from "vitest";
import type { InstanceSummary } from "../outcome.ts";
import { createSummaryListener, createSummaryTeller } from "./shared-summaries.ts";

const verify = { hits: 0, sizeBytes: 1, identifiers: 1 } as const;

function summaryOf(kept: number): InstanceSummary {
  return {
    actions: new Map([["(0008,0060)", { kept }]]),
    ...{ unlisted: new Map(), privateElements: new Map(), notes: new Map() },
    ...{ options: [], sample: [], verify },
  };
}

it("tells a summary once, by number from then on, and hears the same object each time", () => {
  const [tell, hear] = [createSummaryTeller(), createSummaryListener()];
  const first = tell(summaryOf(1));
  expect(first.parts).toBeDefined();
  const equal = tell(summaryOf(1));
  expect(equal).toEqual({ number: first.number, parts: undefined, verify });
  const heard = [hear(structuredClone(first)), hear(structuredClone(equal))];
  expect(heard[0]).toEqual(summaryOf(1));
  expect(heard[1]?.actions).toBe(heard[0]?.actions);
});

it("understands what is told again after many others took its number", () => {
  const [tell, hear] = [createSummaryTeller(), createSummaryListener()];
  const made = Array.from({ length: 1_000 }, (_, index) => summaryOf(index));
  for (let round = 0; round < 2; round += 1)
    for (const summary of made) expect(hear(structuredClone(tell(summary)))).toEqual(summary);
});

it("refuses a number it never heard of", () => {
  expect(() => createSummaryListener()({ number: 3, parts: undefined, verify })).toThrow(TypeError);
});
