import { expect, it } from "vitest";
import { createRefusals } from "./refusals.ts";

it("remembers why an instance was refused, told once, within bounds", () => {
  const refusals = createRefusals();
  refusals.noteRefusal(["1.2"], "INSTANCE_MISMATCH");
  refusals.noteRefusal(["1.2"], "INSTANCE_UNREADABLE");
  expect(refusals.isRefused(["1.1", "1.2"])).toBe(true);
  expect(refusals.takeReason(["1.1", "1.2"])).toEqual({ code: "INSTANCE_UNREADABLE", refused: 1 });
  expect(refusals.isRefused(["1.1", "1.2"])).toBe(false);
  expect(refusals.takeReason(["1.1", "1.2"])).toBeUndefined();
  refusals.noteRefusal(["1.2"], "INSTANCE_MISMATCH");
  for (let number = 0; number < 10_000; number += 1) refusals.noteRefusal([`9.${number}`], "INSTANCE_MISMATCH");
  expect(refusals.takeReason(["1.2"])).toBeUndefined();
});

it("is asked by whichever UID is known of what was refused", () => {
  const refusals = createRefusals();
  refusals.noteRefusal(["1.2", "1.2", "1.3", "1"], "INSTANCE_MISMATCH");
  expect(refusals.takeReason(["1.3"])).toEqual({ code: "INSTANCE_MISMATCH", refused: 1 });
  expect(refusals.takeReason(["1.3"])).toBeUndefined();
  expect(refusals.takeReason(["1"])).toEqual({ code: "INSTANCE_MISMATCH", refused: 1 });
});
