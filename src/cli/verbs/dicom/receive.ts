import { once } from "node:events";
import { resolve } from "node:path";
import type { AeTitle } from "../../../dicom/ae-title.ts";
import { startDimseServer } from "../../../network/dimse/server.ts";
import type { DimseServer } from "../../../network/dimse/service-types.ts";
import type { Cli } from "../../cli.ts";
import { counted } from "../../counted.ts";
import { EXIT, type ExitCode } from "../../exit-codes.ts";
import type { World } from "../../world.ts";
import { listeningOf } from "./connection.ts";
import type { ListenerOptions } from "./connection-options.ts";
import { toolkitLogger } from "./peer.ts";
import { openReceiveFolder } from "./receive-folder.ts";
import type { SyncPolicy } from "./receive-sync.ts";

export interface ReceiveOptions extends ListenerOptions {
  readonly port: number;
  readonly out: string;
  readonly aet: AeTitle;
  readonly host: string;
  readonly exitAfterIdle?: number;
  readonly sync: SyncPolicy;
}

export async function receive(cli: Cli, options: ReceiveOptions): Promise<ExitCode> {
  const { port, out, aet, host, exitAfterIdle, sync } = options;
  const { world, printer } = cli;
  const folder = await openReceiveFolder(resolve(world.workingFolder, out), world.clock, sync);
  const listening = await listeningOf(options, world.workingFolder);
  {
    await using server = await startDimseServer({
      host,
      port,
      aeTitle: aet,
      handlers: { store: folder.store },
      ...listening,
      logger: await toolkitLogger(cli),
    });
    const ready = { aeTitle: aet, host: server.host, port: server.port, out: folder.path };
    await printer.document(ready, () => [
      `${aet} listens on ${server.host}, port ${server.port}; files go to ${folder.path}`,
    ]);
    if (exitAfterIdle !== undefined) await idle(server, exitAfterIdle * 1_000, world);
    else if (!world.stop.aborted) await once(world.stop, "abort");
  }
  await folder.settled();
  const { stored, refused } = folder.counts();
  printer.note(`${counted(stored, "instance")} stored, ${refused} refused`);
  return EXIT.fine;
}

/** Resolves when no association was open for `idleMs`, or when it is to stop. */
async function idle(server: DimseServer, idleMs: number, { clock, stop }: World): Promise<void> {
  let ended = new AbortController();
  // An association ended: the time is counted from here.
  server.onIdle(() => ended.abort());
  while (!stop.aborted) {
    ended = new AbortController();
    const either = AbortSignal.any([stop, ended.signal]);
    const isQuiet = await clock.sleep(idleMs, either).then(
      () => true,
      () => false,
    );
    if (!isQuiet) continue;
    if (server.openAssociations === 0) return;
    if (!either.aborted) await once(either, "abort");
  }
}
