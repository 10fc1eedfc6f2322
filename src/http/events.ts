import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { GatewayError } from "../errors/gateway-error.ts";
import { errorFields } from "../observe/error-fields.ts";
import type { ArchiveDocument, StudyChangeDocument } from "../operations/documents.ts";
import type { Operations } from "../operations/operations.ts";
import { type Actor, maySeeProject } from "../units/actor.ts";
import type { Clock } from "../units/clock.ts";
import type { Logger } from "../units/logger.ts";

/** How often the store is looked at while somebody follows. */
const LOOK_MS = 500;
/** A line that says nothing, so that proxies keep the connection. */
const COMFORT_MS = 15_000;
const PAGE = 500;
/** Who reads slower than this is cut off, and comes back to where he was. */
const UNREAD_BYTES = 1 << 20;
const UNREAD_MS = 30_000;

export interface EventHubOptions {
  /** What can be asked in somebody's name. */
  readonly operationsFor: (actor: Actor) => Operations;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Followers at once. */
  readonly limit: number;
}

/**
 * Tells everybody who follows what became of studies and archives; the store is asked once for all of them. `study` events have ids that a
 * follower comes back with; `overview` and `archive` say how it is now; `reset`: what was missed is not known any more.
 */
export interface EventHub extends AsyncDisposable {
  /** Writes events until the connection ends, or who follows may do so no longer. @throws GatewayError API_STREAMS_EXHAUSTED */
  follow(response: ServerResponse, following: Following): Promise<void>;
  /** Connections that are open. */
  readonly followers: number;
}

/** Who follows, and from where. */
export interface Following {
  readonly actor: Actor;
  /** Of the last event that was seen; undefined: from now on. */
  readonly lastEventId: number | undefined;
  /** Asked now and then: tokens end, and are revoked. */
  readonly mayGoOn: () => Promise<boolean>;
}

interface Follower extends Pick<Following, "actor" | "mayGoOn"> {
  readonly operations: Operations;
  readonly response: ServerResponse;
  /** Number of the last change that it was told. */
  seen: number;
}

const EVERYTHING: Actor = { name: "events", kind: "service", role: "viewer" };

export function createEventHub(options: EventHubOptions): EventHub {
  const { operationsFor, limit, clock } = options;
  const operations = operationsFor(EVERYTHING);
  const responses = new Set<ServerResponse>();
  const feed = createFeed(operations, options);
  return {
    get followers() {
      return responses.size;
    },
    async follow(response, { actor, lastEventId, mayGoOn }) {
      // Its end was told before anybody listened, and is not told again.
      if (response.destroyed) return;
      if (responses.size >= limit) throw new GatewayError("API_STREAMS_EXHAUSTED", { limit });
      const seen = lastEventId ?? 0;
      const follower: Follower = { actor, mayGoOn, operations: operationsFor(actor), response, seen };
      const ended = new Promise<void>((resolve) => void response.once("close", resolve));
      responses.add(response);
      try {
        response.write("retry: 2000\n\n");
        if (lastEventId === undefined) follower.seen = await lastNumber(operations);
        else while (await catchUp(follower, clock));
        await feed.join(follower);
        await ended;
      } finally {
        responses.delete(response);
        feed.leave(follower);
      }
    },
    async [Symbol.asyncDispose]() {
      for (const response of responses) response.end();
      await feed[Symbol.asyncDispose]();
    },
  };
}

/** What is told to all alike. */
interface Feed extends AsyncDisposable {
  join(follower: Follower): Promise<void>;
  leave(follower: Follower): void;
}

function createFeed(operations: Operations, { clock, logger }: Pick<EventHubOptions, "clock" | "logger">): Feed {
  /** Those that have caught up. */
  const followers = new Set<Follower>();
  const lamps = new Map<string, string>();
  const stop = new AbortController();
  let position = 0;
  let running: Promise<void> | undefined;

  async function look(): Promise<void> {
    for (let isMore = true; isMore; ) {
      const { changes, last } = await operations.studyChanges({ after: position, limit: PAGE });
      for (const change of changes) {
        const text = studyText(change);
        for (const follower of followers) tellStudy(follower, change, text);
      }
      if (changes.length > 0) await tellOverviews(followers);
      position = last;
      isMore = changes.length >= PAGE;
    }
    for await (const archive of operations.listArchives()) {
      const text = archiveText(archive);
      if (lamps.get(archive.name) === text) continue;
      lamps.set(archive.name, text);
      for (const { response } of followers) send(response, text);
    }
  }
  async function run(): Promise<void> {
    let comfortAtMs = clock.nowMs() + COMFORT_MS;
    while (followers.size > 0 && !stop.signal.aborted) {
      await look().catch((thrown: unknown) => logger.warn("events could not be read", errorFields(thrown)));
      const leftMs = comfortAtMs - clock.nowMs();
      // More than it began with: the clock was set back.
      if (leftMs <= 0 || leftMs > COMFORT_MS) {
        for (const follower of followers) await comfort(follower, logger);
        comfortAtMs = clock.nowMs() + COMFORT_MS;
      }
      await clock.sleep(LOOK_MS, stop.signal).catch(() => undefined);
    }
    running = undefined;
  }

  return {
    /** It joins the others at their place: whichever of the two is further, nothing is told twice or left out. */
    async join(follower) {
      await tellOverview(follower);
      for await (const archive of operations.listArchives()) send(follower.response, archiveText(archive));
      if (running === undefined) position = follower.seen;
      // What the others were told meanwhile is not in the overview either.
      while (follower.seen < position) {
        await catchUp(follower, clock);
        await tellOverview(follower);
      }
      followers.add(follower);
      running ??= run();
    },
    leave: (follower) => void followers.delete(follower),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

/** A store that cannot tell tells nobody anything else either: it is asked again. */
async function comfort({ mayGoOn, response }: Follower, logger: Logger): Promise<void> {
  const may = await mayGoOn().catch((thrown: unknown) => {
    logger.warn("who follows events could not be looked up", errorFields(thrown));
    return true;
  });
  if (may) send(response, ": still here\n\n");
  else response.end();
}

async function lastNumber(operations: Operations): Promise<number> {
  return (await operations.studyChanges({ after: Number.MAX_SAFE_INTEGER, limit: 1 })).last;
}

/** Tells what was missed, a page of it. Answers whether there may be more. */
async function catchUp(follower: Follower, clock: Clock): Promise<boolean> {
  const { operations, response } = follower;
  const { changes, last, isBroken } = await operations.studyChanges({ after: follower.seen, limit: PAGE });
  if (isBroken) {
    follower.seen = last;
    send(response, eventText("reset", {}, last));
    return false;
  }
  for (const change of changes) tellStudy(follower, change, studyText(change));
  follower.seen = Math.max(follower.seen, last);
  if (response.writableNeedDrain && !response.destroyed) await drained(response, clock);
  return changes.length > 0 && !response.destroyed;
}

/** Waits until what was written is on its way; nobody is waited for without end. */
async function drained(response: ServerResponse, clock: Clock): Promise<void> {
  const over = new AbortController();
  const { signal } = over;
  const late = clock.sleep(UNREAD_MS, signal).then(() => {
    if (!signal.aborted) response.destroy();
  });
  await Promise.race([once(response, "drain", { signal }), once(response, "close", { signal }), late]).finally(() =>
    over.abort(),
  );
}

function studyText({ number, study }: StudyChangeDocument): string {
  return eventText("study", study, number);
}

/** @param text made once for all */
function tellStudy(follower: Follower, { number, study }: StudyChangeDocument, text: string): void {
  if (number <= follower.seen) return;
  follower.seen = number;
  if (maySeeProject(follower.actor, study.project)) send(follower.response, text);
}

/** Who sees the same projects is told the same. */
async function tellOverviews(followers: ReadonlySet<Follower>): Promise<void> {
  const groups = Map.groupBy(followers, ({ actor }) => JSON.stringify(actor.projects ?? null));
  for (const [first, ...others] of groups.values()) {
    if (first === undefined) continue;
    const text = eventText("overview", await first.operations.overview());
    for (const { response } of [first, ...others]) send(response, text);
  }
}

async function tellOverview({ operations, response }: Follower): Promise<void> {
  send(response, eventText("overview", await operations.overview()));
}

function archiveText({ name, state, code, until, opensAt, closesAt }: ArchiveDocument): string {
  return eventText("archive", { name, state, code, until, opensAt, closesAt });
}

/** https://html.spec.whatwg.org/multipage/server-sent-events.html 9.2.6; JSON has no line feed. */
function eventText(event: string, data: unknown, id?: number): string {
  return `event: ${event}\n${id === undefined ? "" : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;
}

function send(response: ServerResponse, text: string): void {
  if (response.destroyed || response.writableEnded) return;
  if (response.writableLength > UNREAD_BYTES) response.destroy();
  else response.write(text);
}
