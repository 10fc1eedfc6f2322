import { compileProfile } from "./compile-profile.ts";
import type { Profile } from "./profile.ts";
import type { ProfileDocument } from "./profile-document.ts";

/** What a profile was compiled from: plain data, so that another thread compiles the same. */
export interface ProfileSource {
  readonly document: ProfileDocument;
  /** Mask files are found from here. */
  readonly folder: string;
  /** Of the mask files, by path, as they were read. */
  readonly texts: ReadonlyMap<string, string>;
}

/** Beside the profiles, so that a changed copy of one has none. */
const sources = new WeakMap<Profile, ProfileSource>();

export function rememberSource(profile: Profile, source: ProfileSource): void {
  sources.set(profile, source);
}

/** Undefined for a profile that was not loaded, but put together. */
export function sourceOf(profile: Profile): ProfileSource | undefined {
  return sources.get(profile);
}

/** The same profile, from its source alone. What reads masks is loaded only for a profile that has some. */
export async function reloadProfile({ document, folder, texts }: ProfileSource): Promise<Profile> {
  if (texts.size === 0) return compileProfile(document, []);
  const { loadMasks } = await import("./load-masks.ts");
  return compileProfile(
    document,
    loadMasks(document.pixels.masks, folder, (path) => texts.get(path) ?? ""),
  );
}
