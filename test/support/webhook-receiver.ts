import { createHmac } from "node:crypto";
import { startHttpServer, type TestHttpServer } from "./http-server.ts";

/** What a webhook was told, when its signature was right. */
export interface Told {
  readonly id: string;
  readonly event: string;
  readonly count: number;
  readonly notices: readonly { readonly id: string; readonly event: string; readonly [fact: string]: unknown }[];
}

export interface WebhookReceiver extends AsyncDisposable {
  readonly url: string;
  /** What was taken so far. */
  readonly told: readonly Told[];
  /** What it answers: 503 until it is set otherwise. */
  status: number;
  /** Resolves when it has been asked so often in all, whatever it answered. */
  asked(times: number): Promise<void>;
  /** Resolves with the first notice that was taken for which this holds. */
  notice(holds: (notice: Told["notices"][number]) => boolean): Promise<Told["notices"][number]>;
}

/** Somebody else's program that is told by webhook. @param secret as in the channel's file */
export async function startWebhookReceiver(secret: string): Promise<WebhookReceiver> {
  const told: Told[] = [];
  const changed = new Set<() => void>();
  let times = 0;
  const state = { status: 503 };
  const server: TestHttpServer = await startHttpServer(async (request, response) => {
    let text = "";
    for await (const piece of request.setEncoding("utf8")) text += piece;
    const { "webhook-id": id, "webhook-timestamp": at, "webhook-signature": signature } = request.headers;
    const digest = createHmac("sha256", secret).update(`${id}.${at}.${text}`).digest("base64");
    const isOurs = signature === `v1,${digest}`;
    response.writeHead(isOurs || request.method === "HEAD" ? state.status : 401).end();
    times += 1;
    if (isOurs && state.status < 300) told.push(JSON.parse(text) as Told);
    for (const wake of changed) wake();
  });
  const until = async <T>(found: () => T | undefined): Promise<T> => {
    for (;;) {
      const value = found();
      if (value !== undefined) return value;
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          changed.delete(wake);
          resolve();
        };
        changed.add(wake);
      });
    }
  };
  return Object.assign(state, {
    url: server.url,
    told,
    asked: async (wanted: number) => void (await until(() => (times >= wanted ? true : undefined))),
    notice: (holds: (notice: Told["notices"][number]) => boolean) =>
      until(() => told.flatMap(({ notices }) => notices).find(holds)),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  });
}
