import { expect, it } from "vitest";
import { growthOf, type SoakSample, verdictOf } from "./soak-verdict.ts";

/** Twenty looks, 100 studies and 10 s apart. */
function soakOf(change: (index: number) => Partial<SoakSample> = () => ({})): readonly SoakSample[] {
  return Array.from({ length: 20 }, (_, index) => ({
    ...{ atMs: index * 10_000, studies: index * 100, deliveredStudies: index * 100, submittedStudies: 1_900 },
    ...{ rssBytes: 200e6, heapBytes: 50e6, externalBytes: 0, processorMs: 0, handles: 20, openFiles: 40, delayMs: 1 },
    ...{ storeBytes: 0, stagingBytes: 0 },
    ...change(index),
  }));
}

function missedOf(samples: readonly SoakSample[]): readonly string[] {
  return verdictOf(samples).flatMap(({ what, met }) => (met ? [] : [what]));
}

it("finds nothing in what stays as it was, however it was warmed up", () => {
  expect(missedOf(soakOf())).toEqual([]);
  expect(missedOf(soakOf((index) => ({ rssBytes: index < 5 ? 100e6 : 200e6 })))).toEqual([]);
});

it.each<readonly [string, (index: number) => Partial<SoakSample>, string]>([
  ["memory that grows", (index) => ({ rssBytes: 150e6 + index * 3e6 }), "RSS grows by ≤ 10 %"],
  ["memory that is too much", () => ({ rssBytes: 301e6 }), "RSS ≤ 300 MB"],
  ["handles that are left behind", (index) => ({ handles: 20 + index }), "handles grow by ≤ 5"],
  ["files that stay open", (index) => ({ openFiles: 40 + index }), "open files grow by ≤ 5"],
  ["studies that were not delivered", () => ({ deliveredStudies: 1_899 }), "every study delivered"],
  [
    "work that becomes slower",
    (index) => ({ atMs: index * index * 1_000 }),
    "rate of the later half ≥ 0.75 × that of the earlier half",
  ],
])("finds %s", (_, change, what) => {
  expect(missedOf(soakOf(change))).toEqual([what]);
});

it("tells of a short one only whether everything was delivered", () => {
  expect(verdictOf(soakOf().slice(0, 3)).map(({ what }) => what)).toEqual(["every study delivered"]);
});

it("takes growth from the line that fits best", () => {
  const studies = soakOf((index) => ({ rssBytes: 100 + index * 2 + (index % 2) }));
  expect(growthOf(studies, ({ rssBytes }) => rssBytes)).toBeCloseTo(38, 0);
});
