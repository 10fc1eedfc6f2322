import type { Settings } from "./settings.ts";

const MASK = "***";
/** What a secret may be called; a file that holds one may be named. */
const SECRET_NAME = /(?:password|secret|token|key|salt)$/i;

/** Settings as they may be shown: what could be a secret is masked, in URLs too. */
export function settingsInForce(settings: Settings): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, shown(name, value)]));
}

function shown(name: string, value: unknown): unknown {
  if (typeof value === "string") return SECRET_NAME.test(name) ? MASK : withoutCredentials(value);
  if (Array.isArray(value)) return value.map((item: unknown) => shown(name, item));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shown(key, item)]));
}

/** Users and passwords stand in URLs, and secrets of some services in what follows the path. */
function withoutCredentials(text: string): string {
  const url = /^https?:/i.test(text) ? URL.parse(text) : null;
  if (url === null || (url.username === "" && url.password === "" && url.search === "")) return text;
  if (url.username !== "") url.username = MASK;
  if (url.password !== "") url.password = MASK;
  if (url.search !== "") url.search = MASK;
  return url.href;
}
