import { GatewayError } from "../../../errors/gateway-error.ts";
import type { FinishedInboxPage, InboxStore } from "../../../store/inbox.ts";
import { IMAGING_QUEUES } from "../intake/queues.ts";
import { deserialise } from "../messages/deserialise.ts";
import type { Message } from "../messages/message.ts";

/** Messages looked at together. */
const PAGE = 500;
/** Pages of one queue and state: more than are kept of them. */
const MAXIMUM_PAGES = 1_000;
const STATES = ["done", "failed"] as const;

export type FinishedMessages = Pick<InboxStore, "finishedInboxMessages" | "removeInboxMessages">;

/** Who was withdrawn, as far as messages are to be forgotten. */
export interface WithdrawnPatients {
  /** Whether anybody was, from any project: most sites need not look at their messages. */
  any(): Promise<boolean>;
  /** @throws GatewayError while that cannot be told */
  ofProject(project: string): Promise<(patientId: string) => boolean>;
  /** What was removed is to be gone from the store's journal too. */
  onRemoved(): Promise<void>;
}

/** Removes finished messages of patients who were withdrawn from the message's project. What cannot be read is nobody's, and stays its time. */
export async function forgetWithdrawn(
  store: FinishedMessages,
  { any, ofProject, onRemoved }: WithdrawnPatients,
  stop: AbortSignal,
): Promise<void> {
  if (!(await any())) return;
  const lists = new Map<string, Promise<(patientId: string) => boolean>>();
  const isTheirs = async (body: Uint8Array): Promise<boolean> => {
    const message = readable(body);
    if (message === undefined) return false;
    const { projectName, mrn } = message;
    const list = lists.get(projectName) ?? ofProject(projectName);
    lists.set(projectName, list);
    return (await list)(mrn);
  };
  let removed = 0;
  for (const queue of IMAGING_QUEUES)
    for (const state of STATES) {
      let after = 0;
      for (let page = 0; page < MAXIMUM_PAGES && !stop.aborted; page += 1) {
        const looked = await removeTheirs(store, { queue, state, after, limit: PAGE }, isTheirs);
        removed += looked.removed;
        if (looked.last === undefined) break;
        after = looked.last;
      }
    }
  if (removed > 0) await onRemoved();
}

/** Answers the number of the last one looked at, unless there are no more. */
async function removeTheirs(
  store: FinishedMessages,
  page: FinishedInboxPage,
  isTheirs: (body: Uint8Array) => Promise<boolean>,
): Promise<{ readonly removed: number; readonly last: number | undefined }> {
  const messages = await store.finishedInboxMessages(page);
  const theirs: number[] = [];
  for (const { number, body } of messages) if (await isTheirs(body)) theirs.push(number);
  if (theirs.length > 0) await store.removeInboxMessages(theirs);
  return { removed: theirs.length, last: messages.length < page.limit ? undefined : messages.at(-1)?.number };
}

function readable(body: Uint8Array): Message | undefined {
  try {
    return deserialise(body);
  } catch (thrown) {
    if (thrown instanceof GatewayError) return undefined;
    throw thrown;
  }
}
