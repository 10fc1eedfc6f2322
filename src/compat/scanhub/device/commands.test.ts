import { expect, it } from "vitest";
import { GatewayError } from "../../../errors/gateway-error.ts";
import { carryOut, type DeviceSession } from "./commands.ts";

/** A device that was at a task, and a store that is away as often as told. */
function idleAgain(failures: { device?: number; task?: number }) {
  const left = { device: 0, task: 0, ...failures };
  const fail = (what: keyof typeof left): void => {
    if (left[what]-- > 0) throw new GatewayError("STORE_UNAVAILABLE");
  };
  const statuses: string[] = [];
  const done: string[] = [];
  const world = {
    clock: { nowMs: () => 0 },
    store: {
      async changeScanDevice(_: string, { status }: { readonly status: string }) {
        fail("device");
        statuses.push(status);
      },
      acquisition: async (id: string) => ({ id, state: "acquiring", isDeviceDone: false }),
    },
    ledger: {
      async deviceDone({ id }: { readonly id: string }) {
        fail("task");
        done.push(id);
      },
    },
  } as unknown as DeviceSession["world"];
  const session: DeviceSession = {
    world,
    device: { id: "scanner-1" },
    files: {} as DeviceSession["files"],
    say: () => {},
    busyWith: new Set(["acquisition-1"]),
    status: "BUSY",
  };
  return { session, statuses, done };
}

const ONLINE = { command: "update_status", status: "ONLINE" };

it("ends what a device was at when it says a second time that it is idle, the store having been away the first", async () => {
  const { session, done } = idleAgain({ task: 1 });
  await expect(carryOut(session, ONLINE)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  await carryOut(session, ONLINE);
  await carryOut(session, ONLINE);
  expect(done).toEqual(["acquisition-1"]);
});

it("writes down what a device says of itself a second time, the store having been away the first", async () => {
  const { session, statuses } = idleAgain({ device: 1 });
  await expect(carryOut(session, ONLINE)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  await carryOut(session, ONLINE);
  expect(statuses).toEqual(["ONLINE"]);
});
