import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Manifest } from "../../src/config/manifest.ts";
import { systemClock } from "../../src/units/clock.ts";
import { freePort } from "../peers/free-port.ts";
import { type IssuerOptions, type OpenIdIssuer, startOpenIdIssuer } from "../peers/openid-issuer.ts";
import { type ApiSite, openApiSite } from "./api.ts";
import { type Browser, openBrowser } from "./browser.ts";
import { temporaryFolder } from "./temporary-folder.ts";

type OidcManifest = NonNullable<Manifest["http"]["oidc"]>;

const ROLES = [
  { value: "imaging-admins", role: "admin" },
  { value: "lung-team", role: "operator" },
];

/** A gateway that people log in to at an issuer of its own. */
export interface OidcSite extends AsyncDisposable {
  readonly site: ApiSite;
  readonly issuer: OpenIdIssuer;
  /** Moves our clock, and not the issuer's. */
  aheadMs: number;
  /** The whole way of a browser. Answers where it ended, below our address. */
  logIn(browser?: Browser): Promise<string>;
}

export interface OidcSiteFacts extends Omit<IssuerOptions, "redirectUrl"> {
  readonly oidc?: Partial<Record<keyof OidcManifest, unknown>>;
  readonly failuresPerMinute?: number;
}

export async function openOidcSite(facts: OidcSiteFacts = {}): Promise<OidcSite> {
  await using opened = new AsyncDisposableStack();
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const issuer = opened.use(await startOpenIdIssuer({ redirectUrl: `${base}/session/oidc/callback`, ...facts }));
  const { path } = opened.use(await temporaryFolder());
  const clientSecretFile = join(path, "secret");
  await writeFile(clientSecretFile, `${issuer.secret}\n`);
  await chmod(clientSecretFile, 0o600);
  const oidc = { issuer: issuer.url, clientId: issuer.clientId, clientSecretFile, redirectBaseUrl: base, roles: ROLES };
  const time = { aheadMs: 0 };
  const clock = {
    nowMs: () => systemClock.nowMs() + time.aheadMs,
    sleep: (durationMs: number, signal?: AbortSignal) => systemClock.sleep(durationMs, signal),
  };
  const settings = { http: { port, oidc: { ...oidc, name: "University account", ...facts.oidc } } };
  const apiLimits = { failuresPerMinute: facts.failuresPerMinute ?? 1_000 };
  const site = opened.use(await openApiSite({ settings, clock, apiLimits }));
  const closing = opened.move();
  return Object.assign(time, {
    site,
    issuer,
    logIn: async (browser = openBrowser()) => (await browser.go(`${base}/session/oidc`)).url.slice(base.length),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  });
}
