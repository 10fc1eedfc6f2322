import { createDeidentifier, type Deidentifier, type DeidentifierOptions } from "../deidentifier.ts";
import { type ProfileSource, reloadProfile, sourceOf } from "../profiles/profile-source.ts";
import { type LookupRows, lookupTableOfRows, rowsOf } from "../pseudonyms/lookup-rows.ts";
import { projectKeyOf, secretOf } from "../pseudonyms/project-key.ts";

/** Everything an engine is made of, as data: secrets go to another thread by message, never by environment or arguments. */
export interface EngineRecipe {
  readonly profile: ProfileSource;
  /** What the other thread compiles must come to the same. */
  readonly profileHash: string;
  readonly key: Uint8Array;
  readonly lookup: LookupRows | undefined;
  readonly plain: PlainOptions;
}

type PlainOptions = Omit<DeidentifierOptions, "profile" | "key" | "lookup" | "blocking">;

/** A longer table stays on one thread: every other one would hold a copy of it. */
const LOOKUP_ROW_LIMIT = 50_000;

/** Undefined when some part cannot be passed on: then this thread alone has the engine. */
export function recipeOf(options: DeidentifierOptions): EngineRecipe | undefined {
  const { profile, key, lookup, blocking: _, ...plain } = options;
  const source = sourceOf(profile);
  const secret = secretOf(key);
  const rows = lookup === undefined ? undefined : rowsOf(lookup);
  if (source === undefined || secret === undefined || !isPlain(plain)) return undefined;
  if (lookup !== undefined && (rows === undefined || rowCount(rows) > LOOKUP_ROW_LIMIT)) return undefined;
  return { profile: source, profileHash: profile.hash, key: secret, lookup: rows, plain };
}

/** Whether it can be sent to another thread. What comes of settings can; a program that uses the library may give functions, which cannot. */
function isPlain(value: unknown): boolean {
  if (typeof value === "function") return false;
  return typeof value !== "object" || value === null || Object.values(value).every(isPlain);
}

function rowCount(rows: LookupRows): number {
  return Object.values(rows).reduce((sum, { size }) => sum + size, 0);
}

/**
 * The engine of a recipe, for a worker thread: it may block on the disk, as the thread does nothing else.
 * @throws TypeError when the profile does not come to the same
 */
export async function deidentifierOf(recipe: EngineRecipe): Promise<Deidentifier> {
  const { profile, profileHash, key, lookup, plain } = recipe;
  const reloaded = await reloadProfile(profile);
  if (reloaded.hash !== profileHash) throw new TypeError("the profile is another one in this thread");
  return createDeidentifier({
    ...plain,
    blocking: true,
    profile: reloaded,
    key: projectKeyOf(key),
    lookup: lookup === undefined ? undefined : lookupTableOfRows(lookup),
  });
}
