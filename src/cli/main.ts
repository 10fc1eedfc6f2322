import { enableCompileCache } from "node:module";
import { fileURLToPath } from "node:url";
import { GatewayError } from "../errors/gateway-error.ts";

// Halves the time to start. It lies beside the packages, where only those who may change the program can write; elsewhere it stays off.
enableCompileCache(fileURLToPath(new URL("../../node_modules/.cache/radferry", import.meta.url)));
const { run } = await import("./run.ts");
const { systemWorld } = await import("./world.ts");

const stop = new AbortController();

/** The first signal asks for an orderly end; the second one ends at once. */
function onSignal(): void {
  if (stop.signal.aborted) process.exit(1);
  stop.abort(new GatewayError("CANCELLED"));
}
process.on("SIGINT", onSignal);
process.on("SIGTERM", onSignal);

// Whoever writes is told by the write itself; a reader that went away is no reason to crash.
process.stdout.on("error", () => undefined);
process.stderr.on("error", () => undefined);

process.exitCode = await run(process.argv.slice(2), systemWorld(stop.signal));
