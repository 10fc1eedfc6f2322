import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { expect, vi } from "vitest";
import { openPostgresStore } from "../../src/store/postgres/open.ts";
import type { Store } from "../../src/store/store.ts";
import { type Logger, silentLogger } from "../../src/units/logger.ts";
import { freePort } from "../peers/free-port.ts";
import type { PostgresServer } from "../peers/postgres.ts";
import { openService, type Service } from "./service.ts";
import { temporaryFolder } from "./temporary-folder.ts";

export const PROJECT = "lung";
export type NodeName = "north" | "east";

/** Two gateways of this process, each with a home, on one database and one folder. */
export interface TwoGateways extends AsyncDisposable {
  /** Of the settings that both have: key and database URL are in it. */
  readonly folder: string;
  readonly delivered: string;
  readonly ports: Readonly<Record<NodeName, number>>;
  readonly store: Store;
  /** What the gateways logged: gateway, event, and the value of `what`, `code` or `node`. */
  readonly lines: readonly string[];
  open(name: NodeName): Promise<Service>;
}

type MoreSettings = Readonly<Record<string, unknown>> & {
  readonly node?: Readonly<Record<string, unknown>>;
  readonly dicom?: Readonly<Record<string, unknown>>;
  readonly project?: Readonly<Record<string, unknown>>;
  /** What one of them has beside what both have. */
  readonly each?: (name: NodeName) => Pick<MoreSettings, "node" | "dicom"> & { readonly compat?: object };
};

/** @param more settings of both; `project` of the only project */
export async function makeTwoGateways(
  server: PostgresServer,
  more: (ports: TwoGateways["ports"], folder: string) => MoreSettings | Promise<MoreSettings>,
): Promise<TwoGateways> {
  await using opened = new AsyncDisposableStack();
  const { path: folder } = opened.use(await temporaryFolder());
  const url = `postgres://${server.user}@127.0.0.1:${server.port}/${server.user}`;
  await writeFile(join(folder, "url"), `${url}\n`, { mode: 0o600 });
  await writeFile(join(folder, "key"), "01".repeat(32), { mode: 0o600 });
  const store = opened.use(await openPostgresStore({ url, witnessPath: join(folder, "witness"), poolSize: 2 }));
  const ports = { north: await freePort(), east: await freePort() };
  const lines: string[] = [];
  const { project, node, dicom, each, ...others } = await more(ports, folder);
  const delivered = join(folder, "delivered");
  const archives = (others.archives ?? []) as readonly { readonly name: string }[];
  const own = {
    name: PROJECT,
    archives: archives.map(({ name }) => name),
    destinations: ["store"],
    profile: "research",
    keyFile: join(folder, "key"),
  };
  const settingsOf = (name: NodeName) => ({
    store: { kind: "postgres", urlFile: join(folder, "url"), connections: 4 },
    destinations: [{ name: "store", kind: "folder", path: delivered }],
    projects: [{ ...own, ...project }],
    ...others,
    node: { name, ...node, ...each?.(name).node },
    dicom: { port: ports[name], host: "127.0.0.1", ...dicom, ...each?.(name).dicom },
    ...(each?.(name).compat === undefined ? {} : { compat: each(name).compat }),
  });
  const closing = opened.move();
  return {
    folder,
    delivered,
    ports,
    store,
    lines,
    open: (name) => openService({ settings: settingsOf(name), logger: noting(name, lines) }),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

function noting(name: string, lines: string[]): Logger {
  const note: Logger["info"] = (event, { what, code, node } = {}) =>
    void lines.push([name, event, what, code, node].filter((part) => part !== undefined).join(" "));
  return { ...silentLogger, debug: note, info: note, warn: note, error: note };
}

/** As rows of one cohort. */
export async function submitStudies({ store }: TwoGateways, studyInstanceUids: readonly string[]): Promise<void> {
  const requests = studyInstanceUids.map((studyInstanceUid, index) => ({
    rowNumber: index + 1,
    studyInstanceUid,
    patientId: undefined,
    accessionNumber: undefined,
    seriesInstanceUids: undefined,
    participantId: undefined,
    priority: 3,
    cells: [studyInstanceUid],
  }));
  const columns = ["study_instance_uid"];
  await store.submitCohort({ project: PROJECT, columns, requests, refused: [] }, Date.now());
}

/** So many studies, all of them delivered, within a while. */
export async function allDelivered({ store }: TwoGateways, count: number): Promise<void> {
  await vi.waitFor(
    async () => {
      const jobs = await store.listJobs({ limit: 20 });
      expect(jobs.map(({ state, code }) => [state, code])).toEqual(
        Array.from({ length: count }, () => ["delivered", undefined]),
      );
    },
    { timeout: 40_000, interval: 100 },
  );
}

/** Gives connections to the ports in turn, as a balancer before several gateways does. */
export async function startBalancer(ports: readonly number[]): Promise<AsyncDisposable & { readonly port: number }> {
  const sockets = new Set<Socket>();
  let next = 0;
  const server = createServer((client) => {
    const peer = connect(ports[next % ports.length] ?? 0, "127.0.0.1");
    next += 1;
    for (const socket of [client, peer]) {
      sockets.add(socket);
      socket
        .setNoDelay()
        .on("error", () => undefined)
        .on("close", () => {
          sockets.delete(socket);
          client.destroy();
          peer.destroy();
        });
    }
    client.pipe(peer).pipe(client);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
