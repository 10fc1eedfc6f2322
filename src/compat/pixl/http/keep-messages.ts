import type { InboxStore } from "../../../store/inbox.ts";
import type { Clock } from "../../../units/clock.ts";
import { AnswerError } from "../../fastapi/answer-error.ts";
import { IMAGING_QUEUES } from "../intake/queues.ts";
import type { PixlContext } from "./routes.ts";

export interface KeepOptions {
  readonly store: Pick<InboxStore, "addInboxMessage" | "unfinishedInboxMessages">;
  readonly clock: Clock;
  /** Messages were stored. */
  readonly onStored: () => void;
}

/** A year of a hospital's studies. */
const MOST_WAITING = 200_000;
/** So many are stored at once. */
const AT_ONCE = 500;

/** Messages by HTTP count as come from the first queue, whatever room there is for those of the broker. */
export function keepMessages({ store, clock, onStored }: KeepOptions): PixlContext["keep"] {
  const [queue] = IMAGING_QUEUES;
  return async (bodies, priority) => {
    if ((await store.unfinishedInboxMessages(queue)) + bodies.length > MOST_WAITING)
      throw new AnswerError(503, "Too many messages wait", { code: "PIXL_BACKLOG_FULL" });
    let joined = 0;
    for (let from = 0; from < bodies.length; from += AT_ONCE) {
      const adding = bodies
        .slice(from, from + AT_ONCE)
        .map((body) => store.addInboxMessage({ queue, body, priority }, clock.nowMs()));
      joined += (await Promise.all(adding)).filter(({ isJoined }) => isJoined).length;
    }
    onStored();
    return joined;
  };
}
