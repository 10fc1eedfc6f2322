import { join } from "node:path";
import { CATEGORIES, type Category } from "../../test/quality/fields.ts";
import { type PlantedSet, plantedSet } from "../../test/quality/planted-set.ts";
import { byPlace, overall, percent, REMOVALS, type Score, score } from "../../test/quality/score.ts";
import { isInstalled } from "../machine.ts";
import { QUALITY_CONTENDERS } from "../quality/contenders.ts";
import { DISAGREEMENTS } from "../quality/disagreements.ts";

/** How well programs de-identify one and the same set. */
export interface QualityResult {
  readonly files: number;
  readonly tokens: number;
  readonly actions: number;
  readonly contenders: readonly QualityScore[];
  readonly leftOut: readonly string[];
  readonly goals: readonly { readonly goal: string; readonly measured: string; readonly met: boolean }[];
}

interface QualityScore {
  readonly name: string;
  readonly categories: Readonly<Record<string, number>>;
  readonly overall: number;
  readonly leaked: number;
  readonly leakedByPlace: Readonly<Record<string, number>>;
  readonly delivered: number;
  /** Actions without their whole point in files that are there, by kind of object, category and element. */
  readonly misses: Readonly<Record<string, number>>;
}

const PLAN = { seed: 20_261_121, patients: 8, visitsPerPatient: 2 } as const;
const FEWEST_TOKENS = 3_000;
/** What must not be lost; all other categories allow nothing. */
const RETENTION: ReadonlySet<Category> = new Set(["tag retained", "text not null", "text retained", "pixels retained"]);
const RETENTION_GOAL_PERCENT = 99.5;

/** Scores every contender that is installed, one after the other. @param folder is made; what is in it is the caller's to remove */
export async function deidQuality(folder: string, isWanted: (name: string) => boolean): Promise<QualityResult> {
  const set = await plantedSet(PLAN);
  if (set.tokens.length < FEWEST_TOKENS) throw new Error(`${set.tokens.length} tokens prove too little`);
  const contenders: QualityScore[] = [];
  const leftOut: string[] = [];
  for (const [index, { name, program, run }] of QUALITY_CONTENDERS.entries()) {
    if (!isWanted(name)) continue;
    if (program !== undefined && !isInstalled(program)) {
      leftOut.push(`${name}: not installed`);
      continue;
    }
    const outputs = await run(set, join(folder, `quality-${index}`)).catch((thrown: unknown) => String(thrown));
    if (typeof outputs === "string") leftOut.push(`${name}: ${outputs}`);
    else contenders.push(scoreOf(name, await score(set, outputs)));
  }
  const ours = contenders.filter(({ name }) => name.startsWith("radferry"));
  const goals = ours.flatMap((one, index) => goalsOf(one, index === 0 ? CATEGORIES : [...REMOVALS]));
  return { ...sizesOf(set), contenders, leftOut, goals };
}

function sizesOf({ files, tokens }: PlantedSet): Pick<QualityResult, "files" | "tokens" | "actions"> {
  const actions = files.reduce((sum, file) => sum + file.actions.length, 0);
  return { files: files.length, tokens: tokens.length, actions };
}

function scoreOf(name: string, { categories, leaked, files, misses }: Score): QualityScore {
  const counted = new Map<string, number>();
  for (const { modality, category, path } of misses) {
    const key = `${modality}, ${category}, ${path}`;
    counted.set(key, (counted.get(key) ?? 0) + 1);
  }
  return {
    name,
    categories: Object.fromEntries([...categories].map(([category, points]) => [category, percent(points)])),
    overall: overall(categories),
    leaked: leaked.size,
    leakedByPlace: Object.fromEntries(byPlace(leaked)),
    delivered: files.points,
    misses: Object.fromEntries(counted),
  };
}

/** A profile that leaves more out is not held to what it keeps. */
function goalsOf({ name, categories, leaked }: QualityScore, held: readonly Category[]): QualityResult["goals"] {
  const byCategory = held.map((category) => {
    const goal = RETENTION.has(category) ? RETENTION_GOAL_PERCENT : 100;
    const measured = categories[category] ?? 0;
    return { goal: `${name}, ${category} ≥ ${goal} %`, measured: shown(measured), met: measured >= goal };
  });
  return [...byCategory, { goal: `${name}, leaked tokens ≤ 0`, measured: `${leaked}`, met: leaked === 0 }];
}

/** Rounded down: 100 % is said of what is whole and of nothing else. */
function shown(share: number): string {
  return `${(Math.floor(share * 100) / 100).toFixed(2)} %`;
}

/** The tables as Markdown. */
export function* qualityLines(result: QualityResult): Generator<string> {
  const { contenders, files, tokens, actions, leftOut, goals } = result;
  yield "";
  yield `### De-identification of ${files} objects: ${actions} planted actions, ${tokens} tokens`;
  yield "";
  yield* table(
    ["", ...contenders.map(({ name }) => name)],
    [
      ...CATEGORIES.map((category) => [category, ...contenders.map((one) => shown(one.categories[category] ?? 0))]),
      ["all categories alike", ...contenders.map((one) => shown(one.overall))],
      [`leaked tokens of ${tokens}`, ...contenders.map((one) => `${one.leaked}`)],
      [`objects of ${files}`, ...contenders.map((one) => `${one.delivered}`)],
    ],
  );
  const places = [...new Set(contenders.flatMap(({ leakedByPlace }) => Object.keys(leakedByPlace)))].sort();
  if (places.length > 0) {
    yield "";
    yield* table(
      ["leaked from", ...contenders.map(({ name }) => name)],
      places.map((place) => [place, ...contenders.map((one) => `${one.leakedByPlace[place] ?? 0}`)]),
    );
  }
  yield "";
  for (const { goal, measured, met } of goals) yield `- ${met ? "met" : "MISSED"}: ${goal}: ${measured}`;
  for (const line of leftOut) yield `- left out: ${line}`;
  const [ours] = contenders;
  yield "";
  yield "Not kept, counted above as a loss where it is in the set:";
  yield "";
  for (const line of DISAGREEMENTS) yield `- ${line}`;
  const misses = Object.entries(ours?.misses ?? {});
  if (misses.length > 0) {
    yield "";
    yield `Every action that ${ours?.name} has no whole point for: ${misses.map(([action, count]) => `${action} (${count} ×)`).join("; ")}.`;
  }
}

function* table(head: readonly string[], rows: readonly (readonly string[])[]): Generator<string> {
  yield `| ${head.join(" | ")} |`;
  yield `|${"---|".repeat(head.length)}`;
  for (const row of rows) yield `| ${row.join(" | ")} |`;
}
