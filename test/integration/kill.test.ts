import { it } from "vitest";
import { rehearseKills } from "../support/kill-rehearsal.ts";

const KILLS = 30;
const SEED = Number(process.env.RADFERRY_SEED ?? 20_261_121);

it(`comes to the same end when it is killed ${KILLS} times (RADFERRY_SEED=${SEED})`, async () => {
  await rehearseKills(SEED, KILLS);
}, 170_000);
