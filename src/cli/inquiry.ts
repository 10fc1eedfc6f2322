import type { InquiryDocument, InquiryItem } from "../operations/inquiries.ts";
import type { Operations } from "../operations/operations.ts";
import type { Cli } from "./cli.ts";
import { openProgress } from "./progress.ts";

const POLL_MS = 250;
const PAGE = 1_000;

/** Looks until the inquiry is done, with a bar on a terminal; a signal to stop ends the inquiry, and what it found so far counts. */
export async function followInquiry<D extends InquiryDocument>(
  { world }: Pick<Cli, "world">,
  operations: Pick<Operations, "showInquiry" | "cancelInquiry">,
  { begun, unit }: { readonly begun: D; readonly unit: string },
): Promise<D> {
  using progress = await openProgress(world.stderr, unit);
  let document = begun;
  while (document.state === "running") {
    progress.update(document.progress.done, document.progress.total, "");
    await world.clock.sleep(POLL_MS, world.stop).catch((thrown: unknown) => {
      if (!world.stop.aborted) throw thrown;
    });
    const { id } = document;
    const looked = world.stop.aborted ? await operations.cancelInquiry(id) : await operations.showInquiry(id);
    document = { ...begun, ...looked };
  }
  progress.update(document.progress.done, document.progress.total, "");
  return document;
}

export async function* itemsOf<I extends InquiryItem>(
  operations: Pick<Operations, "inquiryItems">,
  id: string,
  isWanted: (item: InquiryItem) => item is I,
): AsyncGenerator<I> {
  for (let after = 0; ; ) {
    const items = await operations.inquiryItems(id, { after, limit: PAGE });
    yield* items.filter(isWanted);
    after = items.at(-1)?.number ?? after;
    if (items.length < PAGE) return;
  }
}
