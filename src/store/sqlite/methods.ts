import { type MethodName, methods, type OwnMethodName } from "../sql/methods.ts";
import { backUp } from "./backup.ts";
import type { SqliteSession } from "./session.ts";

type Answered = (session: SqliteSession, ...args: never) => unknown;

/** https://www.sqlite.org/pragma.html#pragma_wal_checkpoint: `busy` is 1 when somebody was in the way. */
function emptyJournal(session: SqliteSession): boolean {
  return session.get("emptyJournal")?.busy === 0;
}

const ownMethods = { backUp, emptyJournal } satisfies { readonly [N in OwnMethodName]: Answered };

/** Every method of the store over one session. */
export const sqliteMethods = { ...methods, ...ownMethods } satisfies { readonly [N in MethodName]: Answered };
