import { governArchive } from "../archive/availability/govern-archive.ts";
import { createPace, type Pace } from "../archive/availability/pace.ts";
import { createDimseArchive } from "../archive/dimse/dimse-archive.ts";
import type { Expectations } from "../archive/expectations.ts";
import type { Settings } from "../config/settings.ts";
import type { IncomingInstance, StoreHandler } from "../network/dimse/service-types.ts";
import type { ArchiveFacts } from "../operations/context.ts";
import type { Store } from "../store/store.ts";
import type { Clock } from "../units/clock.ts";
import type { Logger } from "../units/logger.ts";
import { certificateFacts } from "./certificate-facts.ts";
import { connectionTo } from "./connections.ts";
import type { ViolationCounts } from "./violation-counts.ts";

/** Nothing arriving for this long after an archive's final answer means that nothing more will. */
const QUIET_MS = 3_000;
/** No answer and no instance for this long ends a retrieval. */
const SILENCE_MS = 120_000;

/** How fast each archive's bytes may come in. */
interface Paces {
  of(archive: string): Pace;
  /** By the AE title that an instance is sent with: what a C-MOVE brings comes over associations of the archive's own. */
  ofSender(incoming: IncomingInstance): Pace | undefined;
}

export function createPaces({ archives }: Settings, clock: Clock): Paces {
  const paces = new Map(archives.map(({ name }) => [name, createPace(clock)]));
  const nameBySender = new Map(archives.map(({ name, address }) => [address.aeTitle as string, name]));
  const of = (archive: string): Pace => {
    const pace = paces.get(archive) ?? createPace(clock);
    paces.set(archive, pace);
    return pace;
  };
  return {
    of,
    ofSender({ callingAeTitle }) {
      const name = nameBySender.get(callingAeTitle);
      return name === undefined ? undefined : of(name);
    },
  };
}

interface Receiving {
  readonly expectations: Expectations;
  readonly paces?: Paces;
  /** Takes what an archive sends over our own associations. */
  receive(archive: string): StoreHandler;
}

interface Parts {
  readonly settings: Settings;
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly violations: ViolationCounts;
}

/** Each archive of the settings, held to its windows, rate and rests. */
export function openArchives(parts: Parts, receiving: Receiving): ReadonlyMap<string, ArchiveFacts> {
  const { settings, store, clock, logger, violations } = parts;
  const paces = receiving.paces ?? createPaces(settings, clock);
  return new Map(
    settings.archives.map(({ name, address, retrieve, availability, ...security }) => {
      const asked = createDimseArchive({
        name,
        address,
        retrieve,
        logger,
        associations: availability.associations,
        callingAeTitle: settings.dicom.aeTitle,
        connection: connectionTo(settings, security, violations.note),
        quietMs: QUIET_MS,
        silenceMs: SILENCE_MS,
        clock,
        expectations: receiving.expectations,
        store: receiving.receive(name),
      });
      const governed = governArchive(asked, { policy: availability, store, clock, pace: paces.of(name) });
      const dimse = { address, retrieve };
      const endpoint = `${address.aeTitle}@${address.host}:${address.port}`;
      return [name, { archive: asked, governed, availability, endpoint, dimse, ...certificateFacts(address, security) }];
    }),
  );
}
