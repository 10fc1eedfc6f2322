import { execFileSync } from "node:child_process";

/** Longer than any path may be: Linux takes 4,096 bytes. */
const LEVELS = 20;
const NAME = "d".repeat(250);
const SCRIPT = `for (let n = 0; n < ${LEVELS}; n += 1) { fs.mkdirSync("${NAME}"); process.chdir("${NAME}"); }`;

/** Puts folders into one, of which the deepest cannot be looked into, not even by root; on disposal they are gone. */
export function closedFolderIn(folder: string): Disposable {
  execFileSync(process.execPath, ["-e", SCRIPT], { cwd: folder });
  return { [Symbol.dispose]: () => void execFileSync("rm", ["-rf", NAME], { cwd: folder }) };
}
