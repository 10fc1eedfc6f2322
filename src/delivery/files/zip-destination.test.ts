import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { deliveryOf } from "../../../test/support/small-delivery.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { neverAborted } from "../../units/abort.ts";
import type { Destination, StudyDelivery } from "../destination.ts";
import { destinationFolder } from "../folder/destination-folder.ts";
import type { FileServer } from "./file-server.ts";
import { localFiles } from "./local-files.ts";
import { createZipDestination } from "./zip-destination.ts";

const signal = neverAborted();

let stack: AsyncDisposableStack;
let delivery: StudyDelivery;
let path: string;
/** For zips that are fetched back. */
let copies: string;
let server: FileServer;

beforeEach(async () => {
  stack = new AsyncDisposableStack();
  const { path: source } = stack.use(await temporaryFolder());
  path = stack.use(await temporaryFolder()).path;
  copies = join(source, "zip", "store");
  server = localFiles(destinationFolder({ name: "store", path }));
  delivery = await deliveryOf(source, 2);
});
afterEach(() => stack.disposeAsync());

function opened(over: FileServer = server): Promise<Destination> {
  return createZipDestination({
    ...{ name: "store", kind: "folder", proof: "sha256" },
    ...{ path, temporaryFolder: copies, server: over },
  });
}

/** The server, which does something each time once a file was fetched from it whole. */
function fetching(then: () => Promise<unknown>): FileServer {
  return {
    ...server,
    async open(until) {
      const session = await server.open(until);
      return {
        ...session,
        async read(...asked) {
          await session.read(...asked);
          if (asked[1].start === 0) await then();
        },
      };
    },
  };
}

it("goes on when the one that it took the place of, as settings were reloaded, is closed", async () => {
  const before = await opened();
  await before.send(delivery, delivery.files, signal);
  const after = stack.use(await opened());
  await before[Symbol.asyncDispose]();
  expect((await after.held(delivery, signal)).size).toBe(2);
});

it("leaves alone what the one that it takes the place of is about to compare", async () => {
  let reloads = 0;
  const before = stack.use(
    await opened(
      fetching(async () => {
        stack.use(await opened());
        reloads += 1;
      }),
    ),
  );
  await before.send(delivery, delivery.files, signal);
  expect((await before.held(delivery, signal)).size).toBe(2);
  expect(reloads).toBeGreaterThan(0);
});

it("removes what a process that died had fetched, and keeps nothing itself", async () => {
  await mkdir(join(copies, "0a"), { recursive: true });
  await writeFile(join(copies, "11111111-2222-4333-8444-555555555555.zip"), "left");
  const destination = stack.use(await opened());
  await destination.send(delivery, delivery.files, signal);
  await destination.held(delivery, signal);
  expect(await readdir(copies)).toEqual([]);
});

it("tells a fault of our own disk from one of the server", async () => {
  const destination = stack.use(await opened());
  await destination.send(delivery, delivery.files, signal);
  await rm(copies, { recursive: true });
  await expect(destination.held(delivery, signal)).rejects.toMatchObject({ code: "OUTBOX_UNAVAILABLE" });
});
