import { resolve } from "node:path";
import { type FileProblem, problemOf } from "../../units/file-problems.ts";
import { maskDocument, masksOf } from "../pixels/mask-document.ts";
import type { PixelMask } from "../pixels/pixel-settings.ts";
import { ProfileError } from "./profile-problems.ts";
import { readYaml, schemaFindings } from "./read-profile.ts";

/**
 * The masks of every file, in the order of the files and of what is in them; paths are from the profile's folder.
 * @throws ProfileError with every problem of every file
 */
export function loadMasks(
  files: readonly string[],
  folder: string,
  readText: (path: string) => string,
): readonly PixelMask[] {
  const problems: FileProblem[] = [];
  const masks = files.flatMap((file, index): readonly PixelMask[] => {
    const refuse = (problem: FileProblem): void => {
      problems.push(inProfile(problem, index));
    };
    const text = readOrRefuse(resolve(folder, file), readText, refuse);
    if (text === undefined) return [];
    const { values, problems: malformed, locate } = readYaml(text);
    for (const problem of malformed) refuse(problem);
    if (malformed.length > 0) return [];
    const parsed = maskDocument.safeParse(values);
    if (parsed.success) return masksOf(parsed.data);
    for (const finding of schemaFindings(parsed.error.issues)) refuse(locate(finding));
    return [];
  });
  if (problems.length > 0) throw new ProfileError(problems);
  return masks;
}

function readOrRefuse(
  path: string,
  readText: (path: string) => string,
  refuse: (problem: FileProblem) => void,
): string | undefined {
  try {
    return readText(path);
  } catch (thrown) {
    if (!(thrown instanceof ProfileError)) throw thrown;
    for (const problem of thrown.problems) refuse(problem);
    return undefined;
  }
}

/** The entry of the profile, and in the message the place in the mask file. */
function inProfile({ path, line, column, code, message, remedy }: FileProblem, index: number): FileProblem {
  const entry = problemOf({ path: ["pixels", "masks", index], code: "PROFILE_VALUE_INVALID", remedy });
  if (code === "PROFILE_FILE_UNREADABLE") return { ...entry, message: "The mask file cannot be read." };
  const place = line === undefined ? "" : `, line ${line}, column ${column ?? 1}`;
  return { ...entry, message: `In the mask file${place}${path === "" ? "" : `, ${path}`}: ${message}` };
}
