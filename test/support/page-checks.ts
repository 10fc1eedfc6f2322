import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";
import { ROOT } from "../tidy/repository.ts";

const SCREENSHOTS = join(ROOT, "test-output/dashboard");
const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const NARROW = { width: 400, height: 800 };
const WIDE = { width: 1_280, height: 860 };
const SCHEMES = ["light", "dark"] as const;

let axe: string | undefined;

/** What axe finds serious or critical, in words. */
async function seriousFindings(page: Page): Promise<readonly string[]> {
  axe ??= await readFile(AXE, "utf8");
  await page.evaluate(axe);
  const { violations } = await page.evaluate<AxeResults>("axe.run(document)");
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, help, nodes }) => nodes.map(({ html }) => `${id} (${help}): ${html.slice(0, 200)}`));
}

/** Looks at the page that is shown, light and dark, wide and narrow, and keeps a picture of each. */
export async function checkPage(page: Page, name: string): Promise<readonly string[]> {
  await mkdir(SCREENSHOTS, { recursive: true });
  const found: string[] = [];
  for (const colorScheme of SCHEMES) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.setViewportSize(WIDE);
    found.push(...(await seriousFindings(page)).map((text) => `${name}, ${colorScheme}: ${text}`));
    await page.screenshot({ path: join(SCREENSHOTS, `${name}-${colorScheme}.png`), fullPage: true });
  }
  await page.setViewportSize(NARROW);
  const width = await page.evaluate<number>("document.documentElement.scrollWidth");
  if (width > NARROW.width) found.push(`${name}: ${width} pixels wide where ${NARROW.width} are there`);
  await page.screenshot({ path: join(SCREENSHOTS, `${name}-narrow.png`), fullPage: true });
  await page.setViewportSize(WIDE);
  return found;
}

/** Bytes of everything that came over the network while something was done, as they were sent, with their headers; nothing of it was kept from before. */
export async function transferredBytes(page: Page, action: () => Promise<unknown>): Promise<number> {
  const session = await page.context().newCDPSession(page);
  let bytes = 0;
  session.on("Network.loadingFinished", ({ encodedDataLength }) => {
    bytes += encodedDataLength;
  });
  await session.send("Network.enable");
  await session.send("Network.setCacheDisabled", { cacheDisabled: true });
  await action();
  await session.detach();
  return bytes;
}

interface Focus {
  readonly text: string;
  readonly isVisible: boolean;
}

/** What has the focus after each press of Tab, and whether one sees it. */
export async function tabThrough(page: Page, presses: number): Promise<readonly Focus[]> {
  const seen: Focus[] = [];
  for (let press = 0; press < presses; press += 1) {
    await page.keyboard.press("Tab");
    seen.push(
      await page.evaluate<Focus>(`(() => {
        const element = document.activeElement;
        const shown = element.matches("input[type=radio]") ? element.nextElementSibling : element;
        const { outlineStyle, outlineWidth } = getComputedStyle(shown);
        const text = (element.getAttribute("aria-label") ?? element.textContent ?? "").trim() || shown.textContent;
        return { text, isVisible: outlineStyle !== "none" && outlineWidth !== "0px" };
      })()`),
    );
  }
  return seen;
}
