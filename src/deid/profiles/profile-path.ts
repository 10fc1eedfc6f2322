import { resolve } from "node:path";

const FILE_NAME = /[./\\]/;

/** Whether what names a profile is the path of a file: it holds a dot or a slash. */
export function isProfilePath(nameOrPath: string): boolean {
  return FILE_NAME.test(nameOrPath);
}

/** The path of a profile's file counts from the folder; the name of a shipped profile is left alone. */
export function resolveProfile(nameOrPath: string, folder: string): string {
  return isProfilePath(nameOrPath) ? resolve(folder, nameOrPath) : nameOrPath;
}
