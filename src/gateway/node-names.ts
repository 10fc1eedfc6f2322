import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Settings } from "../config/settings.ts";
import { isMissing, writeFileDurably } from "../units/durable-files.ts";

/** What lies on the disk of a gateway with a store of its own is under this name: there is no other. */
export const SOLE_NODE = "gateway";

type Home = Pick<Settings, "home" | "store" | "node">;

/** Names that what lies in this home goes by among those of the nodes: a node that is called otherwise now still has what it had. */
export async function namesOfHome({ home, store, node }: Home): Promise<readonly string[]> {
  const [, usualName = []] = (await textOf(join(home, "node-id"))).trim().split(" ");
  const noted = (await textOf(fileOf(home))).split("\n").filter((name) => name !== "");
  const sole = store.kind === "sqlite" ? [SOLE_NODE] : [];
  return [...new Set([...noted, usualName, node.name ?? [], sole].flat())];
}

/** So that it is found again under this name. */
export async function noteNodeName(of: Home, name: string): Promise<void> {
  const names = [...new Set([...(await namesOfHome(of)), name])];
  if ((await textOf(fileOf(of.home))).split("\n").length <= names.length)
    await writeFileDurably(fileOf(of.home), `${names.join("\n")}\n`);
}

function fileOf(home: string): string {
  return join(home, "node-names");
}

/** @throws what the disk says of a file that is there */
async function textOf(path: string): Promise<string> {
  return await readFile(path, "utf8").catch((thrown: unknown) => {
    if (!isMissing(thrown)) throw thrown;
    return "";
  });
}
