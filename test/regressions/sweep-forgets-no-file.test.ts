import { expect, it } from "vitest";
import { createIntakeSweep } from "../../src/archive/intake/sweep-intake.ts";
import { systemClock } from "../../src/units/clock.ts";

it("removes what the store has forgotten once the disk lets it, and is not done before", async () => {
  const rows = [["aa-1.dcm", "aa-2.dcm"]];
  const onDisk = new Set(rows.flat());
  let isReadOnly = true;
  const sweep = createIntakeSweep({
    store: { forgetIntake: async () => rows.shift() ?? [] },
    files: {
      async remove(names) {
        if (names.length > 0 && isReadOnly) throw new Error("EROFS");
        for (const name of names) onDisk.delete(name);
      },
      removeUnnamed: async () => undefined,
    },
    clock: systemClock,
  });
  await expect(sweep(0)).rejects.toThrow("EROFS");
  await expect(sweep(0)).rejects.toThrow("EROFS");
  isReadOnly = false;
  await sweep(0);
  expect([...onDisk]).toEqual([]);
});
