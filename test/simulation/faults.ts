import type { Scheduler } from "./scheduler.ts";

/** Everything that may go wrong, and what becomes of it in the end. The table in the documentation is made of it. */
export const FAULTS = {
  "program is killed":
    "SIGKILL in the middle of a write of a file or of the store, or just after it; it is started again later",
  "power is cut": "as above, and what the machine had not synced is lost, torn, zeros, or there all the same",
  "program is stopped": "work is given up where it can be taken up again; another node, or the next start, goes on",
  "clock is set": "the machine's clock jumps while the program runs, or while it is down",
  "disk is full": "ENOSPC for a while, on the disk of a node or of the destination's share",
  "store is slow": "a call takes up to three seconds",
  "store does not answer": "the call fails, nothing was done",
  "store's answer is lost": "the call fails, everything was done",
  "archive cannot be reached": "no connection",
  "archive answers late": "up to two minutes",
  "archive breaks off": "in the middle of a retrieval, or of an instance",
  "archive is unable": "it says that it failed, having sent some",
  "instance is lost": "the archive says that it sent it, and it never came",
  "instance comes late": "after the archive's last word, or long after",
  "instance comes twice": "the same again",
  "instances are out of order": "not as they were listed",
  "destination cannot be reached": "no connection",
  "destination breaks off": "in the middle of a study",
  "destination's answer is lost": "it took the instance, and said so to nobody",
  "destination forgets": "it said that it took the instance, and does not have it",
  "destination is late": "it has the instance some time after it said so",
  "broker delivers again": "a message that was taken and not acknowledged comes once more",
  "broker is out of order": "messages come in another order than they were sent in",
  "message comes twice": "its sender sent it twice",
  "broker cannot be reached": "for a while",
  "sender gives up": "who sends unasked hears nothing, and sends the instance again",
} as const;

export type Fault = keyof typeof FAULTS;

export interface Faults {
  /** How often each has struck. */
  readonly counts: ReadonlyMap<Fault, number>;
  /** False: from now on everything works. */
  isOn: boolean;
  /** Whether it strikes now; counted. */
  strikes(fault: Fault, probability: number): boolean;
  /** It struck by other means. */
  count(fault: Fault): void;
}

export function createFaults(scheduler: Scheduler, severity: number): Faults {
  const counts = new Map<Fault, number>();
  const count = (fault: Fault): void => void counts.set(fault, (counts.get(fault) ?? 0) + 1);
  const faults: Faults = {
    counts,
    isOn: true,
    count,
    strikes(fault, probability) {
      if (!faults.isOn || !scheduler.chance(probability * severity)) return false;
      count(fault);
      scheduler.note(fault);
      return true;
    },
  };
  return faults;
}
