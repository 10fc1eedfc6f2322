import type { SharedStagingSettings } from "../config/settings-staging.ts";
import type { OwnCheck } from "../operations/context.ts";
import { createSharedOutbox, type SharedOutbox, type SharedOutboxOptions } from "../staging/shared-outbox.ts";
import { systemClock } from "../units/clock.ts";
import type { Random } from "../units/random.ts";
import { s3ServerOf } from "./open-destinations.ts";

interface WithStaging {
  readonly staging: { readonly path: string; readonly shared?: SharedStagingSettings };
}

/** Undefined: copies that await delivery are on this node's disk alone. */
export function openSharedOutbox(
  { staging }: WithStaging,
  { clock = systemClock, metrics = { add() {} } }: Partial<Pick<SharedOutboxOptions, "clock" | "metrics">> = {},
): SharedOutbox | undefined {
  const { shared } = staging;
  if (shared === undefined) return undefined;
  const server = s3ServerOf(shared);
  const open: SharedOutboxOptions["open"] = async () => {
    // Its library is large: who shares nothing does not wait for it.
    const { openObjectStore } = await import("../network/s3/s3-client.ts");
    return openObjectStore(await server());
  };
  return createSharedOutbox({ prefix: shared.prefix, open, clock, metrics });
}

const PROBE_BYTES = 8;

/** What `doctor` asks of the shared store. */
export function sharedOutboxChecks(settings: WithStaging, random: Pick<Random, "bytes">): readonly OwnCheck[] {
  const outbox = openSharedOutbox(settings);
  if (outbox === undefined) return [];
  const examine = async (signal: AbortSignal): Promise<string> => {
    await outbox.rehearse(`doctor-${Buffer.from(random.bytes(PROBE_BYTES)).toString("hex")}`, signal);
    return "yes";
  };
  return [{ what: "the shared store takes, gives and deletes copies", examine }];
}
