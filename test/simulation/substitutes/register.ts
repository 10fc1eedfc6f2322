/**
 * `node --import` this: the product's own modules then find simulated time, disk and chance under the names of Node's modules. Nothing
 * of the product is changed, and what it does outside of a simulation is as ever.
 */
import { registerHooks } from "node:module";
import { isSimulating, theMachine, wallClockMs } from "../machine.ts";
import { lives } from "../scheduler.ts";

const SUBSTITUTES: Readonly<Record<string, string>> = {
  "node:crypto": "crypto.ts",
  "node:fs": "fs.ts",
  "node:fs/promises": "fs-promises.ts",
  "node:os": "os.ts",
  "node:timers/promises": "timers-promises.ts",
  "node:zlib": "zlib.ts",
};
/** Where the product is. */
const PRODUCT = new URL("../../../src/", import.meta.url).href;
/** The store's own files are a database's: they are not simulated, but rolled back. */
const STORE_FILES = /\/store\/sqlite\/|audit-witness/;

registerHooks({
  resolve(specifier, context, next) {
    const substitute = SUBSTITUTES[specifier];
    const isOfStore = STORE_FILES.test(context.parentURL ?? "") && specifier === "node:fs";
    if (substitute === undefined || isOfStore || context.parentURL?.startsWith(PRODUCT) !== true)
      return next(specifier, context);
    return { url: new URL(substitute, import.meta.url).href, shortCircuit: true };
  },
});

const real = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout, now: Date.now };
const callOffs = new WeakMap<object, () => void>();

function simulatedTimeout(callback: (...args: unknown[]) => void, delayMs = 0, ...args: unknown[]): object {
  const life = lives.getStore();
  if (!isSimulating() || life === undefined) return real.setTimeout(callback, delayMs, ...args);
  const { scheduler } = theMachine();
  const timer = { ref: () => timer, unref: () => timer };
  callOffs.set(
    timer,
    scheduler.at(scheduler.nowMs + delayMs, () => callback(...args)),
  );
  return timer;
}

function clearSimulated(timer: unknown): void {
  const callOff = typeof timer === "object" && timer !== null ? callOffs.get(timer) : undefined;
  if (callOff !== undefined) callOff();
  else if (timer !== undefined && timer !== null) Reflect.apply(real.clearTimeout, globalThis, [timer]);
}

Reflect.set(globalThis, "setTimeout", simulatedTimeout);
Reflect.set(globalThis, "clearTimeout", clearSimulated);
Date.now = () => (isSimulating() && lives.getStore() !== undefined ? wallClockMs() : real.now.call(Date));
