import { expect, it } from "vitest";
import { GatewayError } from "../errors/gateway-error.ts";
import { createManualClock } from "../units/manual-clock.testing.ts";
import { seededRandom } from "../units/random.ts";
import { createSharedPermits } from "./shared-permits.ts";

/** A store that cannot be reached while `isDown`; who holds what. */
function openPermits() {
  const held = new Map<string, string>();
  const state = { isDown: false };
  const reached = (): void => {
    if (state.isDown) throw new GatewayError("STORE_UNAVAILABLE");
  };
  const permits = createSharedPermits({
    node: "north",
    clock: createManualClock(),
    random: seededRandom(1),
    store: {
      async takePermit({ resource, holder }) {
        reached();
        const isFree = (held.get(resource) ?? holder) === holder;
        if (isFree) held.set(resource, holder);
        return isFree;
      },
      async returnPermit(resource, holder) {
        reached();
        return held.get(resource) === holder && held.delete(resource);
      },
      async renewPermits() {
        reached();
        return held.size;
      },
    },
  });
  return { permits, held, state };
}

it("keeps a permit that it was granted after a try that failed", async () => {
  const { permits, held, state } = openPermits();
  state.isDown = true;
  await expect(permits.hold("standing")).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  state.isDown = false;
  expect(await permits.hold("standing")).toBe(true);
  await permits.keep();
  expect([...held.keys()]).toEqual(["standing"]);
});

it("gives back later everything that could not be given back", async () => {
  const { permits, held, state } = openPermits();
  for (const resource of ["standing", "withdrawals"]) expect(await permits.hold(resource)).toBe(true);
  state.isDown = true;
  for (const resource of ["standing", "withdrawals"]) await permits.leave(resource);
  expect(held.size).toBe(2);
  state.isDown = false;
  await permits.keep();
  expect(held.size).toBe(0);
});
