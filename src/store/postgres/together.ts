import type { ClaimedJob } from "../records.ts";
import { type MethodName, methods } from "../sql/methods.ts";
import type { Store } from "../store.ts";
import { gather } from "./gather.ts";
import {
  type ClaimAsked,
  claimAfterWaking,
  claimAtOnce,
  isEndAlone,
  type SettleAsked,
  settleAtOnce,
} from "./methods.ts";
import type { PostgresSession } from "./session.ts";

/** Claims, or ends of jobs, of one statement. */
const MOST_TOGETHER = 64;

/** What is a statement of its own, for one caller or for several that ask at one moment; other methods are a transaction each. */
export type Together = { readonly [N in MethodName]?: (...args: Parameters<Store[N]>) => ReturnType<Store[N]> };

type Work<T> = (session: PostgresSession) => Promise<T>;

interface Ways {
  /** Each statement is a transaction by itself. */
  alone<T>(work: Work<T>): Promise<T>;
  within<T>(work: Work<T>): Promise<T>;
  /** With all that there is to write. */
  settle: Store["settle"];
}

/** The end of one job and the claim of the next. */
type TurnAsked = SettleAsked & ClaimAsked;

interface TurnTaken {
  readonly isEnded: boolean;
  readonly isAnswered: boolean;
  readonly claimed: ClaimedJob | undefined;
}

export function createTogether({ alone, within, settle }: Ways): Together {
  const claims = gather(
    MOST_TOGETHER,
    async (asked: readonly ClaimAsked[]) =>
      (await alone((session) => claimAtOnce(session, asked))) ??
      (await within((session) => claimAfterWaking(session, asked))),
  );
  const ends = gather(MOST_TOGETHER, (asked: readonly SettleAsked[]) =>
    alone((session) => settleAtOnce(session, asked)),
  );
  const turns = gather(MOST_TOGETHER, (asked: readonly TurnAsked[]) => within((session) => takeTurns(session, asked)));
  return {
    claim: (worker, leaseMs, nowMs) => claims({ worker, leaseMs, nowMs }),
    async settle(lease, outcome, nowMs) {
      return (isEndAlone(outcome) && (await ends({ lease, outcome, nowMs }))) || (await settle(lease, outcome, nowMs));
    },
    async settleAndClaim(lease, outcome, { worker, leaseMs }, nowMs) {
      const claim = { worker, leaseMs, nowMs };
      const turn = isEndAlone(outcome) ? await turns({ lease, outcome, ...claim }) : undefined;
      return {
        isSettled: turn?.isEnded === true || (await settle(lease, outcome, nowMs)),
        claimed: turn?.isAnswered === true ? turn.claimed : await claims(claim),
      };
    },
    renew: (...args) => alone((session) => methods.renew(session, ...args)),
  };
}

async function takeTurns(session: PostgresSession, asked: readonly TurnAsked[]): Promise<readonly TurnTaken[]> {
  // Told one behind the other, without waiting for the first answer.
  const ended = settleAtOnce(session, asked);
  const found = claimAtOnce(session, asked);
  await Promise.allSettled([ended, found]);
  const [isEnded, claimed] = [await ended, await found];
  return asked.map((_, index) => ({
    isEnded: isEnded[index] === true,
    // What is due is woken by who asks alone; and who got none while others got some asks again.
    isAnswered: claimed !== undefined && index < claimed.length,
    claimed: claimed?.[index],
  }));
}
