import type { Ledger } from "../../acquisition/ledger.ts";
import type { Uploads } from "../../acquisition/uploads.ts";
import type { Store } from "../../store/store.ts";
import type { Clock } from "../../units/clock.ts";
import type { Logger } from "../../units/logger.ts";
import type { Random } from "../../units/random.ts";
import type { DeviceRegistry } from "./device/registry.ts";
import type { ScanHubSettings } from "./settings.ts";

/** What requests and devices work with. */
export interface ScanHubWorld {
  readonly settings: ScanHubSettings;
  readonly store: Store;
  readonly ledger: Ledger;
  readonly uploads: Uploads;
  readonly registry: DeviceRegistry;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}
