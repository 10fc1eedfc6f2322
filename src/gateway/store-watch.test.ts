import { expect, it } from "vitest";
import { GatewayError } from "../errors/gateway-error.ts";
import type { ErrorCode } from "../errors/registry.ts";
import { createManualClock } from "../units/manual-clock.testing.ts";
import { watchStore } from "./store-watch.ts";

/** A store that can be written unless `code` says why not. */
function openScene() {
  const lines: string[] = [];
  const scene = { code: undefined as ErrorCode | undefined, writes: 0 };
  const note = (message: string, fields: Readonly<Record<string, unknown>> = {}): void =>
    void lines.push(`${message} ${fields.code ?? ""}`.trim());
  const clock = createManualClock();
  const watch = watchStore({
    store: {
      takePermit() {
        scene.writes += 1;
        if (scene.code !== undefined) return Promise.reject(new GatewayError(scene.code));
        return Promise.resolve(true);
      },
    },
    node: "north",
    clock,
    logger: { debug: note, info: note, warn: note, error: note },
  });
  return { scene, lines, clock, watch };
}

it("tells while the store cannot be written, and the log once when that begins and once when it is over", async () => {
  const { scene, lines, clock, watch } = openScene();
  await using _ = watch;
  expect(await watch.trouble()).toBe(undefined);
  scene.code = "STORE_FULL";
  for (let times = 0; times < 3; times += 1) {
    await clock.advance(10_000);
    expect(await watch.trouble()).toBe("STORE_FULL");
  }
  expect(lines).toEqual(["store cannot be written STORE_FULL"]);
  scene.code = undefined;
  await clock.advance(10_000);
  expect(await watch.trouble()).toBe(undefined);
  expect(lines).toEqual(["store cannot be written STORE_FULL", "store can be written again"]);
});

it("many who ask at once have one write made for them", async () => {
  const { scene, clock, watch } = openScene();
  await using _ = watch;
  await Promise.all([watch.trouble(), watch.trouble(), watch.trouble()]);
  await watch.trouble();
  expect(scene.writes).toBe(1);
  await clock.advance(2_000);
  await Promise.all([watch.trouble(), watch.trouble()]);
  expect(scene.writes).toBe(2);
});

it("writes by itself too, so that the log has it when nobody asks", async () => {
  const { scene, lines, clock, watch } = openScene();
  await watch.trouble();
  scene.code = "STORE_UNAVAILABLE";
  await clock.advance(10_000);
  await watch[Symbol.asyncDispose]();
  expect([scene.writes, lines]).toEqual([2, ["store cannot be written STORE_UNAVAILABLE"]]);
});
