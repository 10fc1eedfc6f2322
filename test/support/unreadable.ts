import { execFileSync } from "node:child_process";

/** Linux takes a NUL behind them. */
const LONGEST_PATH_BYTES = 4_095;
const NAME = "d".repeat(250);
const MAKE = { folder: `fs.mkdirSync("${NAME}")`, file: `fs.writeFileSync("${NAME}", "x")` } as const;

/** Puts folders into one, and into the last of them what not even root can open: its path is too long. On disposal they are gone. */
export function unreadableIn(folder: string, kind: keyof typeof MAKE): Disposable {
  const levels = Math.floor((LONGEST_PATH_BYTES - folder.length) / (NAME.length + 1));
  const script = `for (let n = 0; n < ${levels}; n += 1) { ${MAKE.folder}; process.chdir("${NAME}"); } ${MAKE[kind]};`;
  execFileSync(process.execPath, ["-e", script], { cwd: folder });
  return { [Symbol.dispose]: () => void execFileSync("rm", ["-rf", NAME], { cwd: folder }) };
}
