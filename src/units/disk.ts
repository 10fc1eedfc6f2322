import { statfs } from "node:fs/promises";

/** The disk as a parameter: tests inject a full one. */
export interface Disk {
  /** Bytes that we may still write on the file system that holds the path. */
  freeBytes(path: string): Promise<number>;
}

export const systemDisk: Disk = {
  async freeBytes(path) {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  },
};
