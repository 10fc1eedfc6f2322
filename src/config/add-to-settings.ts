import { readFile, realpath, stat } from "node:fs/promises";
import { type Document, isMap, isSeq, parseDocument } from "yaml";
import { GatewayError } from "../errors/gateway-error.ts";
import { isMissing, writeFileDurably } from "../units/durable-files.ts";

/** Items for lists of the settings, each with a name. */
export type SettingsItems = Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;

/** Readable by others where the file was: it holds no secret. */
const NEW_FILE_MODE = 0o644;

/**
 * A settings file with more items in its lists: what stands in it, comments too, stays. It need not be there yet.
 * @returns what writes it; until then nothing is changed
 * @throws GatewayError SETTINGS_FILE_MISSING, SETTINGS_FILE_MALFORMED; SETTING_DUPLICATE for an item whose name its list has already
 */
export async function addToSettings(file: string, lists: SettingsItems): Promise<() => Promise<void>> {
  const document = parseDocument(await textOf(file), { logLevel: "silent" });
  const isUsable = document.errors.length === 0 && (document.contents === null || isMap(document.contents));
  if (!isUsable) throw new GatewayError("SETTINGS_FILE_MALFORMED", { file });
  for (const [list, items] of Object.entries(lists))
    if (!addItems(document, list, items)) throw new GatewayError("SETTINGS_FILE_MALFORMED", { file });
  // Kept elsewhere, the file is written there, and the link stays.
  const place = await realpath(file).catch(() => file);
  const facts = await stat(place).catch(() => undefined);
  const mode = facts === undefined ? NEW_FILE_MODE : facts.mode & 0o777;
  return () => writeFileDurably(place, document.toString({ lineWidth: 0 }), { mode, owner: facts });
}

/** False: what stands there is no list. */
function addItems(document: Document, list: string, items: SettingsItems[string]): boolean {
  if (items.length === 0) return true;
  const there = document.get(list) ?? undefined;
  if (there !== undefined && !isSeq(there)) return false;
  if (there === undefined || there.items.length === 0) {
    document.set(list, document.createNode(items));
    return true;
  }
  there.flow = false;
  for (const item of items) {
    const isTaken = there.items.some((each) => isMap(each) && each.get("name") === item.name);
    if (isTaken) throw new GatewayError("SETTING_DUPLICATE", { list, name: String(item.name) });
    there.add(document.createNode(item));
  }
  return true;
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (thrown) {
    if (isMissing(thrown)) return "";
    throw new GatewayError("SETTINGS_FILE_MISSING", { file }, thrown);
  }
}
