import { describe, expect, it } from "vitest";
import { median, ratioOf, relativeSpread, summaryOf } from "./statistics.ts";

describe("what several runs came to", () => {
  it("has the middle one as its median, whatever their order", () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([100, 20, 3])).toBe(20);
  });

  it("takes the mean of the two in the middle when their number is even", () => {
    expect(median([4, 1, 2, 100])).toBe(3);
  });

  it("has no median without a run", () => {
    expect(() => median([])).toThrow(RangeError);
  });

  it("tells the lowest and the highest beside the median", () => {
    expect(summaryOf([3, 1, 2, 10, 4])).toEqual({ median: 3, lowest: 1, highest: 10, runs: 5 });
  });

  it("measures the spread against the median", () => {
    expect(relativeSpread(summaryOf([90, 100, 120]))).toBeCloseTo(0.3);
  });
});

describe("the ratio of two contenders", () => {
  it("is taken round by round, so that a slow round of the machine does not decide", () => {
    const ours = [100, 50, 100];
    const theirs = [200, 100, 100];
    expect(ratioOf(ours, theirs)).toEqual({ median: 0.5, lowest: 0.5, highest: 1, runs: 3 });
  });

  it("leaves out rounds that one of them did not take part in", () => {
    expect(ratioOf([10, undefined, 30], [10, 10, 10])).toEqual({ median: 2, lowest: 1, highest: 3, runs: 2 });
  });
});
