import { realpath, stat } from "node:fs/promises";
import { basename, dirname, join, resolve, sep } from "node:path";
import { GatewayError } from "../../errors/gateway-error.ts";
import { systemCodeOf } from "../../units/durable-files.ts";

/** A file of results on our disk, and what it will be called. */
export interface ResultFile {
  /** Absolute, no part of it a link. */
  readonly path: string;
  /** Within its resource, as it was asked for; parts are kept apart by `/`. */
  readonly name: string;
  readonly sizeBytes: number;
}

export interface FileNaming {
  /** Sub-folders are kept below the resource; else only names are, and two files of one name are refused. @default false */
  readonly keepFolders?: boolean;
}

/**
 * Files below a folder, by paths relative to it. Nothing that leads out of the folder is taken, links included.
 * @throws GatewayError XNAT_NAME_UNSAFE, XNAT_FILE_MISSING; `details.position` counts from 1
 */
export async function resultFilesIn(
  folder: string,
  paths: readonly string[],
  { keepFolders = false }: FileNaming = {},
): Promise<readonly ResultFile[]> {
  const root = await realPlace(resolve(folder));
  const files: ResultFile[] = [];
  const names = new Set<string>();
  for (const [index, path] of paths.entries()) {
    const position = index + 1;
    const asked = resolve(root, path);
    const place = path === "" || path.includes("\0") ? root : await realPlace(asked);
    if (!place.startsWith(root + sep)) throw new GatewayError("XNAT_NAME_UNSAFE", { position });
    const name = keepFolders ? nameBelow(root, asked.startsWith(root + sep) ? asked : place) : basename(path);
    if (names.has(name)) throw new GatewayError("XNAT_NAME_UNSAFE", { position, problem: "two files of one name" });
    names.add(name);
    files.push({ path: place, name, sizeBytes: await sizeOf(place, position) });
  }
  return files;
}

function nameBelow(root: string, path: string): string {
  return path.slice(root.length + 1).replaceAll(sep, "/");
}

/** Folder that a net's results are uploaded from. @throws GatewayError XNAT_NAME_UNSAFE when it leads out of the base */
export async function uploadFolderOf(base: string, net: string): Promise<string> {
  const root = await realPlace(resolve(base));
  const isOneFolder = net !== "" && net !== "." && net !== ".." && !/[/\\\0]/.test(net);
  const folder = isOneFolder ? await realPlace(join(root, net, UPLOADS)) : root;
  if (!folder.startsWith(root + sep)) throw new GatewayError("XNAT_NAME_UNSAFE", { what: "net" });
  return folder;
}

const UPLOADS = "upload";
/** Nothing there, nor can there be: below a file, a ring of links, a name that no file has. */
const NOTHING_THERE: ReadonlySet<string | undefined> = new Set(["ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG"]);

async function sizeOf(path: string, position: number): Promise<number> {
  const facts = await stat(path).catch((thrown: unknown) => {
    if (NOTHING_THERE.has(systemCodeOf(thrown))) return undefined;
    throw thrown;
  });
  if (facts?.isFile() !== true) throw new GatewayError("XNAT_FILE_MISSING", { position });
  return facts.size;
}

/** With all links followed, as far as there is something. */
async function realPlace(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (thrown) {
    const parent = dirname(path);
    if (!NOTHING_THERE.has(systemCodeOf(thrown)) || parent === path) throw thrown;
    return join(await realPlace(parent), basename(path));
  }
}
