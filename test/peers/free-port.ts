import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

/** Below what Linux takes for port 0 and for clients (`ip_local_port_range`): nobody is given one of these by chance. */
const FIRST_PORT = 12_000;
const PORTS_OF_A_WORKER = 2_500;
const WORKERS = 8;

let drawn: number | undefined;

/**
 * A port for a program that cannot ask the system for one: nobody has it, and until the program does nobody comes by it.
 * Test files that run at the same time draw from ranges of their own.
 */
export async function freePort(): Promise<number> {
  const worker = Number(process.env.VITEST_POOL_ID ?? 0) % WORKERS;
  for (let tries = 0; tries < PORTS_OF_A_WORKER; tries += 1) {
    drawn = ((drawn ?? randomInt(PORTS_OF_A_WORKER)) + 1) % PORTS_OF_A_WORKER;
    const port = FIRST_PORT + worker * PORTS_OF_A_WORKER + drawn;
    if (await isFree(port)) return port;
  }
  throw new Error(`No port is free from ${FIRST_PORT + worker * PORTS_OF_A_WORKER} on.`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
