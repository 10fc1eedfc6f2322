import { expect, it } from "vitest";
import type { Treatment } from "./rule.ts";
import { createValueMemo } from "./value-memo.ts";

const NUMBER: Treatment = { kind: "number" };

function counting(): {
  readonly asked: () => number;
  readonly ask: (treatment: Treatment, how: string, text: string) => boolean;
} {
  const remembered = createValueMemo<boolean>();
  let asked = 0;
  return {
    asked: () => asked,
    ask: (treatment, how, text) =>
      remembered(treatment, how, Buffer.from(text, "latin1"), () => {
        asked += 1;
        return text !== "no";
      }),
  };
}

it("answers once for a value under a treatment, whatever the answer", () => {
  const { ask, asked } = counting();
  expect([ask(NUMBER, "DS", "1"), ask(NUMBER, "DS", "1"), ask(NUMBER, "DS", "no"), ask(NUMBER, "DS", "no")]).toEqual([
    true,
    true,
    false,
    false,
  ]);
  expect(asked()).toBe(2);
});

it("takes treatments, VRs and bytes for different that are", () => {
  const { ask, asked } = counting();
  ask(NUMBER, "DS", "1");
  ask({ ...NUMBER }, "DS", "1");
  ask(NUMBER, "IS", "1");
  ask(NUMBER, "DS", "1 ");
  ask(NUMBER, "DS", "\xff");
  expect(asked()).toBe(5);
});

it("remembers no long value, and forgets", () => {
  const { ask, asked } = counting();
  const long = "1".repeat(129);
  for (const text of [long, long]) ask(NUMBER, "DS", text);
  expect(asked()).toBe(2);
  for (let number = 0; number < 3_000; number += 1) ask(NUMBER, "DS", String(number));
  ask(NUMBER, "DS", "0");
  expect(asked()).toBe(3_003);
});
