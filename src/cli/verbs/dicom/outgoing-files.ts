import { opendir, stat } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError, toGatewayError } from "../../../errors/gateway-error.ts";
import type { OutgoingInstance } from "../../../network/dimse/service-types.ts";
import { MAXIMUM_CONTEXTS } from "../../../network/upper-layer/pdu-decoder.ts";
import type { Cli } from "../../cli.ts";
import { counted } from "../../counted.ts";
import { isSystemError } from "../../write-whole-file.ts";
import { localFiles } from "./local-file.ts";

/** Files looked at before they are sent over one association. */
const MAXIMUM_BATCH_FILES = 10_000;

/** A file to be sent, or the reason why it cannot be. */
export type FoundFile =
  | { readonly file: string; readonly instance: OutgoingInstance }
  | { readonly file: string; readonly error: GatewayError };

/** What is not looked at, counted as it is come upon. */
export interface PassedOver {
  /** Symbolic links within folders, and whatever else is no file. */
  links: number;
}

/** Files in the order of their paths, put together so that one association can carry each batch. */
export async function* outgoingBatches(
  paths: readonly string[],
  passedOver: PassedOver,
): AsyncGenerator<readonly FoundFile[]> {
  const { look } = localFiles();
  let batch: FoundFile[] = [];
  let contexts = new Set<string>();
  for await (const file of filesOf(paths, passedOver)) {
    const found = typeof file === "string" ? await lookAt(file, look) : file;
    const context =
      "instance" in found ? `${found.instance.sopClassUid} ${found.instance.transferSyntaxUid}` : undefined;
    const isContextTooMany = context !== undefined && !contexts.has(context) && contexts.size === MAXIMUM_CONTEXTS;
    if (batch.length === MAXIMUM_BATCH_FILES || isContextTooMany) {
      yield batch;
      batch = [];
      contexts = new Set();
    }
    batch.push(found);
    if (context !== undefined) contexts.add(context);
  }
  if (batch.length > 0) yield batch;
}

async function lookAt(file: string, look: (path: string) => Promise<OutgoingInstance>): Promise<FoundFile> {
  try {
    return { file, instance: await look(file) };
  } catch (thrown) {
    return { file, error: fileError(thrown) };
  }
}

function fileError(thrown: unknown): GatewayError {
  return isSystemError(thrown)
    ? new GatewayError("FILE_UNREADABLE", { reason: thrown.code }, thrown)
    : toGatewayError(thrown);
}

/** Says how many links there are. @throws GatewayError NO_FILES_FOUND when there is nothing else */
export function tellPassedOver({ printer }: Pick<Cli, "printer">, { links }: PassedOver, fileCount: number): void {
  if (fileCount === 0) throw new GatewayError("NO_FILES_FOUND", links === 0 ? {} : { links });
  if (links > 0) printer.note(`${counted(links, "link")} within the folders: not followed`);
}

/** Files as named, folders with all that is in them; links within folders are not followed, so there is no going round in circles. */
async function* filesOf(paths: readonly string[], passedOver: PassedOver): AsyncGenerator<string | FoundFile> {
  for (const path of paths) {
    const isFolder = await stat(path).then(
      (facts) => facts.isDirectory(),
      () => false,
    );
    if (isFolder) yield* filesBelow(path, passedOver);
    else yield path;
  }
}

/** One that cannot be looked into is told of in its place. */
async function* filesBelow(root: string, passedOver: PassedOver): AsyncGenerator<string | FoundFile> {
  const folders = [root];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const names: string[] = [];
    try {
      for await (const entry of await opendir(folder)) {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) folders.push(path);
        else if (entry.isFile()) names.push(path);
        else passedOver.links += 1;
      }
    } catch (thrown) {
      yield { file: folder, error: fileError(thrown) };
    }
    yield* names.sort();
  }
}
