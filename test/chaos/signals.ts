import { readFileSync } from "node:fs";

/** Sends a signal to a program and to those that it started, such as a server's process for each connection. */
export function signalAll(pid: number | undefined, name: NodeJS.Signals): void {
  if (pid === undefined || pid <= 0) throw new Error("it does not run");
  for (const each of familyOf(pid)) process.kill(each, name);
}

/** proc(5): /proc/[pid]/task/[tid]/children. */
function familyOf(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  return [pid, ...children.flatMap(familyOf)];
}
