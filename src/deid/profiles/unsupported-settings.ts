import type { ProfileFinding } from "./profile-problems.ts";
import { memberAt } from "./values-at.ts";

interface Unsupported {
  readonly path: readonly string[];
  readonly isRefused: (value: unknown) => boolean;
  readonly message: string;
}

/** Settings that profiles may write and the engine does not carry out: refused at once, never ignored. */
const UNSUPPORTED: readonly Unsupported[] = [
  {
    path: ["sr"],
    isRefused: (value) => value === "skeleton" || value === "keep",
    message: "Structured reports are left out: only `exclude` is supported.",
  },
];

export function unsupportedSettings(values: unknown): readonly ProfileFinding[] {
  return UNSUPPORTED.flatMap(({ path, isRefused, message }): readonly ProfileFinding[] => {
    const written = path.reduce<unknown>((value, key) => memberAt(value, key), values);
    return isRefused(written) ? [{ path, code: "PROFILE_NOT_SUPPORTED", message }] : [];
  });
}
