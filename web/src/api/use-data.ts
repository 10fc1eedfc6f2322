import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ask } from "./client.ts";
import { type ApiProblem, toProblem } from "./problem.ts";

export interface Data<T> {
  /** Of the last answer that was good; it stays while it is asked again. */
  readonly data: T | undefined;
  readonly problem: ApiProblem | undefined;
  readonly isLoading: boolean;
  /** Asks again. */
  readonly reload: () => void;
}

/**
 * Asks the API and goes on asking when the address changes.
 * @param path below /api/v1 with its query; undefined: there is nothing to ask yet
 */
export function useData<T>(path: string | undefined): Data<T> {
  const [answer, setAnswer] = useState<{ readonly path: string; readonly data: T }>();
  const [problem, setProblem] = useState<ApiProblem>();
  const [isLoading, setLoading] = useState(path !== undefined);
  const [round, setRound] = useState(0);
  useEffect(() => {
    if (path === undefined) return undefined;
    const controller = new AbortController();
    setLoading(true);
    ask<T>(path, { signal: controller.signal })
      .then(
        (data) => {
          setAnswer({ path, data });
          setProblem(undefined);
        },
        (thrown: unknown) => {
          if (!controller.signal.aborted) setProblem(toProblem(thrown));
        },
      )
      .finally(() => {
        if (!controller.signal.aborted) setLoading(false);
      });
    return () => controller.abort();
  }, [path, round]);
  const reload = useCallback(() => setRound((before) => before + 1), []);
  return { data: answer?.path === path ? answer?.data : undefined, problem, isLoading, reload };
}

/** Calls at most once in so many milliseconds, and once more at the end of them when it was asked to. */
export function useThrottled(action: () => void, everyMs: number): () => void {
  const latest = useRef(action);
  latest.current = action;
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const isWanted = useRef(false);
  useEffect(() => () => clearTimeout(timer.current), []);
  return useCallback(() => {
    if (timer.current !== undefined) {
      isWanted.current = true;
      return;
    }
    latest.current();
    const rest = (): void => {
      timer.current = undefined;
      if (!isWanted.current) return;
      isWanted.current = false;
      latest.current();
      timer.current = setTimeout(rest, everyMs);
    };
    timer.current = setTimeout(rest, everyMs);
  }, [everyMs]);
}
