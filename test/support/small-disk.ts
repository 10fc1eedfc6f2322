import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A disk of a few kilobytes, which can be made larger: a tmpfs, mounted for as long as a test needs it. */
export interface SmallDisk extends Disposable {
  readonly path: string;
  resize(kilobytes: number): void;
}

/**
 * Undefined where mounting is not allowed; one line then says that the test is skipped.
 * @param path an empty folder; left out: a new one
 */
export function mountSmallDisk(
  kilobytes: number,
  path = mkdtempSync(join(tmpdir(), "radferry-disk-")),
): SmallDisk | undefined {
  const mount = (...options: readonly string[]): boolean => spawnSync("mount", options).status === 0;
  if (!mount("-t", "tmpfs", "-o", `size=${kilobytes}k`, "tmpfs", path)) {
    rmSync(path, { recursive: true });
    process.stderr.write("mounting is not allowed here: the test of a full disk is skipped\n");
    return undefined;
  }
  return {
    path,
    resize: (newKilobytes) => void mount("-o", `remount,size=${newKilobytes}k`, path),
    [Symbol.dispose]() {
      spawnSync("umount", ["-l", path]);
      rmSync(path, { recursive: true, force: true });
    },
  };
}
