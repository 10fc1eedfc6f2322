import { type Browser, chromium } from "playwright-core";
import type {} from "./dom-types.d.ts";
import { findPeer } from "./require-peer.ts";

/** A browser without a window. Nothing of it stays behind. @param further arguments */
export async function startChromium(...further: readonly string[]): Promise<Browser> {
  const executablePath = findPeer("chromium");
  if (executablePath === undefined) throw new Error("chromium is not installed");
  // As root, which test machines often are, it refuses to run in its sandbox. Containers have little shared memory.
  const args = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", ...further];
  return await chromium.launch({ executablePath, args });
}
