import { createHmac } from "node:crypto";
import { openHttpClient } from "../../network/http-client/http-client.ts";
import type { HttpClientOptions } from "../../network/http-client/types.ts";
import type { Clock } from "../../units/clock.ts";
import type { Channel, ChannelMessage } from "../../units/notifications.ts";

export interface WebhookOptions {
  readonly name: string;
  readonly url: string;
  /** Read for every message, so that a changed one holds from then on. */
  readonly secret: () => Promise<string>;
  readonly tls: () => Promise<HttpClientOptions["tls"]>;
  readonly clock: Clock;
}

const TIMEOUTS = { connectMs: 10_000, headersMs: 30_000, idleMs: 10_000, totalMs: 60_000 };
const BASE64_SECRET = "whsec_";

/** A signed POST of JSON, as https://www.standardwebhooks.com has it. Redirects are not followed. */
export function createWebhookChannel({ name, url, secret, tls, clock }: WebhookOptions): Channel {
  const client = async () => {
    const { origin } = new URL(url);
    return openHttpClient({ baseUrl: origin, tls: await tls(), timeouts: TIMEOUTS, connections: 1 }, clock);
  };
  return {
    name,
    kind: "webhook",
    async send(message, signal) {
      const body = JSON.stringify(bodyOf(message));
      const headers = signatureOf(await secret(), { id: message.id, nowMs: clock.nowMs(), body });
      await using open = await client();
      await using _ = await open.request({
        method: "POST",
        path: url,
        headers: { "content-type": "application/json; charset=utf-8", ...headers },
        body,
        signal,
      });
    },
    /** Any answer tells that somebody is there; whether he takes what is sent, a test message tells. */
    async check(signal) {
      await secret();
      await using open = await client();
      await using _ = await open.request({ method: "HEAD", path: url, accepts: (status) => status < 500, signal });
    },
  };
}

interface Signed {
  readonly id: string;
  readonly nowMs: number;
  readonly body: string;
}

/** HMAC-SHA-256 over id, time stamp and body: who has the secret can tell that it is ours, whole and new. */
export function signatureOf(secret: string, { id, nowMs, body }: Signed): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(nowMs / 1_000));
  const key = secret.startsWith(BASE64_SECRET)
    ? Buffer.from(secret.slice(BASE64_SECRET.length), "base64")
    : Buffer.from(secret, "utf8");
  const digest = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${digest}` };
}

function bodyOf({ id, event, atMs, subject, text, notices, count }: ChannelMessage) {
  const at = (ms: number): string => new Date(ms).toISOString();
  const listed = notices.map((notice) => ({
    ...notice.facts,
    id: notice.id,
    event: notice.event,
    at: at(notice.atMs),
  }));
  return { id, event, at: at(atMs), subject, text, count, notices: listed };
}
