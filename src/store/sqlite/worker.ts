import { parentPort, workerData } from "node:worker_threads";
import { toGatewayError } from "../../errors/gateway-error.ts";
import { systemClock } from "../../units/clock.ts";
import { asStoreError, openDatabase } from "./database.ts";
import { type MethodName, methods, READS } from "./methods.ts";
import type { FromStore, StoreFailure, ToStore } from "./protocol.ts";
import { openSession, type Session } from "./session.ts";

/** Calls that share one transaction at most, so that no caller waits for a very long one. */
const MAXIMUM_GROUP = 512;

type Call = Extract<ToStore, { readonly call: number }>;

const port = parentPort;
if (port === null) throw new Error("runs as a worker thread only");

const answer = (message: FromStore): void => port.postMessage(message);
const inbox: Call[] = [];
let session: Session | undefined;
let closing = false;

try {
  session = openSession(openDatabase(workerData.path, systemClock.nowMs()));
  answer({ ready: true });
} catch (thrown) {
  answer({ refused: failureOf(thrown) });
  port.close();
}

port.on("message", (message: ToStore) => {
  if ("close" in message) closing = true;
  else inbox.push(message);
  // Everything that has arrived by then goes into one transaction: one fsync serves all.
  if (inbox.length <= 1) setImmediate(drain);
});

function drain(): void {
  if (session === undefined) return;
  while (inbox.length > 0) runGroup(session, inbox.splice(0, MAXIMUM_GROUP));
  if (!closing) return;
  session.database.close();
  session = undefined;
  port?.close();
}

function runGroup(open: Session, calls: readonly Call[]): void {
  const isWriting = calls.some(({ method }) => !READS.has(method));
  let answers: readonly FromStore[];
  try {
    if (isWriting) open.database.exec("BEGIN IMMEDIATE");
    answers = calls.map((call) => runCall(open, call, isWriting));
    if (isWriting) open.database.exec("COMMIT");
  } catch (thrown) {
    if (open.database.isTransaction) open.database.exec("ROLLBACK");
    answers = calls.map(({ call }) => ({ call, failure: failureOf(thrown) }));
  }
  // Only now is what they say durable.
  for (const one of answers) answer(one);
}

/** One call that fails undoes itself alone. */
function runCall(open: Session, { call, method, args }: Call, inTransaction: boolean): FromStore {
  if (inTransaction) open.database.exec("SAVEPOINT one_call");
  try {
    const value = invoke(open, method, args);
    if (inTransaction) open.database.exec("RELEASE one_call");
    return { call, value };
  } catch (thrown) {
    // A full disk may have ended the whole transaction already: then the group fails together.
    if (inTransaction && !open.database.isTransaction) throw thrown;
    if (inTransaction) open.database.exec("ROLLBACK TO one_call; RELEASE one_call");
    return { call, failure: failureOf(thrown) };
  }
}

function invoke(open: Session, method: MethodName, args: readonly unknown[]): unknown {
  const run = methods[method] as (session: Session, ...args: readonly unknown[]) => unknown;
  return run(open, ...args);
}

function failureOf(thrown: unknown): StoreFailure {
  const error = toGatewayError(asStoreError(thrown));
  const cause = error.cause instanceof Error ? error.cause : error;
  return { code: error.code, details: error.details, stack: cause.stack };
}
