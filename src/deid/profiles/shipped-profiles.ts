import { importPixlOperations } from "./import-pixl.ts";
import { pixlBaseOperations } from "./pixl-base.ts";
import type { WrittenProfile } from "./profile-document.ts";

/** Profiles that come with the program, by their names. */
const SHIPPED: ReadonlyMap<string, () => WrittenProfile> = new Map<string, () => WrittenProfile>([
  ["basic", () => ({ profile: "basic", version: 1, base: "basic-2026c" })],
  [
    "research",
    () => ({
      profile: "research",
      version: 1,
      base: "basic-2026c",
      options: [
        "retain-longitudinal-modified-dates",
        "retain-patient-characteristics",
        "clean-descriptors",
        "clean-structured-content",
        "clean-graphics",
        "retain-safe-private",
      ],
      sr: "keep",
      on_reject: "instance",
    }),
  ],
  // Patients are hashed with PIXL's secrets where the project has them, else with its key.
  [
    "pixl",
    () => {
      const options = { name: "pixl", acceptFreeText: true, pseudonyms: "hmac" } as const;
      return importPixlOperations({ base: pixlBaseOperations(), overrides: [] }, options).document;
    },
  ],
]);

export const SHIPPED_PROFILES: readonly string[] = [...SHIPPED.keys()];

/** Undefined: there is none of this name. */
export function shippedProfile(name: string): WrittenProfile | undefined {
  return SHIPPED.get(name)?.();
}
