import { moveStore } from "./move-store.ts";

/** Moves a store and prints a line for each batch, until it is killed: `node mover.testing.ts DATABASE URL`. */
const [path = "", url = ""] = process.argv.slice(2);
const actor = { name: "sam", kind: "command line", role: "admin" } as const;

await moveStore({
  path,
  target: { url },
  audit: { event: "store-moved", actor, outcome: "success" },
  onProgress: ({ table }) => process.stdout.write(`${table}\n`),
});
