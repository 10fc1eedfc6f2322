import { effect, signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { apiUrl, ask } from "./client.ts";
import type { Archive, Overview, Study } from "./documents.ts";
import { session } from "./session-state.ts";

/** What an event says of an archive. */
export type ArchiveLamp = Pick<Archive, "name" | "state" | "code" | "until" | "opensAt" | "closesAt">;

/** As it is now; undefined until it was told. */
export const overview = signal<Overview>();
export const lamps = signal<ReadonlyMap<string, ArchiveLamp>>(new Map());
/** Whether changes come by themselves, are asked for instead, or cannot be had. */
export const connection = signal<"live" | "asking" | "lost">("asking");

type StudyListener = (study: Study) => void;
type ResetListener = () => void;
const studyListeners = new Set<StudyListener>();
const resetListeners = new Set<ResetListener>();

/** Without a stream the same is asked for. */
const POLL_MS = 5_000;
/** A stream that the gateway refused is asked for again. */
const AGAIN_MS = 30_000;

/** Calls with every study that becomes something else, for as long as the component is there. */
export function useStudyChanges(listener: StudyListener): void {
  useListener(studyListeners, listener);
}

/** Calls when what is shown may be old: while there is no stream, and after one was away for too long. */
export function useRefresh(listener: ResetListener): void {
  useListener(resetListeners, listener);
}

function useListener<T extends (...args: never[]) => void>(listeners: Set<T>, listener: T): void {
  const latest = useRef(listener);
  latest.current = listener;
  useEffect(() => {
    const call = ((...args: Parameters<T>) => latest.current(...args)) as T;
    listeners.add(call);
    return () => void listeners.delete(call);
  }, [listeners]);
}

function follow(): () => void {
  let again: ReturnType<typeof setTimeout> | undefined;
  let wasAway = false;
  let source = open();
  const poll = setInterval(() => {
    if (connection.value !== "live" && !document.hidden) void lookAgain();
  }, POLL_MS);

  function open(): EventSource {
    const opened = new EventSource(apiUrl("/events"));
    opened.addEventListener("open", () => {
      connection.value = "live";
    });
    opened.addEventListener("error", () => {
      wasAway = true;
      connection.value = "asking";
      void lookAgain();
      // The browser comes back by itself unless it was refused.
      if (opened.readyState !== EventSource.CLOSED) return;
      clearTimeout(again);
      again = setTimeout(() => {
        source = open();
      }, AGAIN_MS);
    });
    opened.addEventListener("overview", ({ data }) => {
      overview.value = parsed<Overview>(data);
      // It comes once the stream has its place: who saw no event before, or opened anew, is not told what was missed.
      if (wasAway) refresh();
      wasAway = false;
    });
    opened.addEventListener("archive", ({ data }) => {
      const lamp = parsed<ArchiveLamp>(data);
      lamps.value = new Map(lamps.value).set(lamp.name, lamp);
    });
    opened.addEventListener("study", ({ data }) => {
      const study = parsed<Study>(data);
      for (const listener of studyListeners) listener(study);
    });
    opened.addEventListener("reset", refresh);
    return opened;
  }

  return () => {
    clearTimeout(again);
    clearInterval(poll);
    source.close();
  };
}

function refresh(): void {
  for (const listener of resetListeners) listener();
}

async function lookAgain(): Promise<void> {
  try {
    const [counts, archives] = await Promise.all([
      ask<Overview>("/overview"),
      ask<{ readonly items: readonly Archive[] }>("/archives"),
    ]);
    overview.value = counts;
    lamps.value = new Map(archives.items.map((archive) => [archive.name, archive]));
    if (connection.value === "lost") connection.value = "asking";
    refresh();
  } catch {
    if (connection.value !== "live") connection.value = "lost";
  }
}

function parsed<T>(data: unknown): T {
  const value: T = JSON.parse(String(data));
  return value;
}

/** Follows for as long as somebody is logged in; returns what ends that. */
export function startFollowing(): () => void {
  let stop: (() => void) | undefined;
  return effect(() => {
    const isIn = typeof session.value === "object";
    if (isIn && stop === undefined) stop = follow();
    else if (!isIn && stop !== undefined) {
      stop();
      stop = undefined;
      overview.value = undefined;
      lamps.value = new Map();
    }
  });
}
