import type { FaceName } from "../config/manifest-compat.ts";
import type { Settings } from "../config/settings.ts";
import type { Environment } from "../config/settings-file.ts";
import type { Operations } from "../operations/operations.ts";
import type { Store } from "../store/store.ts";
import type { Actor } from "../units/actor.ts";
import type { Clock } from "../units/clock.ts";
import type { Logger } from "../units/logger.ts";
import type { Random } from "../units/random.ts";
import { environmentOf } from "./face-environment.ts";
import type { Alone } from "./keep-alone.ts";
import type { openFlipOver } from "./open-flip.ts";

/** What a face inside the service works with; the store and its lock are the service's. */
export interface FaceParts {
  readonly settings: Settings;
  readonly store: Store;
  /** What the gateway can be asked, in somebody's name. */
  readonly operationsFor: (actor: Actor) => Operations;
  readonly host: string;
  readonly port: number;
  /** The original's own names. */
  readonly environment: Environment;
  readonly version: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** For what one gateway at a time does of those that share the store. */
  readonly alone: Alone;
}

/** A face that listens. Disposing closes it. */
export interface Face extends AsyncDisposable {
  /** Undefined: another gateway shows it now. */
  readonly port: number | undefined;
  /** Work under way comes to its end, or to where it can be taken up again. */
  drain(): Promise<void>;
}

/** Faces that the settings switch on. */
export interface OpenFaces {
  readonly flip: Awaited<ReturnType<typeof openFlipOver>> | undefined;
  readonly pixl: Face | undefined;
  readonly scanhub: Face | undefined;
}

/** Opens every face that the settings switch on. @throws SettingsError, GatewayError when its port is taken */
export async function openFaces(
  parts: Omit<FaceParts, "host" | "port">,
  opened: AsyncDisposableStack,
): Promise<OpenFaces> {
  const open = async <F extends Face>(name: FaceName, opener: (own: FaceParts) => Promise<F>) => {
    const settings = parts.settings.compat[name];
    if (settings === undefined) return undefined;
    const { host, port } = settings;
    const environment = await environmentOf(settings, parts.environment);
    const face = opened.use(await opener({ ...parts, environment, host, port }));
    const isOpen = face.port !== undefined;
    parts.logger.info(isOpen ? "face is ready" : "face waits for its turn", {
      kind: name,
      host,
      port: face.port ?? port,
    });
    return face;
  };
  // Each is loaded where it is switched on: a service without it is smaller, and starts sooner.
  return {
    flip: await open("flip", async (own) => (await import("./open-flip.ts")).openFlipOver(own)),
    pixl: await open("pixl", async (own) => (await import("./open-pixl.ts")).openPixlOver(own)),
    scanhub: await open("scanhub", async (own) => (await import("./open-scanhub.ts")).openScanHubWithin(own)),
  } satisfies { readonly [Name in FaceName]: Face | undefined };
}
