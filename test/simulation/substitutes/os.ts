/** What the product has for `node:os` while it is simulated. */
import * as real from "node:os";
import { isSimulating, theMachine } from "../machine.ts";
import { lives } from "../scheduler.ts";

export * from "node:os";

export function uptime(): number {
  const life = lives.getStore();
  if (!isSimulating() || life === undefined) return real.uptime();
  return (theMachine().scheduler.nowMs - life.bootedAtMs) / 1_000;
}
