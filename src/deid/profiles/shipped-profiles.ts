import type { WrittenProfile } from "./profile-document.ts";

/** Profiles that come with the program, by their names. */
export const SHIPPED_PROFILES: ReadonlyMap<string, WrittenProfile> = new Map<string, WrittenProfile>([
  ["basic", { profile: "basic", version: 1, base: "basic-2026c" }],
  [
    "research",
    {
      profile: "research",
      version: 1,
      base: "basic-2026c",
      options: ["retain-longitudinal-modified-dates", "retain-patient-characteristics"],
      on_reject: "instance",
    },
  ],
]);
