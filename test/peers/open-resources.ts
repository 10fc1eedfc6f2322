import { setTimeout as delay } from "node:timers/promises";

/** What a test must not leave behind: kinds as `process.getActiveResourcesInfo` names them. */
const KINDS: Readonly<Record<string, string>> = {
  TCPSocketWrap: "a socket",
  TCPServerWrap: "a listening server",
  UDPWrap: "a UDP socket",
  TLSWrap: "a TLS socket",
  PipeWrap: "a pipe",
  PipeServerWrap: "a listening pipe",
  ProcessWrap: "a child process",
  Timeout: "a timer",
  MessagePort: "a message port",
  Worker: "a worker thread",
  FSEventWrap: "a file watcher",
};

const SETTLE_STEPS = 40;
const SETTLE_STEP_MS = 25;

export type OpenResources = ReadonlyMap<string, number>;

/** What keeps this process alive now, by kind. */
export function openResources(names: readonly string[] = process.getActiveResourcesInfo()): OpenResources {
  const counts = new Map<string, number>();
  for (const name of names) if (name in KINDS) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** What is open beyond the baseline, in words. */
export function leaksBeyond(baseline: OpenResources, now: OpenResources): readonly string[] {
  return [...now]
    .map(([name, count]) => ({ name, more: count - (baseline.get(name) ?? 0) }))
    .filter(({ more }) => more > 0)
    .map(({ name, more }) => `${KINDS[name] ?? name}${more > 1 ? ` (${more} times)` : ""}`);
}

/** As `leaksBeyond`, after what is closing has had up to a second to close. */
export async function leaksAfterSettling(baseline: OpenResources): Promise<readonly string[]> {
  for (let step = 0; step < SETTLE_STEPS && leaksBeyond(baseline, openResources()).length > 0; step += 1) {
    await delay(SETTLE_STEP_MS, undefined, { ref: false });
  }
  return leaksBeyond(baseline, openResources());
}
