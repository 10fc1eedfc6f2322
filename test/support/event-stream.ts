/** One server-sent event. */
export interface StreamEvent {
  readonly event: string;
  readonly id: number | undefined;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface EventStream extends AsyncDisposable {
  /** Reads on until one is as wanted; every event since the stream began, that one the last. */
  until(isWanted: (event: StreamEvent) => boolean): Promise<readonly StreamEvent[]>;
}

/** Follows a service's events, as a page does. */
export async function followEvents(
  url: string,
  token: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<EventStream> {
  const stop = new AbortController();
  const response = await fetch(`${url}/api/v1/events`, {
    headers: { authorization: `Bearer ${token}`, ...headers },
    signal: stop.signal,
  });
  if (response.status !== 200 || response.body === null) throw new Error(`answered ${response.status}`);
  const events = eventsIn(response.body)[Symbol.asyncIterator]();
  const seen: StreamEvent[] = [];
  return {
    async until(isWanted) {
      for (;;) {
        const next = await events.next();
        if (next.done === true) throw new Error(`ended before it came; there were ${JSON.stringify(seen)}`);
        seen.push(next.value);
        if (isWanted(next.value)) return seen;
      }
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await events.next().catch(() => undefined);
    },
  };
}

async function* eventsIn(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamEvent> {
  let text = "";
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const fields = new Map(
        text
          .slice(0, end)
          .split("\n")
          .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
      );
      text = text.slice(end + 2);
      const [event, data, id] = [fields.get("event"), fields.get("data"), fields.get("id")];
      if (event !== undefined && data !== undefined)
        yield { event, data: JSON.parse(data), id: id === undefined ? undefined : Number(id) };
    }
  }
}
