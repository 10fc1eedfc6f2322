import { moveStore } from "./move-store.ts";

/** So long it waits for being killed. */
const WAIT_MS = 20_000;

/** Moves a store until a batch of the table has arrived, says so, and stands still until it is killed: `node mover.testing.ts DATABASE URL TABLE`. */
const [path = "", url = "", last = ""] = process.argv.slice(2);
const actor = { name: "sam", kind: "command line", role: "admin" } as const;

await moveStore({
  path,
  target: { url },
  audit: { event: "store-moved", actor, outcome: "success" },
  onProgress({ table }) {
    if (table !== last) return;
    // On Linux what is written to a pipe is there when this returns.
    process.stdout.write(`${table}\n`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)), 0, 0, WAIT_MS);
  },
});
