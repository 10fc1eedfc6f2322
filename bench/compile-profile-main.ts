import { loadProfile } from "../src/deid/profiles/load-profile.ts";

/** `compile-profile-main.ts NAME`: loads and compiles a profile in a process that has just started; prints how long it took. */
const startedAtMs = performance.now();
const { hash } = loadProfile(process.argv[2] ?? "basic");
process.stdout.write(`${JSON.stringify({ milliseconds: performance.now() - startedAtMs, hash })}\n`);
