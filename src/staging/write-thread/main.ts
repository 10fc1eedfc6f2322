import { writevSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import { inBlocks, sizeOf } from "../../units/write-blocks.ts";
import type { FromWriteThread, ToWriteThread } from "./protocol.ts";

const port = parentPort;
if (port === null) throw new Error("runs as a worker thread only");

const say = (message: FromWriteThread): void => port.postMessage(message);

port.on("message", (message: ToWriteThread) => {
  if ("close" in message) {
    port.close();
    return;
  }
  const { write } = message;
  try {
    say(writeAll(message) ? { write } : { write, isShort: true });
  } catch (thrown) {
    const { code, syscall } = thrown as NodeJS.ErrnoException;
    say({ write, failure: { code, syscall } });
  }
});

function writeAll({ descriptor, pieces, zeroBytes, offset }: Extract<ToWriteThread, { readonly write: number }>) {
  let at = offset;
  for (const block of inBlocks([...pieces, Buffer.alloc(zeroBytes)])) {
    if (writevSync(descriptor, block, at) !== sizeOf(block)) return false;
    at += sizeOf(block);
  }
  return true;
}
