import { availableParallelism } from "node:os";
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { toGatewayError } from "../../errors/gateway-error.ts";
import { renewWitness } from "../sql/audit.ts";
import { inTurn } from "../sql/in-turn.ts";
import { type MethodName, READS } from "../sql/methods.ts";
import { asStoreError, openDatabase, openRehearsal } from "./database.ts";
import { sqliteMethods } from "./methods.ts";
import type { Answer, FromStore, StoreFailure, StoreStart, ToStore } from "./protocol.ts";
import { openSession, type SqliteSession } from "./session.ts";

/** Calls that share one transaction at most, so that no caller waits for a very long one. */
const MAXIMUM_GROUP = 512;
/** So many that are answered together are workers that ask again at once: the thread stays awake for them, where another processor is theirs. */
const BUSY_GROUP = 4;
const STAY_AWAKE_MS = availableParallelism() > 1 ? 0.3 : 0;

type Call = Extract<ToStore, { readonly call: number }>;

if (parentPort === null) throw new Error("runs as a worker thread only");
const port: MessagePort = parentPort;

const say = (message: FromStore): void => port.postMessage(message);
const inbox: Call[] = [];
let session: SqliteSession | undefined;
const { path, nowMs, isRehearsal } = workerData as StoreStart;
let closing = false;
let isDrainDue = false;

try {
  session = openSession(isRehearsal ? openRehearsal(path, nowMs) : openDatabase(path, nowMs), path);
  port.on("message", receive);
  say({ ready: true });
} catch (thrown) {
  say({ refused: failureOf(thrown) });
  port.close();
}

function take(messages: readonly ToStore[]): void {
  for (const message of messages) {
    if ("close" in message) closing = true;
    else inbox.push(message);
  }
}

function receive(messages: readonly ToStore[]): void {
  take(messages);
  if (isDrainDue) return;
  isDrainDue = true;
  // Everything that has arrived by then goes into one transaction: one fsync serves all.
  setImmediate(drain);
}

async function drain(): Promise<void> {
  if (session === undefined) return;
  // What arrives meanwhile is seen by this same loop.
  while (inbox.length > 0) {
    const calls = inbox.splice(0, MAXIMUM_GROUP);
    await runGroup(session, calls);
    if (inbox.length === 0 && calls.length >= BUSY_GROUP) stayAwake();
  }
  isDrainDue = false;
  if (!closing) return;
  session.database.close();
  session = undefined;
  port.close();
}

/** Waits without going to sleep until something arrives, for a moment: waking a thread takes longer than they take to ask. */
function stayAwake(): void {
  const untilMs = performance.now() + STAY_AWAKE_MS;
  while (inbox.length === 0 && !closing && performance.now() < untilMs) {
    const received = receiveMessageOnPort(port);
    if (received !== undefined) take(received.message);
  }
}

/** Reads need no lock, so that they are answered while another process writes. */
async function runGroup(open: SqliteSession, calls: readonly Call[]): Promise<void> {
  const reads = calls.filter(({ method }) => READS.has(method));
  if (reads.length > 0) say({ answers: await inTurn(reads, (call) => runCall(open, call, false)) });
  const writes = calls.filter(({ method }) => !READS.has(method));
  // Only once they are committed is what they say durable.
  if (writes.length > 0) say({ answers: await runWrites(open, writes) });
}

/** All in one transaction; only when one of them fails is each put into a savepoint of its own, which costs about as much as a small call. */
async function runWrites(open: SqliteSession, calls: readonly Call[]): Promise<readonly Answer[]> {
  return (isRehearsal ? undefined : await writeTogether(open, calls)) ?? (await writeEach(open, calls));
}

/** Undefined: one of them failed, and nothing is written. */
async function writeTogether(open: SqliteSession, calls: readonly Call[]): Promise<readonly Answer[] | undefined> {
  try {
    open.run("begin");
    open.wokenUntilMs = undefined;
    const answers = await inTurn(calls, async ({ call, method, args }) => ({
      call,
      value: await invoke(open, method, args),
    }));
    open.run("commit");
    await renewWitness(open);
    return answers;
  } catch (thrown) {
    // It never began, is committed already, or was ended by a full disk: doing it again would not undo that.
    if (!open.database.isTransaction) return calls.map(({ call }) => ({ call, failure: failureOf(thrown) }));
    open.run("rollback");
    return undefined;
  }
}

async function writeEach(open: SqliteSession, calls: readonly Call[]): Promise<readonly Answer[]> {
  try {
    // That of a rehearsal stays open, and goes when it is closed.
    if (!open.database.isTransaction) open.run("begin");
    open.wokenUntilMs = undefined;
    const answers = await inTurn(calls, (call) => runCall(open, call, true));
    if (!isRehearsal) {
      open.run("commit");
      await renewWitness(open);
    }
    return answers;
  } catch (thrown) {
    if (open.database.isTransaction) open.run("rollback");
    return calls.map(({ call }) => ({ call, failure: failureOf(thrown) }));
  }
}

/** One call that fails undoes itself alone. */
async function runCall(open: SqliteSession, { call, method, args }: Call, inTransaction: boolean): Promise<Answer> {
  if (inTransaction) open.run("beginCall");
  try {
    const value = await invoke(open, method, args);
    if (inTransaction) open.run("keepCall");
    return { call, value };
  } catch (thrown) {
    // A full disk may have ended the whole transaction already: then the group fails together.
    if (inTransaction && !open.database.isTransaction) throw thrown;
    if (inTransaction) {
      open.run("undoCall");
      open.run("keepCall");
    }
    return { call, failure: failureOf(thrown) };
  }
}

function invoke(open: SqliteSession, method: MethodName, args: readonly unknown[]): unknown {
  const run = sqliteMethods[method] as (session: SqliteSession, ...args: readonly unknown[]) => unknown;
  return run(open, ...args);
}

function failureOf(thrown: unknown): StoreFailure {
  const error = toGatewayError(asStoreError(thrown));
  const cause = error.cause instanceof Error ? error.cause : error;
  // The frames without the message, which may hold values.
  const frames = cause.stack?.split("\n").filter((line) => line.startsWith("    at "));
  return { code: error.code, details: error.details, stack: [cause.name, ...(frames ?? [])].join("\n") };
}
