import { readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { GatewayError } from "../../errors/gateway-error.ts";
import { type FileProblem, problemOf } from "../../units/file-problems.ts";
import { checkProfile } from "./check-profile.ts";
import { compileProfile } from "./compile-profile.ts";
import { loadMasks } from "./load-masks.ts";
import type { Profile } from "./profile.ts";
import { type ProfileDocument, profileDocument } from "./profile-document.ts";
import { isProfilePath } from "./profile-path.ts";
import { ProfileError } from "./profile-problems.ts";
import { rememberSource } from "./profile-source.ts";
import { readYaml, schemaFindings } from "./read-profile.ts";
import { shippedProfile } from "./shipped-profiles.ts";

/** A profile's file is text for people. */
const SIZE_LIMIT_BYTES = 1 << 20;

/** What was read of a profile, and everything that is wrong with it. */
export interface ProfileCheck {
  /** Undefined when something is wrong. */
  readonly document: ProfileDocument | undefined;
  readonly problems: readonly FileProblem[];
}

/**
 * A shipped profile by its name, or one from a file: a path holds a dot or a slash.
 * @throws GatewayError PROFILE_UNKNOWN; ProfileError with every problem of the file
 */
export function loadProfile(nameOrPath: string): Profile {
  const texts = new Map<string, string>();
  const read = (path: string): string => {
    const text = readProfileText(path);
    texts.set(path, text);
    return text;
  };
  const document = loadProfileDocument(nameOrPath);
  const folder = dirname(nameOrPath);
  const profile = compileProfile(document, loadMasks(document.pixels.masks, folder, read));
  rememberSource(profile, { document, folder, texts });
  return profile;
}

/** @throws GatewayError PROFILE_UNKNOWN; ProfileError */
export function loadProfileDocument(nameOrPath: string): ProfileDocument {
  const shipped = shippedProfile(nameOrPath);
  if (shipped !== undefined) return profileDocument.parse(shipped);
  if (!isProfilePath(nameOrPath)) throw new GatewayError("PROFILE_UNKNOWN", { profile: nameOrPath });
  const { document, problems } = checkProfileText(readProfileText(nameOrPath));
  if (document === undefined) throw new ProfileError(problems);
  return document;
}

/** Reads a profile from its text, with every problem at once. */
export function checkProfileText(text: string): ProfileCheck {
  const { values, problems, locate } = readYaml(text);
  if (problems.length > 0) return { document: undefined, problems };
  const parsed = profileDocument.safeParse(values);
  const findings = [...(parsed.success ? [] : schemaFindings(parsed.error.issues)), ...checkProfile(values)];
  if (parsed.success && findings.length === 0) return { document: parsed.data, problems: [] };
  return { document: undefined, problems: findings.map(locate).sort(byPlace) };
}

function byPlace(a: FileProblem, b: FileProblem): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}

/** @throws ProfileError when it cannot be read, or is too long */
export function readProfileText(path: string): string {
  try {
    if (statSync(path).size <= SIZE_LIMIT_BYTES) return readFileSync(path, "utf8");
  } catch {
    // Whatever it is, the file cannot be used.
  }
  throw new ProfileError([problemOf({ path: [], code: "PROFILE_FILE_UNREADABLE" })]);
}
