import { createWriteStream } from "node:fs";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { neverAborted } from "../../units/abort.ts";
import { makeFolders } from "../../units/make-folders.ts";
import { submitCohort } from "../cohorts.ts";
import type { OperationsContext } from "../context.ts";
import type { SubmitDocument } from "../documents.ts";
import type { ItemPage, SearchDocument } from "../inquiries.ts";
import { askArchive, checkWish } from "./ask-archive.ts";
import type { FoundChoice, FoundStudy, SearchWish } from "./documents.ts";
import { estimate } from "./estimate.ts";
import { cohortFileOf, countFound, createFoundFile } from "./found-studies.ts";
import { archiveOf } from "./of-project.ts";

/** A file that nothing was written to for so long was left by a process that died: a search removes its own. */
const LEFT_BEHIND_MS = 24 * 3_600_000;

/** See `Operations.searchCohort`. */
export async function searchCohort(context: OperationsContext, wish: SearchWish): Promise<SearchDocument> {
  const { project } = wish;
  const facts = archiveOf(context, wish);
  const { archive, governed } = facts;
  const checked = checkWish(wish);
  const expected = await estimate(context, facts, { wish, checked });
  await governed.whileOpen(async () => undefined, neverAborted());
  const detail = { archive: wish.archive, queries: wish.queries.length };
  await context.audit.record({ event: "cohort-searched", actor: context.actor, outcome: "success", project, detail });
  const file = wish.countOnly === true ? undefined : await createFoundFile(await pathOfFound(context));
  const subject = { project, archive: wish.archive, total: wish.queries.length, estimate: expected, file };
  try {
    return context.inquiries.beginSearch(subject, async (tell, signal) => {
      const found = file ?? countFound();
      const asking = { archive, governed, found, signal, nowMs: context.clock.nowMs() };
      const { isFull: _, ...summary } = await askArchive(asking, checked, tell);
      return { ...summary, isKept: file !== undefined };
    });
  } catch (thrown) {
    // It was not begun, so that nothing else will remove its file.
    await file?.remove();
    throw thrown;
  }
}

/** A path for what a search finds, of no file yet. Files that processes left when they died are removed on the way. */
export async function pathOfFound(context: FoundPlace): Promise<string> {
  const folder = searchesIn(context);
  await makeFolders(folder, { mode: 0o700 });
  for (const name of await readdir(folder)) {
    const { mtimeMs } = await stat(join(folder, name)).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (context.clock.nowMs() - mtimeMs > LEFT_BEHIND_MS) await rm(join(folder, name), { force: true });
  }
  return randomPath(context, ".jsonl");
}

/** A path for the cohort file that is made of what was found, of no file yet. */
export function pathOfCohortFile(context: FoundPlace): string {
  return randomPath(context, ".csv");
}

type FoundPlace = Pick<OperationsContext, "home" | "random" | "clock">;

function searchesIn({ home }: Pick<FoundPlace, "home">): string {
  return join(home, "searches");
}

function randomPath({ home, random }: Pick<FoundPlace, "home" | "random">, extension: string): string {
  return join(searchesIn({ home }), `${Buffer.from(random.bytes(12)).toString("hex")}${extension}`);
}

/** See `Operations.searchResult`. That it is given out is written down first. */
export async function* searchResult(context: OperationsContext, id: string): AsyncGenerator<Uint8Array> {
  const found = await givenOut(context, id);
  for await (const piece of cohortFileOf(found.after(0))) yield Buffer.from(piece);
}

/** See `Operations.searchStudies`. */
export async function* searchStudies(
  context: OperationsContext,
  id: string,
  { after, limit }: ItemPage,
): AsyncGenerator<FoundStudy> {
  const found = await givenOut(context, id);
  let given = 0;
  for await (const study of found.after(after)) {
    if (given >= limit) return;
    given += 1;
    yield study;
  }
}

async function givenOut({ inquiries, actor, audit }: OperationsContext, id: string) {
  const { project, file } = inquiries.found(id, actor);
  await audit.record({ event: "cohort-searched", actor, outcome: "success", project, detail: { given: true } });
  return file;
}

/** See `Operations.submitSearch`. */
export async function submitSearch(
  context: OperationsContext,
  id: string,
  choice: FoundChoice = { without: [] },
): Promise<SubmitDocument> {
  const { project, file } = context.inquiries.found(id, context.actor);
  const numbers = new Set("only" in choice ? choice.only : choice.without);
  const isWanted = ({ number }: FoundStudy): boolean => numbers.has(number) === "only" in choice;
  const path = pathOfCohortFile(context);
  try {
    await writeCohortFile(path, chosen(file.after(0), isWanted));
    return await submitCohort(context, path, project);
  } finally {
    await rm(path, { force: true });
  }
}

/** Only its owner may read it. */
export async function writeCohortFile(path: string, studies: AsyncIterable<FoundStudy>): Promise<void> {
  await pipeline(Readable.from(cohortFileOf(studies)), createWriteStream(path, { flags: "wx", mode: 0o600 }));
}

async function* chosen(
  studies: AsyncIterable<FoundStudy>,
  isWanted: (study: FoundStudy) => boolean,
): AsyncGenerator<FoundStudy> {
  for await (const study of studies) if (isWanted(study)) yield study;
}
