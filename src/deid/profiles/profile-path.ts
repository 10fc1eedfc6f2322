const FILE_NAME = /[./\\]/;

/** Whether what names a profile is the path of a file: it holds a dot or a slash. */
export function isProfilePath(nameOrPath: string): boolean {
  return FILE_NAME.test(nameOrPath);
}
