import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { findPythonPeers } from "./python-peers.ts";

const SCRIPT = join(import.meta.dirname, "pixl-producer.py");
const TIMEOUT_MS = 20_000;

const answerShape = z.object({
  encode: z.array(z.base64()).default([]),
  /** Several messages in one document. */
  list: z.base64().optional(),
  decode: z.array(z.string()).default([]),
  publish: z.number().default(0),
});

interface PixlTask {
  readonly do: readonly ("encode" | "list" | "decode" | "publish")[];
  /** To decode, in base64. */
  readonly messages?: readonly string[];
  readonly port?: number;
  readonly queue?: string;
  readonly priority?: number;
  readonly count?: number;
  /** MRN and accession number, where they are not the sample's. */
  readonly key?: readonly [mrn: string, accessionNumber: string];
}

/** What PIXL's own libraries (jsonpickle, pika) do: sample messages encoded, given ones decoded to Python's repr, messages published. */
export async function runPixlProducer(task: PixlTask): Promise<z.infer<typeof answerShape>> {
  const interpreter = findPythonPeers();
  if (interpreter === undefined) throw new Error("jsonpickle is not installed");
  const running = promisify(execFile)(interpreter, [SCRIPT], { timeout: TIMEOUT_MS });
  running.child.stdin?.end(JSON.stringify(task));
  return answerShape.parse(JSON.parse((await running).stdout));
}
