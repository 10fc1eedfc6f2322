import { opendir, stat } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError, toGatewayError } from "../../../errors/gateway-error.ts";
import type { OutgoingInstance } from "../../../network/dimse/service-types.ts";
import { MAXIMUM_CONTEXTS } from "../../../network/upper-layer/pdu-decoder.ts";
import { isSystemError } from "../../write-whole-file.ts";
import { localFiles } from "./local-file.ts";

/** Files looked at before they are sent over one association. */
const MAXIMUM_BATCH_FILES = 10_000;

/** A file to be sent, or the reason why it cannot be. */
export type FoundFile =
  | { readonly file: string; readonly instance: OutgoingInstance }
  | { readonly file: string; readonly error: GatewayError };

/** Files in the order of their paths, put together so that one association can carry each batch. */
export async function* outgoingBatches(paths: readonly string[]): AsyncGenerator<readonly FoundFile[]> {
  const { look } = localFiles();
  let batch: FoundFile[] = [];
  let contexts = new Set<string>();
  for await (const file of filesOf(paths)) {
    const found = await lookAt(file, look);
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

/** Files as named, folders with all that is in them; links within folders are not followed, so there is no going round in circles. */
async function* filesOf(paths: readonly string[]): AsyncGenerator<string> {
  for (const path of paths) {
    const isFolder = await stat(path).then(
      (facts) => facts.isDirectory(),
      () => false,
    );
    if (isFolder) yield* filesBelow(path);
    else yield path;
  }
}

async function* filesBelow(root: string): AsyncGenerator<string> {
  const folders = [root];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const names: string[] = [];
    for await (const entry of await opendir(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) folders.push(path);
      else if (entry.isFile()) names.push(path);
    }
    yield* names.sort();
  }
}
