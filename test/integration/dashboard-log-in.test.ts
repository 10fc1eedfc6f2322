import { execFileSync } from "node:child_process";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startChromium } from "../peers/chromium.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { type OidcSite, openOidcSite } from "../support/oidc-site.ts";
import { checkPage } from "../support/page-checks.ts";
import { ROOT } from "../tidy/repository.ts";

const SAM = { subject: "u-4711", claims: { preferred_username: "sam", groups: ["lung-team"] } };

describe.skipIf(!requirePeer("chromium"))("the log-in page in a browser", () => {
  const opened = new AsyncDisposableStack();
  let at: OidcSite;
  let browser: Browser;
  beforeAll(async () => {
    execFileSync("sh", [join(ROOT, "scripts/build-web.sh"), "--if-stale"], { stdio: ["ignore", "ignore", "inherit"] });
    // Another site than ours, so that cookies are held back as they are elsewhere.
    at = opened.use(await openOidcSite({ host: "localhost" }));
    browser = await startChromium();
    opened.defer(() => browser.close());
  });
  afterAll(() => opened.disposeAsync());

  /** In a browser without cookies. */
  const logIn = async (): Promise<Page> => {
    at.issuer.user = SAM;
    const page = await (await browser.newContext()).newPage();
    page.setDefaultTimeout(15_000);
    await page.goto(at.site.url);
    await page.getByRole("link", { name: "Log in with University account" }).click();
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    return page;
  };

  it("sends people to the issuer, lets them in when they come back, and out again", async () => {
    const page = await logIn();
    expect(page.url()).toBe(`${at.site.url}/`);
    const [cookie] = await page.context().cookies(at.site.url);
    expect(cookie).toMatchObject({ name: "radferry_session", httpOnly: true, sameSite: "Strict" });
    await page.reload();
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByRole("link", { name: "Log in with University account" }).waitFor();
    expect(await page.getByText("The session has ended").count()).toBe(0);
  });

  it("says why it is there when a session ended under way", async () => {
    const page = await logIn();
    await page.context().clearCookies();
    await page.getByRole("link", { name: "Studies" }).click();
    await page.getByText("The session has ended").waitFor();
    await page.getByRole("link", { name: "Log in with University account" }).click();
    await page.getByRole("heading", { name: "Overview" }).waitFor();
  });

  it("says why somebody was not let in, once", async () => {
    at.issuer.user = { subject: "u-1", claims: { preferred_username: "eve", groups: [] } };
    const page = await (await browser.newContext()).newPage();
    page.setDefaultTimeout(15_000);
    await page.goto(at.site.url);
    await page.getByRole("link", { name: "Log in with University account" }).click();
    await page.getByRole("alert").getByText("OIDC_USER_UNMAPPED").waitFor();
    expect(await checkPage(page, "log-in-refused")).toEqual([]);
    await page.reload();
    await page.getByLabel("Token").waitFor();
    expect(await page.getByRole("alert").count()).toBe(0);
  });
});
