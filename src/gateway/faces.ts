import { readEnvironmentFile } from "../config/environment-file.ts";
import { FACE_NAMES, type FaceName } from "../config/manifest-compat.ts";
import type { FaceSettings, Settings } from "../config/settings.ts";
import type { Environment } from "../config/settings-file.ts";
import type { Operations } from "../operations/operations.ts";
import type { Store } from "../store/store.ts";
import type { Actor } from "../units/actor.ts";
import type { Clock } from "../units/clock.ts";
import type { Logger } from "../units/logger.ts";
import type { Random } from "../units/random.ts";
import { openFlipOver } from "./open-flip.ts";

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
}

/** A face that listens. Disposing closes it. */
export interface Face extends AsyncDisposable {
  readonly port: number;
  /** Work under way comes to its end, or to where it can be taken up again. */
  drain(): Promise<void>;
}

/** How each face is opened inside the service. @throws SettingsError, GatewayError when its port is taken */
const OPENERS = {
  flip: openFlipOver,
} as const satisfies { readonly [Name in FaceName]: (parts: FaceParts) => Promise<Face> };

export type OpenFaces = { readonly [Name in FaceName]?: Awaited<ReturnType<(typeof OPENERS)[Name]>> };

/** Every face that the settings switch on, in the order of their names. */
export async function openFaces(
  parts: Omit<FaceParts, "host" | "port">,
  opened: AsyncDisposableStack,
): Promise<OpenFaces> {
  const faces: { -readonly [Name in FaceName]?: OpenFaces[Name] } = {};
  for (const name of FACE_NAMES) {
    const face = parts.settings.compat[name];
    if (face === undefined) continue;
    const { host, port } = face;
    const environment = await environmentOf(face, parts.environment);
    faces[name] = opened.use(await OPENERS[name]({ ...parts, environment, host, port }));
    parts.logger.info("face is ready", { kind: name, host, port: faces[name].port });
  }
  return faces;
}

async function environmentOf({ environmentFile }: FaceSettings, own: Environment): Promise<Environment> {
  return environmentFile === undefined ? own : { ...own, ...(await readEnvironmentFile(environmentFile)) };
}
