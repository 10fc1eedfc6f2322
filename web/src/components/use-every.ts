import { useEffect, useRef } from "preact/hooks";

/** Calls again and again while the page is looked at: for what tells nobody by itself. */
export function useEvery(everyMs: number, action: () => void): void {
  const latest = useRef(action);
  latest.current = action;
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) latest.current();
    }, everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
}
