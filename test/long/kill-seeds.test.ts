import { it } from "vitest";
import { rehearseKills } from "../support/kill-rehearsal.ts";

/** `npm run long`: the kill test at moments that `npm test` has not seen. */
const SEEDS = Array.from({ length: 10 }, (_, index) => index + 1);

it.each(SEEDS)(
  "comes to the same end when it is killed 30 times, seed %i",
  async (seed) => {
    await rehearseKills(seed, 30);
  },
  300_000,
);
