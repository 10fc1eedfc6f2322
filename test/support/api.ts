import type { Role } from "../../src/units/actor.ts";
import { openService, type Service, type ServiceOptions } from "./service.ts";

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Undefined when it is no JSON. */
  readonly json: unknown;
}

export interface Ask {
  readonly token?: string | undefined;
  /** A text or bytes as they are; anything else as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A service with its API, asked as programs ask it. */
export interface ApiSite extends AsyncDisposable {
  readonly service: Service;
  readonly url: string;
  /** The first admin's. */
  readonly admin: string;
  /** As the admin, unless told; `path` below /api/v1 unless it begins with two slashes. */
  call(method: string, path: string, ask?: Ask): Promise<ApiAnswer>;
  tokenOf(name: string, role: Role, projects?: readonly string[]): Promise<string>;
}

export async function openApiSite(options: ServiceOptions = {}): Promise<ApiSite> {
  const service = await openService(options);
  const admin = service.gateway.firstToken ?? "";
  const site: ApiSite = {
    service,
    admin,
    get url() {
      return `http://127.0.0.1:${service.gateway.httpPort}`;
    },
    async call(method, path, { token = admin, body, headers = {} } = {}) {
      const address = path.startsWith("//") ? path.slice(1) : `/api/v1${path}`;
      const isJson = body !== undefined && typeof body !== "string" && !(body instanceof Uint8Array);
      const response = await fetch(site.url + address, {
        method,
        headers: {
          ...(token === "" ? {} : { authorization: `Bearer ${token}` }),
          ...(isJson ? { "content-type": "application/json" } : {}),
          ...headers,
        },
        ...(body === undefined ? {} : { body: isJson ? JSON.stringify(body) : (body as string) }),
      });
      const text = await response.text();
      return { status: response.status, headers: response.headers, text, json: jsonOf(text) };
    },
    async tokenOf(name, role, projects) {
      const wish = { name, role, ...(projects === undefined ? {} : { projects }) };
      const { json } = await site.call("POST", "/tokens", { body: wish });
      return (json as { readonly token: string }).token;
    },
    [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
  };
  return site;
}

function jsonOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}
