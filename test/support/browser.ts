/** Goes where it is sent, and keeps cookies for each origin, as far as a log-in needs it. */
export interface Browser {
  /** Follows redirects up to the first answer that is none, or to an address that begins with `until`, which is not asked. */
  go(url: string, until?: string): Promise<Visit>;
  /** One request, as a page makes it. */
  ask(method: string, url: string, headers?: Readonly<Record<string, string>>): Promise<Response>;
  cookieOf(url: string, name: string): string | undefined;
  setCookie(url: string, name: string, value: string): void;
}

export interface Visit {
  readonly url: string;
  /** Undefined for an address that was not asked. */
  readonly response: Response | undefined;
}

const MOST_REDIRECTS = 20;

/** @param accept what it says it understands; a browser's by default */
export function openBrowser(accept = "text/html,application/xhtml+xml"): Browser {
  const jars = new Map<string, Map<string, string>>();
  const jarOf = (url: string): Map<string, string> => {
    const { origin } = new URL(url);
    const jar = jars.get(origin) ?? new Map<string, string>();
    jars.set(origin, jar);
    return jar;
  };
  async function ask(method: string, url: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    const jar = jarOf(url);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const sent = { accept, ...(cookie === "" ? {} : { cookie }), ...headers };
    const response = await fetch(url, { method, headers: sent, redirect: "manual" });
    for (const line of response.headers.getSetCookie()) {
      const [pair = "", ...attributes] = line.split(";");
      const at = pair.indexOf("=");
      const isGone = attributes.some((text) => /^\s*max-age=0$/i.test(text)) || pair.endsWith("=");
      if (isGone) jar.delete(pair.slice(0, at));
      else jar.set(pair.slice(0, at), pair.slice(at + 1));
    }
    return response;
  }
  return {
    ask,
    cookieOf: (url, name) => jarOf(url).get(name),
    setCookie: (url, name, value) => void jarOf(url).set(name, value),
    async go(url, until) {
      let next = url;
      for (let turn = 0; turn < MOST_REDIRECTS; turn += 1) {
        if (until !== undefined && next.startsWith(until)) return { url: next, response: undefined };
        const response = await ask("GET", next);
        const location = response.headers.get("location");
        if (location === null) return { url: next, response };
        await response.body?.cancel();
        next = new URL(location, next).href;
      }
      throw new Error(`sent around in circles at ${new URL(next).pathname}`);
    },
  };
}
