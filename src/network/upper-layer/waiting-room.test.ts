import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import { parseAeTitle } from "../../dicom/ae-title.ts";
import { openAssociation } from "../dimse/association.ts";
import { startDimseServer } from "../dimse/server.ts";
import { VERIFICATION_SOP_CLASS } from "../dimse/service-classes.ts";
import { createWaitingRoom, WAITING_LIMITS, type WaitingRoom } from "./waiting-room.ts";

const LIMITS = { maximum: 4, maximumOfAddress: 3, graceMs: 1_000 };

let stack: AsyncDisposableStack;
let nowMs: number;
beforeEach(() => {
  stack = new AsyncDisposableStack();
  nowMs = 0;
});
afterEach(() => stack.disposeAsync());

async function connectFrom(localAddress: string, port: number): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port, localAddress });
  socket.on("error", () => {});
  stack.defer(() => void socket.destroy());
  await once(socket, "connect");
  return socket;
}

/** Lets connections in as a listener does; answers our end of each. */
async function startRoom() {
  const room: WaitingRoom = createWaitingRoom(LIMITS, () => nowMs);
  const accepted: PromiseWithResolvers<{ readonly socket: Socket; readonly isIn: boolean }>[] = [];
  let count = 0;
  const server = createServer((socket) => {
    socket.on("error", () => {});
    accepted[count++]?.resolve({ socket, isIn: room.enter(socket) });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  stack.defer(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return {
    room,
    async enter(address: string) {
      const next = Promise.withResolvers<{ readonly socket: Socket; readonly isIn: boolean }>();
      accepted.push(next);
      await connectFrom(address, port);
      return await next.promise;
    },
  };
}

it("lets in no more of an address than its part, until those that wait have had their time", async () => {
  const { enter } = await startRoom();
  const [first, second] = [await enter("127.0.0.2"), await enter("127.0.0.2")];
  await enter("127.0.0.2");
  expect((await enter("127.0.0.2")).isIn).toBe(false);
  nowMs = LIMITS.graceMs;
  expect((await enter("127.0.0.2")).isIn).toBe(true);
  expect([first.socket.destroyed, second.socket.destroyed]).toEqual([true, false]);
});

it("makes room for another address at the cost of the one that has the most", async () => {
  const { enter } = await startRoom();
  const first = await enter("127.0.0.2");
  for (const address of ["127.0.0.2", "127.0.0.2", "127.0.0.3"]) await enter(address);
  expect((await enter("127.0.0.4")).isIn).toBe(true);
  expect(first.socket.destroyed).toBe(true);
});

it("counts neither those that have an association nor those that have gone", async () => {
  const { room, enter } = await startRoom();
  const waiting = [await enter("127.0.0.2"), await enter("127.0.0.2"), await enter("127.0.0.2")];
  const [associated, gone] = waiting;
  if (associated !== undefined) room.leave(associated.socket);
  gone?.socket.destroy();
  if (gone !== undefined) await once(gone.socket, "close");
  expect((await enter("127.0.0.2")).isIn).toBe(true);
  expect((await enter("127.0.0.2")).isIn).toBe(true);
  expect(associated?.socket.destroyed).toBe(false);
});

it("keeps a listener open for who asks for an association, whatever else connects and says nothing", async () => {
  const aeTitle = parseAeTitle("CALLED");
  const rules = { maximumAssociations: 1 };
  const server = stack.use(await startDimseServer({ host: "127.0.0.1", port: 0, aeTitle, handlers: {}, rules }));
  for (const address of ["127.0.0.2", "127.0.0.3", "127.0.0.4"])
    await Promise.all(Array.from({ length: WAITING_LIMITS.maximumOfAddress }, () => connectFrom(address, server.port)));
  const contexts = [{ abstractSyntaxUid: VERIFICATION_SOP_CLASS, transferSyntaxUids: ["1.2.840.10008.1.2"] }];
  const address = { host: "127.0.0.1", port: server.port, aeTitle };
  await using association = await openAssociation({ address, callingAeTitle: parseAeTitle("CALLING"), contexts });
  await association.echo();
});
