import { afterEach, expect, it, vi } from "vitest";
import { connection, startFollowing, useRefresh } from "./live.ts";
import { session } from "./session-state.ts";

// As a component would have it.
vi.mock("preact/hooks", () => ({
  useRef: (current: unknown) => ({ current }),
  useEffect: (effect: () => void) => effect(),
}));

/** The browser's, told by hand what comes. */
class Stream extends EventTarget {
  static readonly CLOSED = 2;
  static opened: Stream[] = [];
  readyState = 1;

  constructor() {
    super();
    Stream.opened.push(this);
  }

  tell(event: string, data?: unknown): void {
    this.dispatchEvent(Object.assign(new Event(event), { data: JSON.stringify(data) }));
  }

  refuse(): void {
    this.readyState = Stream.CLOSED;
    this.tell("error");
  }

  close(): void {}
}

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

it("has what is shown looked up again when a stream that was refused is there again: it begins with what comes, not with what was missed", async () => {
  vi.useFakeTimers();
  vi.stubGlobal("EventSource", Stream);
  // Nobody looks, and so nothing is asked for meanwhile.
  vi.stubGlobal("document", { hidden: true });
  vi.stubGlobal("fetch", async () => Response.error());
  session.value = { name: "ada", role: "viewer", projects: null, expiresAt: "", proof: "" };
  const stop = startFollowing();
  const refreshed = vi.fn();
  useRefresh(refreshed);

  Stream.opened[0]?.tell("open");
  Stream.opened[0]?.tell("overview", {});
  expect(refreshed).not.toHaveBeenCalled();
  Stream.opened[0]?.refuse();
  await vi.advanceTimersByTimeAsync(30_000);
  Stream.opened[1]?.tell("open");
  expect(connection.value).toBe("live");
  Stream.opened[1]?.tell("overview", {});
  Stream.opened[1]?.tell("overview", {});
  expect(refreshed).toHaveBeenCalledTimes(1);
  stop();
});
