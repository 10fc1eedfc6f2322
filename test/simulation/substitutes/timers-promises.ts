/** What the product has for `node:timers/promises` while it is simulated. */
import * as real from "node:timers/promises";
import { isSimulating, theMachine } from "../machine.ts";
import { lives } from "../scheduler.ts";

export * from "node:timers/promises";

export async function setTimeout(
  delayMs: number,
  value?: unknown,
  options?: { signal?: AbortSignal },
): Promise<unknown> {
  const life = lives.getStore();
  if (!isSimulating() || life === undefined) return await real.setTimeout(delayMs, value, options);
  await theMachine().scheduler.clockOf(life).sleep(delayMs, options?.signal);
  return value;
}
